"""Bringing a source from an object store, below a place that the operator allows, to a project's own folder."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from infra import locations
from infra.objects.uri import ObjectUri
from studio import events
from studio.answers import Refused
from studio.probing import Facts, Source, probed
from studio.records import Progress, Project
from studio.settings import Limits
from studio.sniffing import HEAD_BYTES, sniff

UPLOAD = "upload"


def allowed_place(uri: str, allowed: Sequence[ObjectUri]) -> ObjectUri:
    """The object that `uri` names. Refused (403) where it does not lie below one of the `allowed` prefixes."""
    place = locations.location(uri) if uri.startswith("s3://") else None
    if not isinstance(place, ObjectUri):
        raise Refused(422, "this is no address in a store", "write it as s3://BUCKET/KEY")
    climbs = any(part in (".", "..") for part in place.key.split("/"))
    below = any(place.bucket == each.bucket and place.key.startswith(each.key) for each in allowed)
    if climbs or not below or place.is_prefix:
        known = ", ".join(str(each) for each in allowed) or "none"
        raise Refused(403, "this studio may not read there", f"places that it may read: {known}")
    return place


def bring(project: Project, folder: Path, limits: Limits) -> Project:
    """The project with its source in its `folder`; nothing to do where it was uploaded or brought before.

    Refused where it is too large or unfit; BadInput, Unavailable, NoSpace as the store has it.
    """
    target = folder / project.source.file
    if project.uri is None or target.is_file():
        return project
    events.append(folder, "progress", asdict(Progress(stage="fetch", label="Fetching the lecture")))
    incoming = folder / UPLOAD / ".incoming"
    fetched = locations.fetched(locations.location(project.uri), incoming)
    with fetched.path.open("rb") as file:
        sniffed = sniff(file.read(HEAD_BYTES))
    if sniffed is None:
        shutil.rmtree(incoming)
        raise Refused(415, "this is no video that redub reads", "give MP4, MOV, MKV, WebM, AVI or MPEG")
    facts = asyncio.run(probed(fetched.path, "lecture" if project.kind == "dub" else "picture", limits))
    source = with_facts(replace(project.source, media_type=sniffed.media_type), facts)
    fetched.path.replace(target)
    shutil.rmtree(incoming, ignore_errors=True)
    events.append(folder, "brought", {"source": asdict(source)})
    return replace(project, source=source)


def with_facts(source: Source, facts: Facts) -> Source:
    """`source` as it was found to be."""
    return replace(source, **asdict(facts))
