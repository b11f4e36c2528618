"""Voice prints: who a voice is, as numbers, and how high it is.

encoder = engines.load()                                   # MissingWeights where its weights are not on this machine
print_ = encoder.embed(without_pauses(waveform))           # (256,), unit length
pitch = median_pitch(waveform)                             # Hz, and the seconds that are voiced
"""
