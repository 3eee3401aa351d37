"""What a project without DATABASE_URL keeps in its .data folder beside the embedded Postgres."""

import os
from contextlib import suppress
from pathlib import Path

from django.core.management.utils import get_random_secret_key


def secret_key(folder: Path | None) -> str:
    """The key kept in `folder`, made on first use. Without a folder a new key a process, which no other process
    shares.
    """
    if folder is None:
        return get_random_secret_key()
    path = folder / "secret_key"
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = folder / f"secret_key.{os.getpid()}"
        draft.touch(0o600)
        draft.write_text(get_random_secret_key())
        with suppress(FileExistsError):  # another process was first: its key holds
            os.link(draft, path)
        draft.unlink()
    return path.read_text()
