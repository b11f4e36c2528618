"""The manifest of an archive as a file, here or in a bucket: one writes it at a time, and it is never half written."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from infra import locations
from infra.files import published
from infra.locations import Location, SourceVersion
from infra.objects.reading import read_small
from infra.objects.uri import ObjectUri
from infra.objects.writing import upload_bytes
from manifests.archive import (
    DONE,
    ArchivedLecture,
    Outcome,
    outcome_json,
    outcome_of,
    read_archive,
    read_outcome,
    write_archive,
)
from manifests.errors import BadInput
from tasks.archive import Wanted, new_row, with_outcome
from tasks.archive_plan import MANIFEST_NAME, MANIFESTS, OUTCOME_NAME, dub_place, outcome_place


class Desk:
    """The manifest at `place`. What another wrote since it was read here is never overwritten."""

    def __init__(self, place: Location) -> None:
        self.place = place
        self._version: SourceVersion | None = None

    def exists(self) -> bool:
        """Whether there is a manifest yet. BadInput, Unavailable where the store does not say."""
        return locations.exists(self.place)

    def read(self) -> list[ArchivedLecture]:
        """All rows. BadInput where there is no manifest, or another file."""
        with tempfile.TemporaryDirectory(prefix="redub-") as name:
            try:
                file = locations.fetched(self.place, Path(name))
            except BadInput as error:
                if locations.exists(self.place):
                    raise
                remedy = "make it: redub archive plan SOURCE --to fr"
                raise BadInput("there is no archive's manifest;", where=str(self.place), remedy=remedy) from error
            try:
                rows = read_archive(file.path)
            except (ValueError, OSError, LookupError, TypeError) as error:
                told = str(error).splitlines()[0] if str(error) else type(error).__name__
                remedy = "name another, or move it away and plan again: finished work is found"
                raise BadInput(
                    f"this is no archive's manifest ({told});", where=str(self.place), remedy=remedy
                ) from error
        self._version = file.version
        return rows

    def write(self, rows: Iterable[ArchivedLecture]) -> None:
        """Publish the manifest whole. BadInput where another wrote it meanwhile; NoSpace, Unavailable."""
        with tempfile.TemporaryDirectory(prefix="redub-") as name:
            file = Path(name) / MANIFEST_NAME
            write_archive(list(rows), file)
            self._version = locations.publish(file, self.place, replace=False, only_if=self._version).version


def publish_outcome(row: ArchivedLecture) -> ArchivedLecture:
    """Write what came of a lecture beside its outputs; gives the row that knows of it. NoSpace, Unavailable."""
    place = outcome_place(row)
    files = tuple(locations.name(dub_place(row, language)) for language in row.made)
    content = outcome_json(outcome_of(row, files))
    if isinstance(place, ObjectUri):
        etag = upload_bytes(content, place, content_type="application/json").etag
    else:
        with published(place) as draft:
            draft.write_bytes(content)
        version = locations.version_of(place)
        etag = "" if version is None else version.etag
    return dataclasses.replace(row, outcome_etag=etag)


def standing_languages(row: ArchivedLecture) -> set[str]:
    """The languages whose video stands where the lecture's outputs go. BadInput, Unavailable."""
    found = {language: locations.version_of(dub_place(row, language)) for language in row.languages}
    return {language for language, version in found.items() if version is not None and version.size_bytes}


def record_dub(version: SourceVersion, wanted: Wanted, out: Location, made: tuple[str, ...], duration_s: float) -> None:
    """Write the outcome of a lecture that was dubbed outside an archive's run, so that an archive counts it as made.

    `wanted` is what was asked for it, `made` the languages whose videos were published in `out`. Languages that an
    outcome of the same content knows already stay. NoSpace, Unavailable.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    row = new_row(version.location, str(out), locations.name(locations.location(version.location)), version, wanted)
    row = dataclasses.replace(row, duration_s=duration_s, languages=made)
    before = read_outcome_at(outcome_place(row))
    known = with_outcome(row, before, "")
    languages = tuple(sorted({*known.made, *made}))
    publish_outcome(
        dataclasses.replace(
            known, languages=languages, made=languages, state=DONE, reason="", attempts=0, started=now, ended=now
        )
    )


def require_own_place(source: Location, out: Location) -> None:
    """BadInput where the outputs of `source` in `out` would take the place of another lecture's, which is still there.

    As far as outcomes tell (`record_dub`, archives). Unavailable where a store does not answer.
    """
    outcome = read_outcome_at(locations.join(out, f"{locations.stem(source)}{MANIFESTS}", OUTCOME_NAME))
    if outcome is None or outcome.source == str(source) or not locations.exists(locations.location(outcome.source)):
        return
    what = f"its dub would take the place of that of {outcome.source};"
    raise BadInput(what, where=str(source), remedy="give one of the two another name, or write it elsewhere")


def read_outcome_at(place: Location) -> Outcome | None:
    """The outcome at a place; None where there is none. BadInput, Unavailable."""
    if isinstance(place, ObjectUri):
        found = read_small(place)
        return None if found is None else read_outcome(found[0])
    try:
        return read_outcome(place.read_bytes())
    except FileNotFoundError:
        return None
