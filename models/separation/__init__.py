"""Separation: the voice out of a sound, and what is left.

separator = engines.load()                       # MissingWeights where the weights are not on this machine
parts = separator.separate(waveform)             # (channels, n) at 44.1 kHz
"""
