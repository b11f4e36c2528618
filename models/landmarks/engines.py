"""Landmark detectors by name."""

from __future__ import annotations

from threading import local

from models.landmarks.contract import LandmarkDetector

NAME = "facemesh"

_of_this_thread = local()


def load_detector() -> LandmarkDetector:
    """MediaPipe's face mesh, loaded once a thread. MissingWeights where its weights are not on this machine."""
    if not hasattr(_of_this_thread, "detector"):
        from models.landmarks.facemesh import MediaPipeMesh

        _of_this_thread.detector = MediaPipeMesh()
    detector: LandmarkDetector = _of_this_thread.detector
    return detector
