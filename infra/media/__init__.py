"""Media in and out: probing, decoding, splicing untouched groups of pictures with rendered ones, sound, and muxing.

One clock serves everything here: time 0 is the first frame of the picture (the video stream's `start_time`), and
sound is put on that same clock, so that a frame and a sample with one time are seen and heard together.
"""
