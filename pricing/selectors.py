"""What this room reads: the places that the live version of price knows, and its edition for browsers.

What a version has for browsers never changes, so it is read once a process: whoever asks again costs no query and no
file.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from experiments import serving
from experiments.artifacts import fetch
from experiments.errors import NotFound
from experiments.models import ModelVersion
from pricing.ml.browser import BROWSER, FACTS, MODEL
from pricing.ml.price import PRICE

REMEMBERED = 4  # versions of a few hundred KB: the live one, and those that open pages still ask for
TOPOLOGY = f"{BROWSER}/{MODEL}"


class Places(NamedTuple):
    """The locations that a version knows, in their order, with its numbers of them."""

    version: int
    known: Mapping[str, int]


def places() -> Places:
    """Of the live version, from memory. Raises ModelUnavailable where there is none."""
    live = serving.live(PRICE.name)
    model: Any = live.predictor  # prices have `places` beside the protocol
    return Places(live.version, model.places)


def browser_edition() -> dict[str, Any]:
    """What there is to know of the live version's edition: `version`, `model`, `sha256` (of its model.json, which names
    its weights by their digest), `bytes` to download, and what was written of it when it was made. Raises NotFound
    where it has none, ModelUnavailable where there is no live version.
    """
    live = serving.live(PRICE.name)
    return _edition(live.version, live.digest)


@lru_cache(REMEMBERED)
def _edition(version: int, digest: str) -> dict[str, Any]:
    row = ModelVersion.objects.get(task=PRICE.name, version=version, digest=digest)
    if TOPOLOGY not in row.manifest:
        raise NotFound(
            f"price {version} was made by {row.algorithm}, which does not run in a browser."
            " A live version of the algorithm network would."
        )
    return {
        "version": version,
        "model": row.algorithm,
        "sha256": row.manifest[TOPOLOGY]["sha256"],
        "bytes": sum(row.manifest[f"{BROWSER}/{name}"]["bytes"] for name in _downloads(row)),
        **json.loads((fetch(row.artifact, row.manifest) / BROWSER / FACTS).read_bytes()),
    }


@lru_cache(REMEMBERED)
def browser_files(sha256: str) -> Mapping[str, bytes]:
    """The files of the edition whose model.json has this digest, live or not. Raises NotFound where there is none,
    ModelUnavailable where they cannot be read as they were stored.
    """
    row = ModelVersion.objects.filter(task=PRICE.name, manifest__contains={TOPOLOGY: {"sha256": sha256}}).first()
    if not row:
        raise NotFound("No version of price has a model of this digest.")
    folder = fetch(row.artifact, row.manifest) / BROWSER
    return {name: (folder / name).read_bytes() for name in _downloads(row)}


def _downloads(row: ModelVersion) -> list[str]:
    names = [path.removeprefix(f"{BROWSER}/") for path in row.manifest if path.startswith(f"{BROWSER}/")]
    return [name for name in names if name != FACTS]
