"""Dubs that lie in an object store, for commands that look at finished ones: brought here with what belongs to them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flows.exchange import brought
from infra import locations
from infra.locations import Location
from infra.places import cache_folder
from manifests.errors import BadInput
from manifests.provenance import Verdict
from manifests.report import read_report
from tasks.provenance import SIDECAR_SUFFIX, verify
from tasks.report_files import rebuild_pages


def verified(file: str, source: str | None) -> Verdict:
    """Hold the dub at `file` against the statement beside it (`tasks.provenance.verify`). Both may lie in a store."""
    place, given = locations.location(file), brought(source)
    if isinstance(place, Path):
        return verify(place, given)
    sidecar = locations.join(locations.parent(place), f"{locations.stem(place)}{SIDECAR_SUFFIX}")
    with _workspace() as folder:
        for each in (place, sidecar):
            if locations.exists(each):
                _bring(each, folder / locations.name(each))
        try:
            return verify(folder / locations.name(place), given)
        except BadInput as error:
            if not error.where.startswith(str(folder)):
                raise
            there = str(locations.join(locations.parent(place), Path(error.where).name))
            raise BadInput(error.what, where=there, remedy=error.remedy) from error


def rebuilt_pages(folder: str) -> list[str]:
    """Make the report pages of a lecture's manifests again (`tasks.report_files.rebuild_pages`); where they lie.

    Of a prefix in a store, what is needed is brought here, and the pages are published there.
    """
    place = locations.location(folder)
    if isinstance(place, Path):
        return [str(page) for page in rebuild_pages(place, brought)]
    below = locations.parent(place)
    with _workspace() as workspace:
        here = workspace / locations.name(place)
        here.mkdir()
        for there, _ in locations.listed(place):
            if locations.parent(there) == locations.location(f"{str(place).rstrip('/')}/"):
                _bring(there, here / locations.name(there))
        for figures in here.glob("report.*.json"):
            report = read_report(figures)
            dub = f"{report.title}.{report.language}.mp4"
            if locations.exists(locations.join(below, dub)):
                _bring(locations.join(below, dub), workspace / dub)
        pages = []
        for page in rebuild_pages(here, _brought_if_there):
            locations.publish(page, locations.join(place, page.name), replace=True)
            pages.append(str(locations.join(place, page.name)))
    return pages


def _brought_if_there(uri: str) -> Path | None:
    """The source of a dub, None where it is gone."""
    with suppress(BadInput):
        return brought(uri)
    return None


def _bring(place: Location, target: Path) -> None:
    target.symlink_to(locations.fetched(place, cache_folder() / "sources").path)


@contextmanager
def _workspace() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="redub-") as name:
        yield Path(name)
