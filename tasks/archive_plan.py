"""Looking at an archive: what lies there now, how long it lasts, and what was made of it. No lecture is read for that.

A folder or bucket is listed, headers are looked at by range, outcomes are read where they are news. Reading goes on in
a bounded number of threads; a lecture that cannot be looked at is a row that says why.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TypeVar

from infra import locations
from infra.locations import Location, SourceVersion
from infra.objects.faults import Missing, Replaced
from infra.objects.reading import ObjectVersion, RangeReader, read_range
from infra.objects.uri import ObjectUri
from manifests.archive import GONE, UNREADABLE, WAITING, ArchivedLecture, read_outcome
from manifests.errors import BadInput, RedubError
from manifests.languages import LANGUAGES, language
from tasks.archive import Wanted, as_wanted, at_version, new_row, with_outcome, with_standing
from tasks.settings import preset as preset_of

In = TypeVar("In")
Out = TypeVar("Out")
Tell = Callable[[str], None]

THREADS = 16
MANIFEST_NAME = "archive.parquet"
OUTCOME_NAME = "archive.json"
_VIDEOS = frozenset(
    {
        *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mts", ".m2ts"),
        *(".mpg", ".mpeg", ".wmv", ".flv", ".ogv", ".3gp"),
    }
)
_MANIFESTS = ".redub"
_SLICE = 1024
_CODES = frozenset(each.code for each in LANGUAGES)
_BLOCKS = 32  # of 64 KiB: what one look keeps in memory


def wanted_below(
    source: str,
    languages: tuple[str, ...],
    *,
    out: str | None,
    preset: str = "lecture",
    source_language: str | None = None,
    glossary: str | None = None,
    gate: bool = False,
    priorities: tuple[tuple[str, int], ...] = (),
) -> Wanted:
    """What is asked for all below `source`; what is given is checked. By default outputs go to `dubbed` below it."""
    if not languages:
        raise BadInput("no language was given;", where="--to", remedy="give one or more, as in --to fr,es")
    preset_of(preset)
    root = _whole(source)
    return Wanted(
        root=root,
        out_root=_whole(out) if out else _whole(str(locations.join(locations.location(root), "dubbed"))),
        languages=tuple(dict.fromkeys(language(each).code for each in languages)),
        preset=preset,
        source_language=language(source_language).code if source_language else None,
        glossary=glossary,
        gate=gate,
        priorities=priorities,
    )


def default_manifest(wanted: Wanted) -> str:
    """Where an archive's manifest lies where nothing else is said: with its outputs."""
    return str(locations.join(locations.location(wanted.out_root), MANIFEST_NAME))


def _whole(text: str) -> str:
    """A folder's path without a relative start, or a prefix with a "/" at its end."""
    place = locations.location(text)
    return str(place.absolute()) if isinstance(place, Path) else str(place.below())


def outcome_place(row: ArchivedLecture) -> Location:
    """Where the outcome of a lecture lies: with its manifests, beside its outputs."""
    return locations.join(locations.location(row.out), f"{stem_of(row)}{_MANIFESTS}", OUTCOME_NAME)


def dub_place(row: ArchivedLecture, language: str) -> Location:
    """Where the dub of a lecture into `language` lies, or will."""
    return locations.join(locations.location(row.out), dub_name(stem_of(row), language))


def dub_name(stem: str, language: str) -> str:
    """The name that `redub dub` gives to its video."""
    return f"{stem}.{language}.mp4"


def stem_of(row: ArchivedLecture) -> str:
    """What the names of a lecture's outputs start with."""
    return locations.stem(locations.location(row.source))


