"""Options that several commands take."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Write one JSON object a line to standard output, for machines.")]
Voice = Annotated[str | None, typer.Option("--voice", help="A voice by its id; `redub doctor` lists them.")]
Lips = Annotated[
    str | None,
    typer.Option(
        "--lips",
        help="rewrite (the default: the speaker's own mouths in new order), wav2lip (drawn by a network; wav2lip-gan), "
        "or none (the picture stays).",
    ),
]
