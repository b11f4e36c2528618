"""Faces: detection, tracking over time, identity."""
