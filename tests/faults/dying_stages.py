"""Stages that fail or die on demand; in a file of their own, so that they travel to other processes."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

from infra.store import Store, cache_store
from manifests.errors import MissingWeights, NoSpace, Unavailable
from manifests.time import Span
from tasks.isolation import nothing
from tasks.journal import Journal
from tasks.pool import InProcessPool
from tasks.stage import Stage


@dataclass(frozen=True)
class Piece:
    """What becomes of it: "fine", or the way in which it fails. `begun` is the file that counts how often it began."""

    text: str
    becomes: str
    begun: str = field(metadata={"key": False})


class Unsendable(Exception):
    """An error that does not survive the way between processes, as libraries have them."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} {second}")


def work_on(piece: Piece, store: Store) -> tuple[str, ...]:
    with Path(piece.begun).open("a") as begun:
        begun.write(f"{piece.text}\n")
    match piece.becomes:
        case "raises":
            raise ValueError("the codec said no")
        case "unsendable":
            raise Unsendable("the codec", "said no")
        case "out of memory":
            raise MemoryError
        case "no weights":
            raise MissingWeights("the weights are not here;", remedy="pull them")
        case "no space":
            raise NoSpace("the disk is full")
        case "unavailable":
            raise Unavailable("the store does not answer")
        case "kills":
            os.kill(os.getpid(), signal.SIGKILL)
        case "segfaults":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "exits":
            os._exit(3)
    return (piece.text.upper(),)


WORKING: Stage[Piece, tuple[str, ...]] = Stage("working", 1, tuple[str, ...], work_on)


def pieces(ways: str, folder: Path) -> list[Piece]:
    """A piece a way, in their order."""
    return [Piece(f"p{index}", way, str(folder / "begun")) for index, way in enumerate(ways.split("/"))]


def span_of(index: int) -> Span:
    return Span.of_seconds(index, index + 1)


if __name__ == "__main__":
    import dying_stages

    folder = Path(sys.argv[1])
    wanted = dying_stages.pieces(sys.argv[2], folder)
    store = cache_store() if "REDUB_CACHE_REMOTE" in os.environ else Store(folder / "store")
    pool = InProcessPool(store, Journal())
    spans = [span_of(index) for index in range(len(wanted))]
    done = pool.submit(dying_stages.WORKING, wanted, spans, instead=nothing)
    sys.stdout.write(f"{list(done.values())} {dict(done.failures())}")
