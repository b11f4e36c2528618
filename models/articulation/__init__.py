"""Articulation: from the sound of speech to the shape of the mouth that speaks it."""
