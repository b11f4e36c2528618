"""Wav2Lip (Prajwal et al., "A Lip Sync Expert Is All You Need", ACM Multimedia 2020).

The generator, the sync expert and the quality discriminator, with the state-dict names of the paper's release, and
the mel spectrogram that they hear.
"""
