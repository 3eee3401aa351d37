"""`manage.py embed_images` as a real process that is killed in the middle of its work."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from experiments.registry import version_promote
from tests.processes import MANAGE, manage, started
from tests.vision.conftest import Version, pictured
from vision.models import ImageEmbedding, Searched
from vision.tasks import BATCH

PICTURES = 12 * BATCH


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_what_a_killed_process_made_is_kept_and_the_next_one_makes_the_rest(
    fitted: Callable[..., Any], candidate: Version
) -> None:
    row = candidate("image_embedding", fitted("image_embedding"), algorithm="efficientnet_lite0")
    version_promote(task="image_embedding", version=row.version)
    for number in range(PICTURES):
        pictured(f"wall {number}", (number, 10, 10))
    with started(str(MANAGE), "embed_images") as process:
        end = time.monotonic() + 60
        while not (made := ImageEmbedding.objects.count()) and time.monotonic() < end:
            time.sleep(0.01)
        process.kill()
        process.wait()
    before = dict(ImageEmbedding.objects.values_list("product", "made_at"))
    assert made
    assert len(before) < PICTURES
    assert len(before) % BATCH == 0, "a batch is in the table as a whole or not at all"
    assert not Searched.objects.exists(), "half of the vectors are nothing to search"

    after = manage("embed_images")
    assert after.returncode == 0, after.stderr
    assert f"{PICTURES - len(before)} pictures have a vector now, {len(before)} had one" in after.stdout
    assert dict(ImageEmbedding.objects.filter(product__in=before).values_list("product", "made_at")) == before
    assert ImageEmbedding.objects.exclude(vector=None).count() == PICTURES
    assert Searched.objects.get().version == row
