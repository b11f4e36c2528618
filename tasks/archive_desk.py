"""The manifest of an archive as a file, here or in a bucket: one writes it at a time, and it is never half written."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterable
from pathlib import Path

from infra import locations
from infra.files import published
from infra.locations import Location, SourceVersion
from infra.objects.uri import ObjectUri
from infra.objects.writing import upload_bytes
from manifests.archive import ArchivedLecture, outcome_json, outcome_of
from manifests.errors import BadInput
from manifests.tables import read_table, write_table
from tasks.archive_plan import MANIFEST_NAME, dub_place, outcome_place


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
                rows = read_table(ArchivedLecture, file.path)
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
            write_table(list(rows), ArchivedLecture, file)
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
