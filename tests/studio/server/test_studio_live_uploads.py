"""Uploads over a real connection: cut, stalled, too slow, from two sides at once, and larger than memory likes."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from studio_client import PNG, announced, at, settings, standing, until

CONTENT = PNG + bytes(range(256)) * 4096


def ask(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"x-redub": "1"}, timeout=30)


def begin(url: str, place: str, length: int, sent: bytes) -> socket.socket:
    """A PATCH that announces `length` bytes and brings only some of them."""
    host, port = url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)))
    head = (
        f"PATCH {place} HTTP/1.1\r\nHost: {host}:{port}\r\nX-Redub: 1\r\nUpload-Offset: 0\r\n"
        f"Content-Type: application/offset+octet-stream\r\nContent-Length: {length}\r\n\r\n"
    )
    connection.sendall(head.encode() + sent)
    return connection


def stands_at(asks: httpx.Client, place: str) -> int:
    return int(asks.head(place).headers["upload-offset"])


def test_what_arrived_before_a_cut_stays(tmp_path: Path) -> None:
    with standing(settings(tmp_path)) as studio, ask(studio.url) as asks:
        place = asks.post("/api/uploads", headers=announced(len(CONTENT))).headers["location"]
        connection = begin(studio.url, place, len(CONTENT), CONTENT[:300_000])
        time.sleep(0.2)
        connection.close()
        until(lambda: stands_at(asks, place) == 300_000)
        rest = asks.patch(place, headers=at(300_000), content=CONTENT[300_000:])
        assert rest.headers["upload-offset"] == str(len(CONTENT))
        (data,) = tmp_path.rglob("data")
        assert data.read_bytes() == CONTENT


def test_an_upload_that_stalls_is_let_go_with_what_it_brought(tmp_path: Path) -> None:
    with standing(settings(tmp_path, stall_s=0.5)) as studio, ask(studio.url) as asks:
        place = asks.post("/api/uploads", headers=announced(len(CONTENT))).headers["location"]
        with begin(studio.url, place, len(CONTENT), CONTENT[:5000]) as connection:
            connection.settimeout(20)
            assert b" 408 " in connection.recv(100)
        assert stands_at(asks, place) == 5000


def test_one_that_drips_is_let_go_too(tmp_path: Path) -> None:
    with standing(settings(tmp_path, stall_s=0.4, stall_bytes=10_000)) as studio, ask(studio.url) as asks:
        place = asks.post("/api/uploads", headers=announced(len(CONTENT))).headers["location"]
        with begin(studio.url, place, len(CONTENT), CONTENT[:1000]) as connection:
            connection.settimeout(0.05)
            answer = b""
            for _ in range(200):
                try:
                    connection.sendall(b".")
                    answer += connection.recv(100)
                except TimeoutError:
                    continue
                except OSError:
                    break
                if answer:
                    break
        assert b" 408 " in answer


def test_a_second_connection_takes_over_from_one_that_hangs(tmp_path: Path) -> None:
    with standing(settings(tmp_path)) as studio, ask(studio.url) as asks:
        place = asks.post("/api/uploads", headers=announced(len(CONTENT))).headers["location"]
        with begin(studio.url, place, len(CONTENT), CONTENT[: 1 << 20]) as hangs:
            until(lambda: stands_at(asks, place) > 0)
            offset = stands_at(asks, place)
            assert asks.patch(place, headers=at(offset), content=CONTENT[offset:]).status_code == 204
            hangs.settimeout(20)
            hangs.sendall(CONTENT[1 << 20 :])
            assert b" 204 " not in hangs.recv(100)
        (data,) = tmp_path.rglob("data")
        assert data.read_bytes() == CONTENT


def test_a_header_that_never_ends_is_cut(tmp_path: Path) -> None:
    with standing(settings(tmp_path, header_s=0.4)) as studio:
        host, port = studio.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.settimeout(20)
            connection.sendall(b"GET /api/session HTTP/1.1\r\nX-Slow: ")
            assert connection.recv(100) == b""


def test_a_body_of_json_is_short_and_quick(tmp_path: Path) -> None:
    with standing(settings(tmp_path, body_s=0.4, body_bytes=1000)) as studio, ask(studio.url) as asks:
        assert asks.post("/api/projects", json={"title": "x" * 2000}).status_code == 413
        assert asks.post("/api/projects", content=b"{}", headers={"content-type": "text/plain"}).status_code == 415
        deep = b'{"a":' + b"[" * 900
        assert asks.post("/api/projects", content=deep, headers={"content-type": "application/json"}).status_code == 400

        def drips() -> Iterator[bytes]:
            for _ in range(20):
                yield b" "
                time.sleep(0.05)

        headers = {"content-type": "application/json"}
        with suppress(httpx.WriteError):  # it was cut while it dripped on
            assert asks.post("/api/projects", content=drips(), headers=headers).status_code == 408


def test_the_page_answers_while_a_large_file_comes_in(tmp_path: Path) -> None:
    with standing(settings(tmp_path)) as studio, ask(studio.url) as asks, ask(studio.url) as other:
        size = 48 << 20
        place = asks.post("/api/uploads", headers=announced(size)).headers["location"]

        def pieces() -> Iterator[bytes]:
            yield PNG + bytes(1016)
            for _ in range(size // (1 << 20) - 1):
                yield bytes(1 << 20)
            yield bytes((1 << 20) - 1024)

        done: list[int] = []
        headers = {**at(0), "content-length": str(size)}
        thread = threading.Thread(
            target=lambda: done.append(asks.patch(place, headers=headers, content=pieces()).status_code)
        )
        thread.start()
        answered = 0
        while thread.is_alive():
            assert other.get("/api/session").status_code == 200
            answered += 1
            time.sleep(0.01)
        assert done == [204]
        assert answered > 1


@pytest.mark.slow
def test_two_gigabytes_take_no_memory(tmp_path: Path) -> None:
    """A server in a process of its own, whose highest resident memory is read from the kernel."""
    import subprocess
    import sys

    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "standing_studio.py"), str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()

        def high_mb() -> float:
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
            return int(status.partition("VmHWM:")[2].split()[0]) / 1000

        with ask(url) as asks:
            size = 2_000_000_000
            place = asks.post("/api/uploads", headers=announced(size)).headers["location"]
            first = PNG + bytes((8 << 20) - len(PNG))
            asks.patch(place, headers=at(0), content=first)
            before = high_mb()
            offset, block = len(first), bytes(1 << 20)
            while offset < size:
                end = min(size, offset + (500 << 20))

                def pieces(start: int = offset, end: int = end) -> Iterator[bytes]:
                    while start < end:
                        yield block[: end - start]
                        start += len(block)

                headers = {**at(offset), "content-length": str(end - offset)}
                assert asks.patch(place, headers=headers, content=pieces()).status_code == 204
                offset = end
            assert high_mb() - before < 40
    finally:
        process.terminate()
        process.wait(30)
