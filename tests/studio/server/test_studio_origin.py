"""Requests of other sites, names that are made to point here, and what answers allow a browser to do."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from studio_client import HOST, client, made, settings

from studio.origin import refused_origin

NAMES = frozenset({"localhost", "127.0.0.1", "[::1]", "studio.example.org"})


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8790", "127.0.0.1:8790", "[::1]:8790", "Studio.Example.org", "studio.example.org:443"],
)
def test_own_names_are_taken(host: str) -> None:
    assert refused_origin("GET", "/", {"host": host}, NAMES) is None


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:8790",
        "localhost.evil.example",
        "127.0.0.1.nip.example",
        "user@localhost",
        "localhost:port",
        "localhost/evil",
        "[::1",
        "studio.example.org.",
    ],
)
def test_a_name_that_another_site_points_here_is_refused(host: str) -> None:
    refused = refused_origin("GET", "/", {"host": host}, NAMES)
    assert refused is not None
    assert refused.status == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("headers", "fits"),
    [
        ({"x-redub": "1"}, True),
        ({"x-redub": "1", "sec-fetch-site": "same-origin"}, True),
        ({"x-redub": "1", "origin": "http://localhost:8790"}, True),
        ({"x-redub": "1", "origin": "https://localhost:8790"}, True),
        ({}, False),
        ({"sec-fetch-site": "same-origin"}, False),
        ({"x-redub": "1", "sec-fetch-site": "cross-site"}, False),
        ({"x-redub": "1", "sec-fetch-site": "same-site"}, False),
        ({"x-redub": "1", "origin": "http://evil.example"}, False),
        ({"x-redub": "1", "origin": "http://localhost:9999"}, False),
        ({"x-redub": "1", "origin": "null"}, False),
    ],
    ids=[
        "mark", "same-origin", "own-origin", "own-origin-tls", "plain-form", "form-of-own", "cross-site", "same-site",
        "other-origin", "other-port", "null-origin",
    ],
)  # fmt: skip
def test_what_changes_something_comes_from_the_page_itself(method: str, headers: dict[str, str], fits: bool) -> None:
    refused = refused_origin(method, "/api/projects", {"host": "localhost:8790", **headers}, NAMES)
    assert (refused is None) is fits


@pytest.mark.parametrize(
    ("path", "fits"),
    [("/", True), ("/login", True), ("/assets/app.js", True), ("/api/offer", False), ("/media/x/y", False)],
)
def test_other_sites_may_link_to_the_page_and_use_nothing_of_it(path: str, fits: bool) -> None:
    headers = {"host": "localhost:8790", "sec-fetch-site": "cross-site"}
    assert (refused_origin("GET", path, headers, NAMES) is None) is fits


def test_every_answer_says_what_a_browser_may_do_with_it(tmp_path: Path) -> None:
    async def ask() -> None:
        async with client(made(settings(tmp_path))) as asks:
            for path in ("/api/session", "/api/projects", "/no/such/thing"):
                answer = await asks.get(path)
                assert answer.headers["x-content-type-options"] == "nosniff"
                assert answer.headers["cross-origin-resource-policy"] == "same-origin"
                policy = answer.headers["content-security-policy"]
                assert "default-src 'none'" in policy
                assert "unsafe" not in policy
                assert "http" not in policy, "nothing may come from another host"

    asyncio.run(ask())


def test_a_refused_request_changes_nothing(tmp_path: Path) -> None:
    async def ask() -> None:
        found = made(settings(tmp_path))
        async with client(found) as asks:
            headers = {"upload-length": "10", "origin": "http://evil.example"}
            assert (await asks.post("/api/uploads", headers=headers)).status_code == 403
            headers = {"upload-length": "10", "host": "evil.example"}
            assert (await asks.post("/api/uploads", headers=headers)).status_code == 403
            assert not list(tmp_path.rglob("upload.json"))
            assert (await asks.post("/api/uploads", headers={"upload-length": "10", "host": HOST})).status_code == 201

    asyncio.run(ask())
