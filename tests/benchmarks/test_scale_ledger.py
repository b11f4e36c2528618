"""The figures of the scale benchmark, told from what workers wrote down."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.scale.ledger import Piece, busy, idle_by_cause, occupied, overhead, read_ledger, steady


def piece(
    worker: str, process: int, began: float, took_s: float, stage: str = "listen", declared_s: float = 0
) -> Piece:
    return Piece(
        worker=worker, process=process, stage=stage, began=began, declared_s=declared_s or took_s, took_s=took_s
    )


TWO_WORKERS = (
    piece("a", 1, 10, 5),
    piece("a", 1, 16, 4, "render"),
    piece("a", 2, 25, 5),
    piece("b", 3, 12, 10),
    piece("b", 3, 22, 6),
)


def test_overhead_counts_starts_tails_and_pieces_that_took_longer_than_declared() -> None:
    assert overhead([piece("a", 1, 0, 10)], 1, 10) == 0
    assert overhead([piece("a", 1, 5, 10)], 2, 20) == pytest.approx(3.0)
    assert overhead([piece("a", 1, 0, 12, declared_s=10)], 1, 12) == pytest.approx(0.2)


def test_the_steady_stretch_is_when_all_work() -> None:
    window = steady(TWO_WORKERS, 2)
    assert window == (12, 28)
    assert busy(TWO_WORKERS, 2, window) == pytest.approx((3 + 4 + 3 + 16) / 32)
    assert occupied(TWO_WORKERS, 2, window) == pytest.approx((8 + 3 + 16) / 32)


def test_a_worker_that_did_nothing_is_told() -> None:
    with pytest.raises(ValueError, match="3 workers were started, and 2 worked"):
        steady(TWO_WORKERS, 3)


def test_idle_time_is_told_by_what_it_lay_between() -> None:
    assert idle_by_cause(TWO_WORKERS, (10, 30)) == {"next lecture": 5.0, "listen - render": 1.0}


def test_lectures_side_by_side_on_one_worker_occupy_it_once() -> None:
    pieces = (piece("a", 1, 0, 4), piece("a", 2, 4, 4), piece("a", 1, 8, 2))
    assert occupied(pieces, 1, (0, 10)) == pytest.approx(1.0)
    assert busy(pieces, 1, (0, 10)) == pytest.approx(1.0)
    assert idle_by_cause(pieces, (0, 10)) == {}


def test_what_processes_wrote_is_read_by_worker(tmp_path: Path) -> None:
    lines = [
        {"loaded": 1.0},
        {"peak_mb": 100, "cpu_s": 1.0},
        {"stage": "listen", "began": 2.0, "declared_s": 1.0, "took_s": 1.5},
        {"peak_mb": 120, "cpu_s": 2.5},
    ]
    (tmp_path / "scale-0.77.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    ledger = read_ledger(tmp_path)
    assert [(each.worker, each.process, each.ended) for each in ledger.pieces] == [("scale-0", 77, 3.5)]
    assert (ledger.loaded, ledger.peaks_mb, ledger.cpu_s) == ({77: 1.0}, {77: 120}, {77: 2.5})
