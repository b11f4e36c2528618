"""Measures of lip sync and of pictures: arrays in, numbers out, one small module a measure."""
