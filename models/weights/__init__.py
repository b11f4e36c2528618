"""Trained weights: the one table of them, and the store on this machine. Nothing else in redub downloads.

folder = weights.locate("whisper-base")     # raises MissingWeights, naming the command that brings them
key = weights.revision("whisper-base")      # for keys of results made with them
weights.pull("wav2lip", source=Path("wav2lip.pth"))
"""

from .catalogue import find, table
from .records import Conversion, Progress, Source, WeightFile, Weights, revision_of
from .store import locate, present, pull, revision, root, verify

__all__ = [
    "Conversion",
    "Progress",
    "Source",
    "WeightFile",
    "Weights",
    "find",
    "locate",
    "present",
    "pull",
    "revision",
    "revision_of",
    "root",
    "table",
    "verify",
]
