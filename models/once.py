"""Loading a model once a process, whatever asks for it: it then stays for all that follows."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Hashable
from functools import update_wrapper
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Once(Generic[P, T]):
    """A function that loads something: called once for the same arguments, however they are given.

    `functools.cache` would load again for an argument that is its default, or is given by name, and for each thread
    that asks while the first one still loads. Here those wait; other arguments do not. What fails is tried again.
    `loads` counts.
    """

    def __init__(self, load: Callable[P, T]) -> None:
        self._load, self._signature = load, inspect.signature(load)
        self._guard = threading.Lock()
        self._loading: dict[Hashable, threading.Lock] = {}
        self._loaded: dict[Hashable, T] = {}
        self.loads = 0
        update_wrapper(self, load)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """What the function gave the first time."""
        key = self._key(*args, **kwargs)
        if key in self._loaded:
            return self._loaded[key]
        with self._guard:
            loading = self._loading.setdefault(key, threading.Lock())
        with loading:
            if key not in self._loaded:
                value = self._load(*args, **kwargs)
                with self._guard:
                    self._loaded[key] = value
                    self.loads += 1
            return self._loaded[key]

    def has(self, *args: P.args, **kwargs: P.kwargs) -> bool:
        """Whether it is loaded by now."""
        return self._key(*args, **kwargs) in self._loaded

    def cache_clear(self) -> None:
        """Forget all of it."""
        with self._guard:
            self._loading.clear()
            self._loaded.clear()

    def _key(self, *args: P.args, **kwargs: P.kwargs) -> tuple[Hashable, ...]:
        """The arguments in their order, defaults included: one key for a call, however it is written."""
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return tuple(bound.arguments.values())


def once(load: Callable[P, T]) -> Once[P, T]:
    """Decorate a function that loads; its arguments are hashable, and none are gathered by `**`."""
    return Once(load)
