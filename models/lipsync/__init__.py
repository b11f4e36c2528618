"""Lip sync: a face whose lips fit a sound."""
