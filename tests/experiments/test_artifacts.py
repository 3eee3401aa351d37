"""A model's files: what is loaded is what was stored, or nothing."""

import errno
import hashlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage, storages

from experiments.artifacts import DurableStorage, Manifest, digest_of, fetch, store
from experiments.errors import ModelUnavailable
from tests.concurrency import at_once
from tests.processes import environment

FETCH = """
import json, sys, django
django.setup()
from experiments.artifacts import fetch
print(fetch(*json.loads(sys.argv[1])))
"""


@pytest.fixture
def stored(tmp_path: Path, request: pytest.FixtureRequest) -> tuple[str, Manifest]:
    """The name and manifest of a model of three files, one of them in a folder."""
    folder = tmp_path / "model"
    (folder / "weights").mkdir(parents=True)
    (folder / "params.json").write_text('{"a": 1}')
    (folder / "weights" / "first.npy").write_bytes(request.node.name.encode() * 5_000)
    (folder / "empty.txt").touch()
    name = f"test/{request.node.name}"
    return name, store(folder, name)


def original(name: str, file: str) -> Path:
    return Path(storages["models"].path(f"{name}/{file}"))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_fetched_is_what_was_stored(stored: tuple[str, Manifest], tmp_path: Path) -> None:
    assert contents(fetch(*stored)) == contents(tmp_path / "model")


def test_the_manifest_lies_beside_the_files(stored: tuple[str, Manifest]) -> None:
    name, manifest = stored
    assert json.loads(original(name, "manifest.json").read_text()) == manifest
    assert set(manifest) == {"params.json", "weights/first.npy", "empty.txt"}
    assert manifest["params.json"] == {"sha256": hashlib.sha256(b'{"a": 1}').hexdigest(), "bytes": 8}


def test_a_changed_byte_is_noticed(stored: tuple[str, Manifest]) -> None:
    name, _ = stored
    path = original(name, "weights/first.npy")
    data = bytearray(path.read_bytes())
    data[1234] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelUnavailable, match=r"weights/first\.npy is not what was stored: its sha256 differs"):
        fetch(*stored)
    assert not (settings.DATA_DIR / "cache" / digest_of(stored[1])).exists()


def test_a_missing_file_is_named(stored: tuple[str, Manifest]) -> None:
    original(stored[0], "params.json").unlink()
    with pytest.raises(ModelUnavailable, match=r"params\.json is missing"):
        fetch(*stored)


@pytest.mark.parametrize("damage", ["changed", "cut short", "missing", "one more"])
def test_a_damaged_local_copy_is_fetched_again(stored: tuple[str, Manifest], tmp_path: Path, damage: str) -> None:
    file = fetch(*stored) / "weights" / "first.npy"
    match damage:
        case "changed":
            file.write_bytes(b"?" + file.read_bytes()[1:])
        case "cut short":
            file.write_bytes(file.read_bytes()[:-1])
        case "missing":
            file.unlink()
        case "one more":
            file.with_name("second.npy").touch()
    assert contents(fetch(*stored)) == contents(tmp_path / "model")


def test_a_sound_local_copy_needs_no_storage(stored: tuple[str, Manifest]) -> None:
    folder = fetch(*stored)
    for file in stored[1]:
        original(stored[0], file).unlink()
    assert fetch(*stored) == folder


def test_a_model_without_files_is_a_model(tmp_path: Path) -> None:
    manifest = store(tmp_path, "test/empty")
    assert contents(fetch("test/empty", manifest)) == {}


def test_a_name_that_is_taken_is_refused(stored: tuple[str, Manifest], tmp_path: Path) -> None:
    with pytest.raises(FileExistsError, match="was in the storage already"):
        store(tmp_path / "model", stored[0])
    assert contents(fetch(*stored)) == contents(tmp_path / "model")


def test_any_storage_will_do(settings: object, tmp_path: Path) -> None:
    settings.STORAGES = {
        **settings.STORAGES, "models": {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    }  # fmt: skip
    assert isinstance(storages["models"], InMemoryStorage)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "params.json").write_text("{}")
    manifest = store(tmp_path / "model", "test/remote")
    assert contents(fetch("test/remote", manifest)) == {"params.json": b"{}"}
    with storages["models"].open("test/remote/params.json", "wb") as file:
        file.write(b"[]")
    (fetch("test/remote", manifest) / "params.json").unlink()
    with pytest.raises(ModelUnavailable, match="its sha256 differs"):
        fetch("test/remote", manifest)
    storages["models"].delete("test/remote/params.json")
    with pytest.raises(ModelUnavailable, match="is missing"):
        fetch("test/remote", manifest)


def test_threads_that_fetch_and_repair_at_once_all_get_a_sound_copy(
    stored: tuple[str, Manifest], tmp_path: Path
) -> None:
    for _ in range(5):
        (fetch(*stored) / "params.json").write_text("damaged")
        found = at_once(*[lambda: contents(fetch(*stored))] * 8)
        assert found == [contents(tmp_path / "model")] * 8


@pytest.mark.django_db
def test_processes_that_fetch_at_once_share_one_sound_copy(stored: tuple[str, Manifest], tmp_path: Path) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", FETCH, json.dumps(stored)], env=environment(), cwd=settings.BASE_DIR,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]  # fmt: skip
    said = [process.communicate(timeout=60) for process in processes]
    assert [errors for _, errors in said] == ["", ""]
    [folder] = {out.strip() for out, _ in said}
    assert contents(Path(folder)) == contents(tmp_path / "model")


class BreaksOff(io.BytesIO):
    """A source that fails after its first block."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell():
            raise OSError(errno.EIO, "Input/output error")
        return super().read(10)


def test_a_write_that_breaks_off_leaves_no_half_file(tmp_path: Path) -> None:
    storage = DurableStorage(location=tmp_path)
    with pytest.raises(OSError, match="Input/output error"):
        storage.save("a/b/weights.npy", File(BreaksOff(b"x" * 100)))
    assert contents(tmp_path) == {}
    assert list((tmp_path / "a" / "b").iterdir()) == []
    assert storage.save("a/b/weights.npy", ContentFile(b"whole")) == "a/b/weights.npy"
    assert contents(tmp_path) == {"a/b/weights.npy": b"whole"}


def test_a_write_is_on_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a" / "weights.npy"
    synced: list[tuple[int, bool]] = []
    monkeypatch.setattr("os.fsync", lambda handle: synced.append((os.fstat(handle).st_ino, target.exists())))
    DurableStorage(location=tmp_path).save("a/weights.npy", ContentFile(b"whole"))
    paths = [target, target.parent, tmp_path]
    assert synced == [(path.stat().st_ino, path != target) for path in paths]
