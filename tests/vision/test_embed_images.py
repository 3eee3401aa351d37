"""`manage.py embed_images`: all pictures, in batches, to be stopped and started at will."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from experiments.models import ModelVersion
from tests.vision.conftest import BLUE, Tint, Version, pictured
from vision.management.commands import embed_images
from vision.models import ImageEmbedding, Searched


def run(**options: Any) -> str:
    said = StringIO()
    call_command("embed_images", stdout=said, **{"verbosity": 0, **options})
    return said.getvalue()


@pytest.fixture
def walls(online: Version) -> ModelVersion:
    row = online("image_embedding")
    for number in range(5):
        pictured(f"wall {number}")
    return row


def test_it_fills_all_and_says_what_it_did(walls: ModelVersion) -> None:
    assert run().splitlines() == [
        "image_embedding 1 (scripted): 5 pictures have a vector now, 0 had one or were tried before.",
        "Pictures are searched with image_embedding 1 (scripted) from now on.",
    ]
    assert ImageEmbedding.objects.count() == 5


def test_a_second_run_does_nothing(walls: ModelVersion) -> None:
    run()
    before = list(ImageEmbedding.objects.order_by("id").values("id", "made_at"))
    assert run() == "image_embedding 1 (scripted): 0 pictures have a vector now, 5 had one or were tried before.\n"
    assert list(ImageEmbedding.objects.order_by("id").values("id", "made_at")) == before


def test_what_cannot_be_read_is_counted_and_looked_at_again_when_asked(walls: ModelVersion) -> None:
    pictured("broken", data=b"no picture")
    assert "5 pictures have a vector now, 0 had one or were tried before, 1 cannot be read." in run()
    assert "0 pictures have a vector now, 6 had one or were tried before." in run()
    assert "0 pictures have a vector now, 5 had one or were tried before, 1 cannot be read." in run(retry=True)


def test_stopped_by_the_keyboard_it_keeps_what_it_made(walls: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embed_images, "BATCH", 2)
    calls: list[int] = []

    def stop(batch: Any) -> None:
        calls.append(len(batch))
        if len(calls) == 3:  # the first is the warm-up
            raise KeyboardInterrupt

    monkeypatch.setattr(Tint, "before", staticmethod(stop))
    with pytest.raises(CommandError, match=r"What was made is kept"):
        run()
    assert ImageEmbedding.objects.count() == 2
    assert "3 pictures have a vector now, 2 had one" in run()


def test_a_version_may_be_prepared_before_it_goes_live(walls: ModelVersion, scripted: Version) -> None:
    run()
    scripted("image_embedding", turn=3)
    assert "image_embedding 2 (scripted): 5 pictures" in run(version_number=2)
    assert Searched.objects.get().version == walls
    assert set(ImageEmbedding.objects.values_list("version", flat=True)) == {1, 2}


def test_an_empty_shop_is_no_error(online: Version) -> None:
    online("image_embedding")
    assert "0 pictures have a vector now" in run()


def test_without_a_live_version_or_with_an_unknown_one_it_says_so(db: None, scripted: Version) -> None:
    pictured("blue", BLUE)
    with pytest.raises(CommandError, match="no live version"):
        run()
    with pytest.raises(CommandError, match="no version 7"):
        run(version_number=7)


def test_the_bar_goes_to_the_end(walls: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[tuple[int, int, str]] = []
    monkeypatch.setattr(embed_images, "BATCH", 2)
    monkeypatch.setattr(embed_images.Bar, "__call__", lambda self, *step: steps.append(step))
    run()
    assert steps == [(2, 5, "pictures"), (4, 5, "pictures"), (5, 5, "pictures")]
