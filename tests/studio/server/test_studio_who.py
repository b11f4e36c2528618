"""Who may use a studio: nobody from elsewhere without a login, and nobody what is another's."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from studio_client import announced, client, logged_in, made, project, settings, tokens, uploaded

from manifests.errors import BadInput
from studio.sessions import owner_folder
from studio.settings import Limits, settings_of
from studio.tokens import digest, new_token, read_tokens


def asked(**values: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": 0,
        "names": (),
        "tokens": None,
        "proxy_variable": None,
        "allowed": (),
        "at_once": 1,
        "limits": Limits(),
        "environment": {},
    }
    return plain | values


EVERYWHERE = "0.0.0.0"  # noqa: S104 (what is refused)


@pytest.mark.parametrize("host", [EVERYWHERE, "::", "192.168.1.7", "studio.example.org"])
def test_it_does_not_start_for_everybody(host: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="anybody"):
        settings_of(**asked(host=host))
    given_ = settings_of(**asked(host=host, **tokens(tmp_path, "ada")))
    assert given_.login


def test_what_is_no_store_or_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="s3://"):
        settings_of(**asked(allowed=("/etc",)))
    with pytest.raises(BadInput, match=r"none\.txt"):
        settings_of(**asked(host=EVERYWHERE, tokens=tmp_path / "none.txt"))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.8.8"])
def test_on_this_machine_alone_nobody_logs_in(host: str) -> None:
    assert not settings_of(**asked(host=host)).login


def test_a_proxy_without_a_secret_is_no_login() -> None:
    with pytest.raises(BadInput, match="no secret"):
        settings_of(**asked(host=EVERYWHERE, proxy_variable="PROXY", environment={"PROXY": "short"}))
    secret = "x" * 32
    given_ = settings_of(**asked(host=EVERYWHERE, proxy_variable="PROXY", environment={"PROXY": secret}))
    assert given_.proxy_secret == secret


def test_a_token_is_made_and_never_kept(tmp_path: Path) -> None:
    token, line = new_token("ada")
    assert token not in line
    file = tmp_path / "tokens"
    file.write_text(f"# people\n\n{line}\n", encoding="utf-8")
    assert read_tokens(file) == {digest(token): "ada"}


@pytest.mark.parametrize(
    "text", ["", "ada", "ada:", f"a b:{'0' * 64}", f"../x:{'0' * 64}", f"local:{'0' * 64}", "ada:0123"]
)
def test_a_file_of_tokens_is_told_where_it_is_wrong(tmp_path: Path, text: str) -> None:
    file = tmp_path / "tokens"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput):
        read_tokens(file)


def test_without_a_login_there_is_only_the_way_in(tmp_path: Path) -> None:
    async def ask() -> None:
        found = made(settings(tmp_path, **tokens(tmp_path, "ada")))
        other = project(found.projects, "quick", owner="ada")
        async with client(found) as asks:
            assert (await asks.get("/api/session")).json() == {"user": None, "login": True, "needs_login": True}
            for path in ("/api/projects", "/api/offer", f"/api/projects/{other.id}", f"/media/{other.id}/source"):
                assert (await asks.get(path)).status_code == 401, path
            assert (await asks.post("/api/uploads", headers=announced(10))).status_code == 401

    asyncio.run(ask())


def test_a_session_is_a_cookie_that_no_script_and_no_other_site_sees(tmp_path: Path) -> None:
    async def ask() -> None:
        given_ = settings(tmp_path, **tokens(tmp_path, "ada", "bob"))
        found = made(given_)
        async with client(found) as asks:
            answer = await asks.post("/api/login", json={"token": "adaada"})
            cookie = answer.headers["set-cookie"].lower()
            assert "httponly" in cookie
            assert "samesite=strict" in cookie
            assert (await asks.get("/api/session")).json()["user"] == "ada"
            kept = (tmp_path / "sessions.json").read_text(encoding="utf-8")
            assert asks.cookies["redub_session"] not in kept, "who reads the file must not get in by it"
            again = client(made(given_))
            again.cookies = asks.cookies
            assert (await again.get("/api/projects")).status_code == 200, "a session outlives a restart"
            given_.tokens.write_text(f"bob:{digest('bobbob')}\n", encoding="utf-8")  # type: ignore[union-attr]
            assert (await asks.get("/api/projects")).status_code == 401, "whose token was taken away is out at once"

    asyncio.run(ask())


def test_logging_out_ends_the_session_itself(tmp_path: Path) -> None:
    async def ask() -> None:
        found = made(settings(tmp_path, **tokens(tmp_path, "ada")))
        asks = await logged_in(found, "ada")
        cookie = asks.cookies["redub_session"]
        assert (await asks.post("/api/logout")).status_code == 204
        thief = client(found, cookie=f"redub_session={cookie}")
        assert (await thief.get("/api/projects")).status_code == 401

    asyncio.run(ask())


def test_guessing_is_slow(tmp_path: Path) -> None:
    async def ask() -> None:
        found = made(settings(tmp_path, logins_per_minute=3, **tokens(tmp_path, "ada")))
        async with client(found) as asks:
            codes = [(await asks.post("/api/login", json={"token": f"guess{i}"})).status_code for i in range(5)]
            assert codes == [401, 401, 401, 429, 429]

    asyncio.run(ask())


def test_what_is_anothers_is_not_there(tmp_path: Path) -> None:
    async def ask() -> None:
        found = made(settings(tmp_path, **tokens(tmp_path, "ada", "bob")))
        ada, bob = await logged_in(found, "ada"), await logged_in(found, "bob")
        own = project(found.projects, "quick", owner="ada")
        upload = await uploaded(ada, b"\x89PNG\r\n\x1a\n" + bytes(600))
        assert [each["id"] for each in (await ada.get("/api/projects")).json()["projects"]] == [own.id]
        assert (await bob.get("/api/projects")).json() == {"projects": []}
        one = f"/api/projects/{own.id}"
        for method, path in [
            ("GET", one), ("DELETE", one), ("POST", f"{one}/start"), ("POST", f"{one}/cancel"),
            ("GET", f"{one}/events"), ("GET", f"{one}/lines?language=fr"), ("GET", f"{one}/waveform"),
            ("GET", f"/media/{own.id}/source"), ("HEAD", f"/api/uploads/{upload}"),
            ("DELETE", f"/api/uploads/{upload}"),
        ]:  # fmt: skip
            assert (await bob.request(method, path)).status_code == 404, path
        stolen = {"kind": "text", "source": {"upload": upload}, "text": "Bonjour", "to": ["fr"]}
        assert (await bob.post("/api/projects", json=stolen)).status_code == 404
        assert (await ada.get(f"/media/{own.id}/source")).content == b"0123456789"
        assert found.projects.now(own.id) is not None

    asyncio.run(ask())


def test_a_proxy_names_people_only_with_its_secret(tmp_path: Path) -> None:
    async def ask() -> None:
        found = made(settings(tmp_path, proxy_secret="s" * 32))
        for headers, code in [
            ({}, 401),
            ({"x-forwarded-user": "ada"}, 401),
            ({"x-forwarded-user": "ada", "x-redub-proxy-secret": "guess"}, 401),
            ({"x-redub-proxy-secret": "s" * 32}, 401),
            ({"x-forwarded-user": "../ada", "x-redub-proxy-secret": "s" * 32}, 401),
            ({"x-forwarded-user": "local", "x-redub-proxy-secret": "s" * 32}, 401),
            ({"x-forwarded-user": "ada", "x-redub-proxy-secret": "s" * 32}, 200),
        ]:
            async with client(found, **headers) as asks:
                assert (await asks.get("/api/projects")).status_code == code, headers
        twice = [("x-forwarded-user", "bob"), ("x-forwarded-user", "ada"), ("x-redub-proxy-secret", "s" * 32)]
        async with client(found) as asks:
            answer = await asks.get("/api/projects", headers=twice)
            assert answer.status_code == 401, "one of the names may be the browser's own"

    asyncio.run(ask())


@given(st.lists(st.text(min_size=1, max_size=64), min_size=2, max_size=2, unique=True))
def test_two_peoples_folders_are_two_and_no_paths(names: list[str]) -> None:
    folders = {owner_folder(name).casefold() for name in names}
    assert len(folders) == 2
    assert all(part.isascii() and part.replace("-", "").isalnum() for part in folders)
