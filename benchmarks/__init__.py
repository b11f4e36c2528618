"""Measurements of speed and quality, and the samples that they run on."""
