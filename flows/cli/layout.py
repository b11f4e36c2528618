"""Text laid out in columns that fit the terminal, 80 where there is none."""

from __future__ import annotations

import shutil
import textwrap

from rich.markup import escape


def hung(text: str, indent: int) -> str:
    """Plain `text` after `indent` columns: broken between words, the later lines indented too, as rich markup."""
    width = max(shutil.get_terminal_size().columns - indent, 20)
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    return escape(("\n" + " " * indent).join(lines))
