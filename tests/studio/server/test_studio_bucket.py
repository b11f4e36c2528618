"""A lecture that lies in a store: named by its address below what is allowed, brought when its turn comes."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from s3_server import running_s3
from studio_client import bucket, client, made, settings
from studio_media import make_lecture

from studio import events
from studio.answers import Refused
from studio.bringing import bring
from studio.settings import Limits


@pytest.mark.slow
def test_a_lecture_is_brought_from_a_bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lecture = make_lecture(tmp_path / "lecture.mp4").read_bytes()
    with running_s3(tmp_path / "s3") as store:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        for name, value in store.environment().items():
            monkeypatch.setenv(name, value)
        store.make_bucket("lectures")
        for key, body in (
            ("incoming/Lecture 1.mp4", lecture),
            ("private/a.mp4", lecture),
            ("incoming/a.mp4", b"no" * 900),
        ):
            store.client().put_object(Bucket="lectures", Key=key, Body=body)
        found = made(settings(tmp_path / "studio", allowed=(bucket("s3://lectures/incoming/"),)))

        async def ask() -> None:
            async with client(found) as asks:
                for key, status in [("private/a.mp4", 403), ("incoming/none.mp4", 422), ("incoming/a.mp4", 422)]:
                    order = {"kind": "dub", "source": {"uri": f"s3://lectures/{key}"}, "to": ["fr"]}
                    answer = await asks.post("/api/projects", json=order)
                    assert answer.status_code == status, answer.text
                order = {"kind": "dub", "source": {"uri": "s3://lectures/incoming/Lecture 1.mp4"}, "to": ["fr"]}
                answer = await asks.post("/api/projects", json=order)
                assert answer.status_code == 201, answer.text
                shown = (await asks.get("/api/projects")).json()["projects"][0]
                assert shown["source"]["name"] == "Lecture 1.mp4"
                assert shown["source"]["duration_s"] == pytest.approx(2.0, abs=0.05)
                assert shown["estimate"]["seconds"] > 0

        asyncio.run(ask())
        (project,) = found.projects.all()
        folder = found.projects.place(project)
        with pytest.raises(Refused, match="lasts more"):
            bring(project, folder, Limits(duration_s=1))
        brought = bring(project, folder, Limits())
        assert (folder / brought.source.file).read_bytes() == lecture
        assert brought.source.width == 320
        assert [each.kind for each in events.every(folder)][-1] == "brought"
        assert not list((folder / "upload").glob(".*")), "nothing of the way is left"
    assert bring(brought, folder, Limits()) == brought, "it is not brought again"
