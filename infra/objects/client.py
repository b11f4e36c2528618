"""The connection to the store: endpoint, region and credentials from the usual AWS environment and profiles."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from manifests.errors import BadInput

_CONNECT_S = 10
_READ_S = 30.0
_CONNECTIONS = 32
_MAKING = threading.Lock()


def client() -> Any:
    """boto3's S3 client for this process and its environment as it stands; safe to use from several threads.

    Retries and checksums are ours (`infra.objects.faults`, `upload`, `download`), so boto3's are held back.
    """
    with _MAKING:  # two threads would each make one, and boto3's loaders are not made for that
        environment = tuple(sorted((name, value) for name, value in os.environ.items() if name.startswith("AWS_")))
        return _client(os.getpid(), environment, os.environ.get("REDUB_S3_TIMEOUT_S", ""))


@lru_cache(maxsize=4)
def _client(_process: int, _environment: tuple[tuple[str, str], ...], timeout: str) -> Any:
    import boto3
    from botocore.config import Config

    session = boto3.session.Session()

    def connected(**more: Any) -> Any:
        config = Config(
            connect_timeout=_CONNECT_S,
            read_timeout=_seconds(timeout),
            retries={"mode": "standard", "total_max_attempts": 1},
            max_pool_connections=_CONNECTIONS,
            tcp_keepalive=True,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            **more,
        )
        return session.client("s3", region_name=region(os.environ), config=config)

    made = connected()
    # Stores that are not Amazon's seldom have a name in the DNS for each bucket.
    if ".amazonaws.com" in made.meta.endpoint_url or (made.meta.config.s3 or {}).get("addressing_style"):
        return made
    return connected(s3={"addressing_style": "path"})


def region(environment: Mapping[str, str]) -> str | None:
    """The region that the environment names, `AWS_DEFAULT_REGION` first; None leaves it to the profile.

    boto3 itself reads AWS_DEFAULT_REGION alone; all other tools of Amazon's read AWS_REGION.
    """
    return environment.get("AWS_DEFAULT_REGION") or environment.get("AWS_REGION") or None


def _seconds(timeout: str) -> float:
    try:
        return float(timeout) if timeout else _READ_S
    except ValueError as error:
        raise BadInput("this is no number of seconds;", where="REDUB_S3_TIMEOUT_S", remedy="set it to 30") from error


def encryption(environment: Mapping[str, str]) -> dict[str, str]:
    """What a write asks for: `REDUB_S3_SSE` (AES256, aws:kms or aws:kms:dsse) and `REDUB_S3_KMS_KEY`. BadInput else."""
    kind, key = environment.get("REDUB_S3_SSE", ""), environment.get("REDUB_S3_KMS_KEY", "")
    if kind not in ("", "AES256", "aws:kms", "aws:kms:dsse"):
        remedy = "set it to AES256, aws:kms or aws:kms:dsse, or unset it for the bucket's own default"
        raise BadInput(f"{kind!r} is no way of encrypting;", where="REDUB_S3_SSE", remedy=remedy)
    if key and not kind.startswith("aws:kms"):
        raise BadInput("a key is named but not used;", where="REDUB_S3_KMS_KEY", remedy="set REDUB_S3_SSE=aws:kms")
    asked = {"ServerSideEncryption": kind} if kind else {}
    return {**asked, "SSEKMSKeyId": key} if key else asked
