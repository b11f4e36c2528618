"""What stages are called where people read of them."""

from __future__ import annotations

NAMES = {
    "shots": "finding shots",
    "speech": "finding speech",
    "identify": "which language",
    "faces": "following faces",
    "listen": "listening",
    "translate": "translating",
    "speak": "speaking",
    "mix": "mixing",
    "voice": "voice track",
    "meshes": "looking at mouths",
    "speaking": "finding who speaks",
    "library": "gathering mouths",
    "lips": "moving lips",
    "render": "rendering",
    "assemble": "assembling",
    "sound": "taking the recording",
    "prepare": "preparing the picture",
    "cut": "cutting the speech",
    "voice_samples": "sampling voices",
    "appearances": "looking at faces",
    "background": "keeping the background",
    "reference": "taking the voice",
    "sign": "signing",
    "burn": "burning subtitles in",
    "assemble_many": "all languages in one file",
    "heard_back": "hearing it back",
    "real_lips": "measuring real lips",
    "dubbed_lips": "measuring new lips",
    "levels": "measuring loudness",
}


def said(stage: str, language: str | None = None) -> str:
    """A stage in words, with the language that it is about."""
    return " ".join(part for part in (NAMES.get(stage, stage), language) if part)