def planned(known: Sequence[ArchivedLecture], wanted: Wanted, tell: Tell) -> list[ArchivedLecture]:
    """The rows of an archive in which all below `wanted.root` is asked for; rows of other roots stay as they are.

    BadInput where nothing is found, Unavailable where a store does not answer.
    """
    root, out_root = locations.location(wanted.root), locations.location(wanted.out_root)
    before = {row.source: row for row in known}
    rows: dict[str, ArchivedLecture] = {}
    versions: dict[str, SourceVersion] = {}
    for place, version in _lectures(root, out_root, tell):
        source, name = str(place), _below(root, place)
        versions[source] = version
        row = before.get(source)
        if row is None or row.out_root != wanted.out_root:
            out = str(locations.join(out_root, *PurePosixPath(name).parent.parts))
            rows[source] = new_row(source, out, name, version, wanted)
        else:
            rows[source] = as_wanted(row, wanted, name)
    if not rows:
        kinds = "MP4, MKV, MOV, WebM, AVI or MPEG"
        raise BadInput(
            "no lecture lies there;", where=wanted.root, remedy=f"name a folder or prefix with {kinds} files"
        )
    tell(f"{len(rows)} lectures lie below {wanted.root}")
    rest = [row for row in known if row.source not in rows]
    # Of this root, what is not there any more; other roots are not looked at.
    gone = [at_version(row, None) if row.root == wanted.root else row for row in rest]
    fresh = [at_version(row, versions[row.source]) for row in rows.values()]
    return _sorted([*gone, *_settled(fresh, tell)])


def looked_at_again(known: Sequence[ArchivedLecture], tell: Tell) -> list[ArchivedLecture]:
    """The same rows as things stand now: replaced and lost sources, dubs that are gone, outcomes that are news."""
    versions: dict[str, SourceVersion] = {}
    for root, out_root in sorted({(row.root, row.out_root) for row in known}):
        found = _lectures(locations.location(root), locations.location(out_root), tell)
        versions.update((str(place), version) for place, version in found)
    return _sorted(_settled([at_version(row, versions.get(row.source)) for row in known], tell))


def looked_at(row: ArchivedLecture) -> ArchivedLecture:
    """A row with its length, or unreadable and why. Never raises what is wrong with one lecture or its store."""
    try:
        length = length_s(locations.location(row.source), row)
    except RedubError as error:
        return dataclasses.replace(row, state=UNREADABLE, reason=str(error))
    except Exception as error:  # noqa: BLE001 (a lecture that breaks a parser is a row like the others)
        return dataclasses.replace(row, state=UNREADABLE, reason=f"its header cannot be read ({error!r})")
    row = dataclasses.replace(row, duration_s=round(length, 3))
    return dataclasses.replace(row, state=WAITING, reason="") if row.state == UNREADABLE else row


def length_s(place: Location, row: ArchivedLecture) -> float:
    """How long the lecture lasts, in seconds, by its header. BadInput where that does not say, Unavailable."""
    from infra.media.glance import glanced_length_s

    if isinstance(place, Path):
        with place.open("rb") as file:
            return glanced_length_s(file, str(place))
    version = ObjectVersion(uri=place, etag=row.etag, size_bytes=row.size_bytes, version_id=row.version_id)
    with RangeReader(version, blocks=_BLOCKS) as reader:
        return glanced_length_s(reader, str(place))  # type: ignore[arg-type] # it reads and seeks as a BinaryIO does


@dataclass(slots=True)
class _Made:
    """What lies below the folders of outputs: languages by lecture, and outcomes."""

    dubs: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    outcomes: dict[str, SourceVersion] = field(default_factory=dict)

    def standing(self, row: ArchivedLecture) -> set[str]:
        return self.dubs.get((row.out.rstrip("/"), stem_of(row)), set())


def _settled(rows: Sequence[ArchivedLecture], tell: Tell) -> list[ArchivedLecture]:
    """Rows with what was made of them, and with their lengths."""
    made = _made({row.out_root for row in rows})

    def told(row: ArchivedLecture) -> ArchivedLecture:
        place = outcome_place(row)
        version = made.outcomes.get(str(place))
        if version is not None and row.state != GONE and version.etag != row.outcome_etag:
            content = _outcome(place, version)
            row = with_outcome(row, None if content is None else read_outcome(content), version.etag)
        if row.duration_s is None and row.state != GONE:
            row = looked_at(row)
        return with_standing(row, made.standing(row))

    done = []
    for each in _in_threads(told, rows):
        done.append(each)
        if len(done) % _SLICE == 0:
            tell(f"{len(done)} of {len(rows)} looked at")
    return _without_clashes(done)


def _made(out_roots: Iterable[str]) -> _Made:
    made = _Made()
    for root in sorted(out_roots):
        place = locations.location(root)
        if isinstance(place, Path) and not place.is_dir():
            continue
        for each, version in locations.listed(place):
            name = locations.name(each)
            stem, _, language = name.removesuffix(".mp4").rpartition(".")
            if name.endswith(".mp4") and language in _CODES and version.size_bytes:
                folder = str(locations.parent(each)).rstrip("/")
                made.dubs.setdefault((folder, stem), set()).add(language)
            elif name == OUTCOME_NAME:
                made.outcomes[str(each)] = version
    return made


