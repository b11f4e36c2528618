"""An upload, and the Prefect event that tells of it. docs/watching.md is the contract with the deployment's trigger."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from infra.objects.uri import ObjectUri

EVENT = "redub.lecture.uploaded"
"""What a trigger expects; its resource is the object's address, s3://BUCKET/KEY."""

_NAMESPACE = uuid.UUID("5f0c2f0e-9c1b-5d55-8a53-2f6f1d1e7a41")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One content of one object. `version` only in a versioned bucket."""

    uri: ObjectUri
    etag: str
    version: str | None
    size_bytes: int


def event_id(uri: ObjectUri, etag: str, turn: int = 0) -> uuid.UUID:
    """The same for the same bucket, key and ETag, wherever it is computed.

    `turn` counts how often that content came back after another one had taken its place: that is news again.
    """
    told = [uri.bucket, uri.key, etag, *([turn] if turn else [])]
    return uuid.uuid5(_NAMESPACE, json.dumps(told))


def event_of(upload: Upload, identity: uuid.UUID, occurred: datetime) -> dict[str, Any]:
    """The event as the server's API takes it."""
    uri = upload.uri
    return {
        "id": str(identity),
        "event": EVENT,
        "occurred": occurred.isoformat(),
        "resource": {"prefect.resource.id": str(uri), "prefect.resource.name": uri.name},
        "related": [{"prefect.resource.id": f"s3://{uri.bucket}", "prefect.resource.role": "bucket"}],
        "payload": {
            "source": str(uri),
            "bucket": uri.bucket,
            "key": uri.key,
            "folder": uri.key.removesuffix(uri.name),
            "etag": upload.etag,
            "version": upload.version,
            "size_bytes": upload.size_bytes,
        },
    }
