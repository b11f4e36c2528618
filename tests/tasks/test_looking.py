"""Who speaks, of two real men in one picture, is told from the sound."""

from __future__ import annotations

from pathlib import Path

import pytest
from grid_clips import ONE, OTHER, side_by_side, sound_of, with_grid

from infra.media.probe import probe
from infra.store import Store
from manifests.records import Chunk, Shot, Utterance, Word
from tasks import faces, looking
from tasks.arrays import get_arrays
from tasks.engines import face_weights
from tasks.faces import FaceSettings
from tasks.journal import Journal
from tasks.lips import LipSettings
from tasks.pool import InProcessPool

pytestmark = with_grid

FRAMES = 50


@pytest.mark.parametrize(("sound", "on_the"), [pytest.param(ONE, "left", marks=pytest.mark.slow), (OTHER, "right")])
def test_the_face_whose_mouth_fits_the_voice_speaks(sound: Path, on_the: str, tmp_path: Path) -> None:
    heard = sound_of(sound, tmp_path / "sound.wav", FRAMES / 25)
    video = probe(side_by_side(ONE, OTHER, FRAMES, tmp_path / "both.mp4", heard))
    store = Store(tmp_path / "store")
    pool = InProcessPool(store, Journal())
    chunk = Chunk(id="chunk", video_id=video.id, index=0, span=video.span)
    shot = Shot(id="shot", video_id=video.id, index=0, span=video.span)
    settings = FaceSettings()
    work = faces.work_for(video, [chunk], [shot], settings, face_weights(settings))
    (found,) = pool.submit(faces.FACES, work, [chunk.span]).values()
    # One man twice: each face is given a name of its own.
    tracks = [track for track in found if track.median_height_px > 64]
    assert len(tracks) == 2
    utterance = Utterance(
        id="utterance",
        chunk_id=chunk.id,
        span=video.span,
        text="bin blue",
        words=(Word(text="bin", span=video.span, confidence=1.0),),
        language="en",
    )
    seen = looking.look(video, 0, [chunk], tracks, [[utterance]], LipSettings(), pool)
    assert {mesh.track_id for mesh in seen.meshes} == {track.id for track in tracks}
    (speaking,) = seen.speaking
    assert speaking.agreement > 0.5
    (mesh,) = [mesh for mesh in seen.meshes if mesh.track_id == speaking.track_id]
    x = get_arrays(store, mesh.meshes)["points"][:, :, 0].mean()
    assert ("left" if x < video.width / 2 else "right") == on_the
    (library,) = seen.libraries
    assert library.identity == speaking.track_id, "nobody else needs a library"
    silent = looking.look(video, 0, [chunk], tracks, [[]], LipSettings(), pool)
    assert (silent.speaking, silent.libraries) == ((), ())
