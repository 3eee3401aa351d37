"""`manage.py train` with what texts need: a network of the hub, a CoNLL file."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from experiments.models import ModelVersion
from tests.outside import judge

pytestmark = pytest.mark.django_db


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("train", *arguments, verbosity=0, stdout=out, stderr=out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["summary", "--model", "x"], "--model is for an --algorithm that takes it; those are: hub."),
        (["entities", "--conll", "x"], "--conll is for an --algorithm that takes it; those are: minilm."),
        (["image", "--model", "x"], "--model is for an --algorithm that takes it; image has none."),
        (["entities", "--algorithm", "hub"], "--model dbmdz/bert-large-cased-finetuned-conll03-english"),
        (["entities", "--algorithm", "minilm", "--conll", "no.conll"], "no.conll"),
    ],
)
def test_options_that_do_not_fit_are_refused(arguments: list[str], says: str) -> None:
    with pytest.raises(CommandError) as caught:
        said(*arguments)
    assert says in str(caught.value)
    assert not ModelVersion.objects.exists()


def test_a_network_in_a_folder_becomes_a_version(tmp_path: Path, live: object) -> None:
    from tests import shop

    for number in range(10):
        shop.review(shop.product(), shop.GOOD if number % 2 else shop.BAD, rating=5.0 if number % 2 else 1.0)
    assert "sentiment 1 (hub): " in said("sentiment", "--algorithm", "hub", "--model", str(judge()))
    assert ModelVersion.objects.get().params == {"model": str(judge())}
