"""Lip sync: a face whose lips fit a sound, cut out of its frame and put back into it.

syncer = engines.load("wav2lip")
face = crop_face(frame, box, syncer.face_size)           # box: x, y, width, height of the face, in pixels of the frame
drawn = syncer.sync(faces, faces, mel_windows(mel_spectrogram(waveform), times))
changed = paste_face(frame, box, drawn[0])               # only inside mask_bounds(box, width, height)
"""
