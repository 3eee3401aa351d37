"""A model's files: stored through the `models` storage with a manifest, verified before anything loads them.

`store` puts a folder into the storage; `fetch` gives back a local folder whose every file has the sha256 that the
manifest says, copied from the storage once a machine and checked again each time it is asked for.
"""

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage, storages

from experiments.errors import ModelUnavailable

Manifest = dict[str, dict[str, Any]]


class DurableStorage(FileSystemStorage):
    """A folder whose files are either whole and on disk or not there: written beside, fsynced, renamed."""

    def _save(self, name: str, content: File) -> str:
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as draft:
            shutil.copyfileobj(content, draft)
            draft.flush()
            os.fsync(draft.fileno())
        Path(draft.name).replace(path)
        _sync_folder(path.parent)
        return name


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def manifest_of(folder: Path) -> Manifest:
    """Every file below `folder` with its sha256 and its size in bytes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): {
            "sha256": hashlib.file_digest(path.open("rb"), "sha256").hexdigest(),
            "bytes": path.stat().st_size,
        }
        for path in files
    }


def digest_of(manifest: Manifest) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def store(folder: Path, name: str) -> Manifest:
    """Put the files of `folder` under `name`. The manifest goes last, so a name without one is unfinished."""
    manifest = manifest_of(folder)
    for file in manifest:
        with (folder / file).open("rb") as content:
            storages["models"].save(f"{name}/{file}", File(content))
    with tempfile.NamedTemporaryFile() as listing:
        listing.write(json.dumps(manifest, indent=1).encode())
        listing.seek(0)
        storages["models"].save(f"{name}/manifest.json", File(listing))
    return manifest


def fetch(name: str, manifest: Manifest) -> Path:
    """A verified local folder with the files. Raises ModelUnavailable when a file is missing or is not what was
    stored.
    """
    folder = settings.DATA_DIR / "cache" / digest_of(manifest)
    if not folder.exists():
        _copy(name, manifest, folder)
    if manifest_of(folder) == manifest:
        return folder
    shutil.rmtree(folder, ignore_errors=True)  # a damaged copy: once more from the storage
    _copy(name, manifest, folder)
    return folder


def _copy(name: str, manifest: Manifest, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as draft:
        for file in manifest:
            target = Path(draft) / "files" / file
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with storages["models"].open(f"{name}/{file}") as source, target.open("wb") as copy:
                    shutil.copyfileobj(source, copy)
            except FileNotFoundError:
                raise ModelUnavailable(f"The model's file {name}/{file} is missing.") from None
        wrong = [file for file, said in manifest_of(Path(draft) / "files").items() if said != manifest[file]]
        if wrong:
            raise ModelUnavailable(f"The model's file {name}/{wrong[0]} is not what was stored: its sha256 differs.")
        try:
            (Path(draft) / "files").rename(folder)
        except OSError:
            if not folder.exists():  # else another process was first
                raise
