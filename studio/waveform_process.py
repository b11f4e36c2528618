"""The peaks of a file's sound, in a process of its own: python -m studio.waveform_process MEDIA OUT PER_S.

OUT gets one byte a column; how long it is goes to standard output as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from manifests.errors import BadInput
from studio.answers import told


def main() -> None:
    """Read, write, say."""
    from infra.files import published
    from infra.media.peaks import compact, read_peaks

    media, out, per_s = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
    try:
        peaks = compact(read_peaks(media, per_s=per_s))
    except BadInput as error:
        sys.stdout.write(json.dumps(told(error)))
        return
    with published(out) as draft:
        draft.write_bytes(peaks)
    sys.stdout.write(json.dumps({"columns": len(peaks)}))


if __name__ == "__main__":
    main()
