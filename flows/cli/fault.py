"""A fault of redub's own: its traceback is kept for whoever mends it, the user gets one line."""

from __future__ import annotations

import traceback

from infra.places import state_folder


def record_fault(fault: BaseException) -> str:
    """Write the traceback to the state folder; what to tell the user."""
    file = state_folder() / "fault.txt"
    text = "".join(traceback.format_exception(fault))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError:
        return f"a fault in redub itself: {fault!r}"
    return f"a fault in redub itself ({type(fault).__name__}: {fault}); the details are in {file}"
