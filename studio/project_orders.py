"""What POST /api/projects may ask for: checked in full before anything is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from manifests.errors import BadInput
from manifests.languages import language as known_language
from studio.answers import Refused
from studio.records import Kind
from studio.settings import Limits

_KINDS = ("dub", "speech", "text")
_LONGEST_TITLE = 200
_MOST_LANGUAGES = 12
_LIPS = ("rewrite", "wav2lip", "wav2lip-gan", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectOrder:
    """A new project as it was asked for. Of `upload` and `uri` one is given; `audio` is an upload, too."""

    kind: Kind
    title: str | None
    upload: str | None
    uri: str | None
    audio: str | None
    text: str | None
    from_: str | None
    to: tuple[str, ...]
    voices: tuple[tuple[str, str], ...]
    lips: str | None
    review: bool


def read_order(body: Mapping[str, Any], limits: Limits) -> ProjectOrder:
    """The order in a request's JSON. Refused (422), with the field, where it cannot be done."""
    kind = _text(body, "kind")
    if kind not in _KINDS:
        raise _refused("kind", "this is no kind of project", f"one of: {', '.join(_KINDS)}")
    source = body.get("source")
    if not isinstance(source, Mapping):
        raise _refused("source", "a video or an image is needed", "upload one first")
    upload, uri = _text(source, "upload"), _text(source, "uri")
    if (upload is None) == (uri is None):
        raise _refused("source", "a video or an image is needed", "upload one, or give its s3:// address")
    audio = body.get("audio")
    if audio is not None and not isinstance(audio, Mapping):
        raise _refused("audio", "the recording is not well formed", "upload one first")
    order = ProjectOrder(
        kind=cast("Kind", kind),
        title=(_text(body, "title") or "").strip()[:_LONGEST_TITLE] or None,
        upload=upload,
        uri=uri,
        audio=None if audio is None else _text(audio, "upload"),
        text=_text(body, "text"),
        from_=_from(body),
        to=_languages(body),
        voices=_voices(body),
        lips=_lips(body),
        review=body.get("review") is True,
    )
    _require_whole(order, limits)
    return order


def _require_whole(order: ProjectOrder, limits: Limits) -> None:
    """Whether everything that the kind needs is there, and nothing besides."""
    if order.kind == "dub":
        if not order.to:
            raise _refused("to", "no language to dub into", "choose one or more")
        if order.from_ in order.to:
            raise _refused("to", "it is spoken in that language already", "choose another")
    elif order.kind == "speech":
        if order.audio is None:
            raise _refused("audio", "a recording is needed", "upload one, or record it")
        if order.to:
            raise _refused("to", "a recording is not translated", "leave the languages out")
    else:
        _require_text(order, limits)
    if order.kind != "text" and order.text is not None:
        raise _refused("text", "this kind of project has no text", "leave it out")
    if order.kind != "speech" and order.audio is not None:
        raise _refused("audio", "this kind of project has no recording", "leave it out")
    strays = [language for language, _ in order.voices if language not in order.to]
    if strays:
        raise _refused("voices", f"a voice is given for {strays[0]}, which is not asked for", "leave it out")


def _require_text(order: ProjectOrder, limits: Limits) -> None:
    text = (order.text or "").strip()
    if not text:
        raise _refused("text", "the text is empty", "give it some words")
    if len(text) > limits.text_characters:
        raise _refused("text", f"the text has {len(text)} characters", f"at most {limits.text_characters}")
    if len(order.to) != 1:
        raise _refused("to", "one language is needed: that of the text", "choose it")


def _from(body: Mapping[str, Any]) -> str | None:
    code = _text(body, "from")
    return None if code in (None, "", "auto") else _known("from", code or "")


def _languages(body: Mapping[str, Any]) -> tuple[str, ...]:
    found = body.get("to") or []
    if not isinstance(found, list) or len(found) > _MOST_LANGUAGES:
        raise _refused("to", "the languages are not well formed", f"a list of codes, at most {_MOST_LANGUAGES}")
    return tuple(dict.fromkeys(_known("to", each) for each in found))


def _voices(body: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    found = body.get("voices") or {}
    if not isinstance(found, Mapping):
        raise _refused("voices", "the voices are not well formed", "an object of languages and voices")
    pairs = []
    for code, voice in found.items():
        language = _known("voices", code)
        if voice in (None, ""):
            continue
        if not isinstance(voice, str) or not voice.startswith(f"{language}-") or len(voice) > 64:
            raise _refused("voices", f"this is no voice for {language}", "choose one that is offered")
        pairs.append((language, voice))
    return tuple(sorted(pairs))


def _lips(body: Mapping[str, Any]) -> str | None:
    lips = _text(body, "lips")
    if lips in (None, ""):
        return None
    if lips not in _LIPS:
        raise _refused("lips", "there is no such way of making lips", f"one of: {', '.join(_LIPS)}")
    return lips


def _known(field: str, code: object) -> str:
    if not isinstance(code, str):
        raise _refused(field, "this is no language", "give its ISO 639-1 code")
    try:
        return known_language(code).code
    except BadInput as error:
        raise _refused(field, error.what, error.remedy) from error


def _text(body: Mapping[str, Any], field: str) -> str | None:
    value = body.get(field)
    if value is None:
        return None
    if not isinstance(value, str) or "\0" in value:
        raise _refused(field, "this is no text", "send a string")
    return value


def _refused(field: str, error: str, remedy: str) -> Refused:
    return Refused(422, error.rstrip("."), remedy, field=field)
