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
from infra.store import is_blob
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
MANIFESTS = ".redub"
_SLICE = 1024
_CODES = frozenset(each.code for each in LANGUAGES)
_JOINED = _CODES | {"all", "multi"}
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
    """What is asked for all below `source`; what is given is checked. By default outputs go beside each lecture."""
    if not languages:
        raise BadInput("no language was given;", where="--to", remedy="give one or more, as in --to fr,es")
    preset_of(preset)
    root = _whole(source)
    _require_there(locations.location(root))
    return Wanted(
        root=root,
        out_root=_whole(out) if out else root,
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


def _require_there(root: Location) -> None:
    """BadInput where a folder is missing: a disk that is not mounted is no archive that was emptied."""
    if isinstance(root, Path) and not root.is_dir():
        remedy = "check the name; a bucket is written s3://BUCKET/PREFIX"
        raise BadInput("there is no such folder;", where=str(root), remedy=remedy)


def _whole(text: str) -> str:
    """A folder's path without a relative start, or a prefix with a "/" at its end."""
    place = locations.location(text)
    return str(place.absolute()) if isinstance(place, Path) else str(place.below())


def outcome_place(row: ArchivedLecture) -> Location:
    """Where the outcome of a lecture lies: with its manifests, beside its outputs."""
    return locations.join(locations.location(row.out), f"{stem_of(row)}{MANIFESTS}", OUTCOME_NAME)


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
    surveys = _Surveys(tell)
    for place, version in surveys.lectures(root, out_root):
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
    return _sorted([*gone, *_settled(fresh, surveys, tell)])


def looked_at_again(known: Sequence[ArchivedLecture], tell: Tell) -> list[ArchivedLecture]:
    """The same rows as things stand now: replaced and lost sources, dubs that are gone, outcomes that are news."""
    versions: dict[str, SourceVersion] = {}
    surveys = _Surveys(tell)
    for root, out_root in sorted({(row.root, row.out_root) for row in known}):
        found = surveys.lectures(locations.location(root), locations.location(out_root))
        versions.update((str(place), version) for place, version in found)
    return _sorted(_settled([at_version(row, versions.get(row.source)) for row in known], surveys, tell))


def looked_at(row: ArchivedLecture) -> ArchivedLecture:
    """A row with its length, or unreadable and why. Never raises what is wrong with one lecture or its store."""
    try:
        length = length_s(locations.location(row.source), row)
    except RedubError as error:
        # Without its name: the row has that.
        reason = f"{error.what} {error.remedy}".strip() if isinstance(error, BadInput) else str(error)
        return dataclasses.replace(row, state=UNREADABLE, reason=reason)
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
class _Survey:
    """What one listing found: videos, of which some may be dubs; languages by lecture; outcomes; folders of manifests.

    A folder of manifests is told by (folder, lecture), as a dub is.
    """

    videos: list[tuple[Location, SourceVersion]] = field(default_factory=list)
    dubs: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    outcomes: dict[str, SourceVersion] = field(default_factory=dict)
    manifests: set[tuple[str, str]] = field(default_factory=set)
    nameless: int = 0

    @classmethod
    def of(cls, root: Location) -> _Survey:
        """List all below `root`, once."""
        survey = cls()
        for place, version in locations.listed(root):
            survey.add(root, place, version)
        return survey

    def add(self, root: Location, place: Location, version: SourceVersion) -> None:
        name, folder = locations.name(place), str(locations.parent(place)).rstrip("/")
        if name == OUTCOME_NAME:
            self.outcomes[str(place)] = version
        if folder.endswith(MANIFESTS):
            above, _, lecture = folder.removesuffix(MANIFESTS).rpartition("/")
            self.manifests.add((above, lecture))
            return
        parts = PurePosixPath(_below(root, place)).parts
        if PurePosixPath(name).suffix.lower() not in _VIDEOS or any(part.startswith(".") for part in parts):
            return
        if not _has_text(str(place)):
            self.nameless += 1
            return
        self.videos.append((place, version))
        lecture, _, code = name.removesuffix(".mp4").rpartition(".")
        if name.endswith(".mp4") and code in _CODES and version.size_bytes:
            self.dubs.setdefault((folder, lecture), set()).add(code)


class _Surveys:
    """Listings, each done once: a folder of outputs is most often part of the folder of lectures."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._done: dict[str, _Survey] = {}

    def lectures(self, root: Location, out_root: Location) -> list[tuple[Location, SourceVersion]]:
        """The videos below `root` that are no dubs of redub's own, with their versions, by name."""
        _require_there(root)
        survey = self._of(root)
        outputs, within = _start(out_root), _start(root)
        apart = outputs != within
        found = [each for each in survey.videos if not (apart and str(each[0]).startswith(outputs))]
        known = survey.manifests | {
            (str(locations.parent(place)).rstrip("/"), locations.stem(place)) for place, _ in found
        }
        return [(place, version) for place, version in found if not _is_dub(place, known) and not is_blob(str(place))]

    def made_in(self, out_root: str) -> _Survey:
        """What lies below a folder of outputs."""
        place = locations.location(out_root)
        for root, survey in self._done.items():
            if _start(place).startswith(root):
                return survey
        return _Survey() if isinstance(place, Path) and not place.is_dir() else self._of(place)

    def _of(self, place: Location) -> _Survey:
        start = _start(place)
        if start not in self._done:
            self._done[start] = survey = _Survey.of(place)
            if survey.nameless:
                self._tell(f"{survey.nameless} files are left out: their names are no Unicode")
        return self._done[start]


def _settled(rows: Sequence[ArchivedLecture], surveys: _Surveys, tell: Tell) -> list[ArchivedLecture]:
    """Rows with what was made of them, and with their lengths."""
    made = {out_root: surveys.made_in(out_root) for out_root in sorted({row.out_root for row in rows})}

    def told(row: ArchivedLecture) -> ArchivedLecture:
        place = outcome_place(row)
        outputs = made[row.out_root]
        version = outputs.outcomes.get(str(place))
        if version is not None and row.state != GONE and version.etag != row.outcome_etag:
            content = _outcome(place, version)
            row = with_outcome(row, None if content is None else read_outcome(content), version.etag)
        if row.duration_s is None and row.state != GONE:
            row = looked_at(row)
        return with_standing(row, outputs.dubs.get((row.out.rstrip("/"), stem_of(row)), ()))

    done = []
    for each in _in_threads(told, rows):
        done.append(each)
        if len(done) % _SLICE == 0:
            tell(f"{len(done)} of {len(rows)} looked at")
    return _without_clashes(done)


def _outcome(place: Location, version: SourceVersion) -> bytes | None:
    """The outcome's text, None where it went away or is not to be had: the lecture then counts as not worked on."""
    try:
        if isinstance(place, Path):
            return place.read_bytes()
        found = ObjectVersion(uri=place, etag=version.etag, size_bytes=version.size_bytes)
        return read_range(found, 0, version.size_bytes)
    except (Replaced, Missing, OSError):
        return None


def _is_dub(place: Location, known: set[tuple[str, str]]) -> bool:
    """Whether it is named as a dub of a lecture that is `known` beside it: lecture.fr.mp4, lecture.fr.burned.mp4."""
    folder, parts = str(locations.parent(place)).rstrip("/"), locations.stem(place).split(".")
    return any(
        (folder, ".".join(parts[:cut])) in known and set(parts[cut].replace("+", "-").split("-")) <= _JOINED
        for cut in range(1, len(parts))
    )


def _start(place: Location) -> str:
    """What the names of all below `place` start with."""
    return f"{str(place).rstrip('/')}/"


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
