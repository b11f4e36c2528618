import errno
import os
from pathlib import Path

import pytest

from infra.files import published, require_writable
from infra.store import Store
from manifests.errors import NoSpace
from manifests.records import Blob


def put(store: Store, content: bytes, suffix: str = ".bin") -> Blob:
    with store.scratch() as folder:
        file = folder / f"x{suffix}"
        file.write_bytes(content)
        return store.put(file)


def test_a_blob_is_named_by_its_content(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert put(store, b"one") == put(store, b"one")
    assert put(store, b"one") != put(store, b"two")
    assert store.path(put(store, b"one")).read_bytes() == b"one"


def test_damage_is_seen(tmp_path: Path) -> None:
    store = Store(tmp_path)
    blob = put(store, b"precious")
    assert store.intact(blob)
    store.path(blob).write_bytes(b"pr3cious")
    assert not store.intact(blob)
    store.path(blob).unlink()
    assert not store.intact(blob)


def test_scratch_goes_even_when_the_work_fails(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(RuntimeError), store.scratch() as folder:
        (folder / "half").write_bytes(b"x")
        raise RuntimeError
    assert list((tmp_path / "scratch").iterdir()) == []


def test_what_a_killed_process_left_goes_after_days_not_before(tmp_path: Path) -> None:
    Store(tmp_path)
    old, new = tmp_path / "scratch" / "old", tmp_path / "scratch" / "new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "half").write_bytes(b"x")
    os.utime(old, (0, 0))
    Store(tmp_path)
    assert [path.name for path in (tmp_path / "scratch").iterdir()] == ["new"]


def test_what_is_published_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "new" / "file with 'quotes' و.txt"
    with pytest.raises(RuntimeError), published(target) as draft:
        draft.write_text("half")
        raise RuntimeError
    assert list(target.parent.iterdir()) == []
    with published(target) as draft:
        draft.write_text("whole")
        assert not target.exists()
    assert [path.read_text() for path in target.parent.iterdir()] == ["whole"]


def test_publishing_replaces_and_leaves_the_store_alone(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    blob = put(store, b"new")
    target = tmp_path / "out" / "a.bin"
    target.parent.mkdir()
    target.write_bytes(b"old")
    store.publish(blob, target)
    assert target.read_bytes() == b"new"
    target.unlink()
    assert store.intact(blob)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
def test_a_full_disk_is_told_in_words(tmp_path: Path, code: int) -> None:
    with pytest.raises(NoSpace, match="choose another folder"), published(tmp_path / "a"):
        raise OSError(code, os.strerror(code))


def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(NoSpace, match="a file stands where"):
        require_writable(tmp_path / "out")


def test_work_is_remembered_by_stage_and_key(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.remember("listen", "k1", "{}")
    assert store.recall("listen", "k1") == "{}"
    assert store.recall("listen", "k2") is None
    assert store.recall("speak", "k1") is None
    assert Store(tmp_path).recall("listen", "k1") == "{}"
