"""A model is loaded once a process, however and from wherever it is asked for."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from models.once import once


class Model:
    """Stands for something that takes long to load."""


def test_the_same_arguments_are_the_same_model_however_they_are_given() -> None:
    @once
    def load(name: str = "silero", *, device: str = "cpu") -> Model:
        return Model()

    first = load()
    assert first is load("silero") is load(name="silero") is load(device="cpu", name="silero")
    assert first is not load("silero", device="cuda")
    assert load.loads == 2


def test_threads_that_ask_while_it_loads_wait_for_it() -> None:
    asked, may_end = threading.Semaphore(0), threading.Event()

    @once
    def load(name: str) -> Model:
        asked.release()
        if name == "slow":
            may_end.wait(20)
        return Model()

    with ThreadPoolExecutor(4) as pool:
        slow = [pool.submit(load, "slow") for _ in range(3)]
        asked.acquire(timeout=20)
        assert isinstance(pool.submit(load, "quick").result(20), Model)  # another model does not wait
        may_end.set()
        assert len({id(each.result(20)) for each in slow}) == 1
    assert load.loads == 2


def test_what_failed_is_tried_again() -> None:
    troubles = [OSError("busy")]

    @once
    def load() -> Model:
        if troubles:
            raise troubles.pop()
        return Model()

    with pytest.raises(OSError, match="busy"):
        load()
    assert load() is load()
    assert load.loads == 1


def test_what_is_forgotten_is_loaded_again() -> None:
    @once
    def load() -> Model:
        return Model()

    first = load()
    load.cache_clear()
    assert load() is not first
    assert load.loads == 2
