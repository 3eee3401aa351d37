"""`manage.py train image --weights FILE` and `manage.py train category --folder DIR`."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from experiments import serving
from experiments.mltask import Image
from experiments.models import ModelVersion
from tests import outside
from tests.vision.conftest import BLUE, GREEN, RED, Version, picture
from vision.ml.category import CATEGORY, CategoryInput
from vision.ml.embedding import EmbeddingInput

pytestmark = pytest.mark.django_db


def said(*arguments: str) -> tuple[str, str]:
    out, errors = StringIO(), StringIO()
    call_command("train", *arguments, stdout=out, stderr=errors, no_color=True, verbosity=0)
    return out.getvalue(), errors.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten shades of each of three colours."""
    for name, colour in {"red": RED, "green": GREEN, "blue": BLUE}.items():
        (tmp_path / name).mkdir()
        for shade in range(10):
            dimmed = tuple(part - 4 * shade if part > 100 else part for part in colour)
            (tmp_path / name / f"{shade}.png").write_bytes(picture(dimmed))
    return tmp_path


def test_weights_from_a_file_make_a_version() -> None:
    given = outside.parameters("image", "mobilenet_v2")
    weights = ["--algorithm", "mobilenet_v2", "--weights", given["weights"]]
    out, _ = said("image", *weights, "--param", "alpha=0.35")
    assert out.startswith("image 1 (mobilenet_v2): made in ")
    assert ModelVersion.objects.get().params == given


def test_a_folder_of_pictures_is_learned_from_with_the_live_embedding(folder: Path, online: Version) -> None:
    embedding = online("image_embedding")
    out, errors = said("category", "--folder", str(folder), "--promote")
    assert out.startswith("category 1 (logistic): trained on 24 rows in ")
    assert "on 6 held-out rows: accuracy 1.0000, macro_f1 1.0000\n" in out
    assert errors == ""
    row = ModelVersion.objects.get(task="category")
    assert row.data == {"fit": 24, "validation": 0, "test": 6, "sources": []}
    serving.refresh()
    model = serving.live(CATEGORY.name).predictor
    assert model.embedding == embedding.digest
    assert sorted(model.categories) == ["blue", "green", "red"]


def test_copies_of_a_picture_are_not_both_learned_from_and_measured_on(folder: Path, online: Version) -> None:
    online("image_embedding")
    for path in list(folder.glob("*/*.png")):
        path.with_name(f"copy of {path.name}").write_bytes(path.read_bytes())
    said("category", "--folder", str(folder))
    assert ModelVersion.objects.get(task="category").data["test"] == 12  # both copies of two pictures a category


def test_what_is_no_picture_is_left_out_and_said(folder: Path, online: Version) -> None:
    online("image_embedding")
    (folder / "red" / "notes.txt").write_text("not a picture")
    (folder / "red" / "large.png").write_bytes(b"\0" * 8_000_001)
    (folder / "red" / ".DS_Store").write_text("nobody's")
    (folder / ".git").mkdir()
    (folder / "readme.md").write_text("beside")
    _, errors = said("category", "--folder", str(folder))
    assert "notes.txt is left out. Expected a picture" in errors
    assert "large.png is left out. Expected a picture of at most 8,000,000 bytes" in errors
    assert len(errors.splitlines()) == 2
    assert ModelVersion.objects.get(task="category").data["fit"] == 24


def test_without_a_live_embedding_it_is_said_how_to_make_one(folder: Path) -> None:
    with pytest.raises(CommandError, match=r"Make one first: manage\.py train image_embedding --promote"):
        said("category", "--folder", str(folder))


@pytest.mark.parametrize("makes", [lambda path: None, lambda path: path.mkdir(), lambda path: path.write_text("x")])
def test_a_folder_without_pictures_is_refused(tmp_path: Path, makes: object) -> None:
    makes(tmp_path / "pictures")
    with pytest.raises(CommandError, match=r"Expected sub-folders with pictures|cannot be read"):
        said("category", "--folder", str(tmp_path / "pictures"))


def test_pictures_of_one_category_are_too_few(folder: Path, online: Version, tmp_path: Path) -> None:
    online("image_embedding")
    for name in ("red", "green"):
        for path in (folder / name).iterdir():
            path.unlink()
    with pytest.raises(CommandError, match="two categories"):
        said("category", "--folder", str(folder))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["image", "--folder", "."], "--folder is for category, not for image."),
        (
            ["category", "--weights", "w.h5"],
            "--weights is for an --algorithm that takes it; category has none.",
        ),
        (["image", "--weights", "w.h5"], "those are: mobilenet_v2, resnet50."),
        (["image", "--algorithm", "efficientnet_lite0", "--weights", "w.h5"], "those are: mobilenet_v2, resnet50."),
        (["image", "--algorithm", "resnet50", "--weights", "w.h5"], "There is no file w.h5."),
    ],
)
def test_options_that_do_not_fit_are_refused(arguments: list[str], says: str) -> None:
    with pytest.raises(CommandError) as caught:
        said(*arguments)
    assert says in str(caught.value)
    assert not ModelVersion.objects.exists()


def test_the_head_that_was_learned_from_a_folder_answers(folder: Path, online: Version) -> None:
    online("image_embedding")
    said("category", "--folder", str(folder), "--promote")
    network = serving.live("image_embedding")
    [seen] = network.predict([EmbeddingInput(Image(picture(BLUE)))])
    [answer] = serving.predict(CATEGORY, [CategoryInput(seen.vector, network.digest)], user_id=None)
    assert answer.output.categories[0].category == "blue"