def _outcome(place: Location, version: SourceVersion) -> bytes | None:
    """The outcome's text, None where it went away or is not to be had: the lecture then counts as not worked on."""
    try:
        if isinstance(place, Path):
            return place.read_bytes()
        found = ObjectVersion(uri=place, etag=version.etag, size_bytes=version.size_bytes)
        return read_range(found, 0, version.size_bytes)
    except (Replaced, Missing, OSError):
        return None


def _lectures(root: Location, out_root: Location, tell: Tell) -> Iterator[tuple[Location, SourceVersion]]:
    """The videos below `root` that are no dubs of redub's own, with their versions, by name."""
    if isinstance(root, Path) and not root.is_dir():
        remedy = "check the name; a bucket is written s3://BUCKET/PREFIX"
        raise BadInput("there is no such folder;", where=str(root), remedy=remedy)
    found: list[tuple[Location, SourceVersion]] = []
    nameless = 0
    outputs = f"{str(out_root).rstrip('/')}/"
    apart = outputs != f"{str(root).rstrip('/')}/"
    for place, version in locations.listed(root):
        name = _below(root, place)
        parts = PurePosixPath(name).parts
        hidden = any(part.startswith(".") or part.endswith(_MANIFESTS) for part in parts)
        if hidden or PurePosixPath(name).suffix.lower() not in _VIDEOS:
            continue
        if apart and str(place).startswith(outputs):
            continue
        if not _has_text(str(place)):
            nameless += 1
            continue
        found.append((place, version))
    if nameless:
        tell(f"{nameless} files are left out: their names are no Unicode")
    if apart:
        yield from found
        return
    stems = {(str(locations.parent(place)), locations.stem(place)) for place, _ in found}
    yield from ((place, version) for place, version in found if not _is_dub(place, stems))


def _is_dub(place: Location, stems: set[tuple[str, str]]) -> bool:
    """Whether the file is named as a dub of another one beside it: lecture.fr.mp4, lecture.fr.burned.mp4."""
    folder, parts = str(locations.parent(place)), locations.stem(place).split(".")
    return any(
        (folder, ".".join(parts[:cut])) in stems and set(parts[cut].replace("+", "-").split("-")) <= _CODES
        for cut in range(1, len(parts))
    )


def _has_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _below(root: Location, place: Location) -> str:
    """The name of `place` below `root`, with "/" between its parts."""
    if isinstance(root, Path) and isinstance(place, Path):
        return place.relative_to(root).as_posix()
    start = root.below().key if isinstance(root, ObjectUri) else ""
    return place.key.removeprefix(start) if isinstance(place, ObjectUri) else place.as_posix()


def _without_clashes(rows: Sequence[ArchivedLecture]) -> list[ArchivedLecture]:
    """Of two lectures whose outputs would have one name, the later is not dubbed."""
    owners: dict[tuple[str, str], str] = {}
    for row in sorted(rows, key=lambda each: (each.state == GONE, each.source)):
        owners.setdefault((row.out.rstrip("/"), stem_of(row)), row.source)

    def judged(row: ArchivedLecture) -> ArchivedLecture:
        owner = owners[row.out.rstrip("/"), stem_of(row)]
        if owner == row.source or row.state == GONE:
            return row
        reason = f"its dub would have the name of that of {owner}; rename one of them"
        return dataclasses.replace(row, state=UNREADABLE, reason=reason, duration_s=None)

    return [judged(row) for row in rows]


def _sorted(rows: Iterable[ArchivedLecture]) -> list[ArchivedLecture]:
    return sorted(rows, key=lambda row: row.source)


def _in_threads(work: Callable[[In], Out], items: Sequence[In]) -> Iterator[Out]:
    """`work` of each item in order; a bounded number at once, and a bounded number handed over."""
    with ThreadPoolExecutor(THREADS, thread_name_prefix="look") as pool:
        try:
            for start in range(0, len(items), _SLICE):
                yield from pool.map(work, items[start : start + _SLICE])
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
