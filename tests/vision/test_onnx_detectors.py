"""A detector of one's own as an ONNX file: boxes in pixels of the picture that was sent, one an object."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from experiments.discovery import task_named
from experiments.errors import DomainError
from experiments.mltask import Image, no_progress
from tests import networks
from vision.ml.image import ImageInput

SIDE = 64  # of the network's input


def detector(folder: Path, boxes: list[list[float]], *, five: bool = False, **parameters: Any) -> Any:
    """Labels disc and bar."""
    path = networks.detector(folder / "d.onnx", np.array(boxes, float), side=SIDE, five=five)
    names = networks.labels(folder / "labels.txt", "disc", "bar")
    made = task_named("detect").algorithms["onnx"](onnx=str(path), labels=str(names), **parameters)
    return made.fit(task_named("detect").tiny(), progress=no_progress)


def sent(width: int = SIDE, height: int = SIDE, orientation: int = 1) -> ImageInput:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    file = BytesIO()
    Pillow.new("RGB", (width, height), "red").save(file, "JPEG", exif=exif)
    return ImageInput(Image(file.getvalue()))


def found(model: Any, given: ImageInput) -> list[tuple[Any, ...]]:
    [output] = model.predict([given])
    return [
        (one.label, round(one.confidence, 3), *(round(edge, 2) for edge in vars(one.box).values()))
        for one in output.objects
    ]


def test_yolov8_rows_are_boxes_by_centre_and_size_and_a_share_a_label(tmp_path: Path) -> None:
    model = detector(tmp_path, [[32, 20, 20, 10, 0.1, 0.8], [10, 50, 8, 8, 0.6, 0.2]])
    assert found(model, sent()) == [("bar", 0.8, 22, 15, 20, 10), ("disc", 0.6, 6, 46, 8, 8)]


def test_yolov5_rows_have_the_share_of_an_object_before_those_of_the_labels(tmp_path: Path) -> None:
    model = detector(tmp_path, [[32, 20, 20, 10, 0.9, 0.1, 0.8], [10, 50, 8, 8, 0.3, 0.6, 0.2]], five=True)
    assert found(model, sent()) == [("bar", 0.72, 22, 15, 20, 10)]


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((640, 640), (220, 150, 200, 100)),
        ((640, 320), (220, -10, 200, 100)),  # 16 rows of grey above
        ((320, 640), (60, 150, 200, 100)),  # 16 columns of grey at the left
        ((32, 32), (11, 7.5, 10, 5)),
    ],
)
def test_boxes_are_in_pixels_of_the_picture_that_was_sent(
    tmp_path: Path, size: tuple[int, int], box: tuple[float, float, float, float]
) -> None:
    [(_, _, *edges)] = found(detector(tmp_path, [[32, 20, 20, 10, 0.1, 0.8]]), sent(*size))
    x, y, width, height = box
    top = max(y, 0)  # what lies outside of the picture is cut off
    assert edges == pytest.approx([x, top, width, y + height - top], abs=0.02)


def test_a_picture_that_lies_on_its_side_is_looked_at_upright(tmp_path: Path) -> None:
    model = detector(tmp_path, [[32, 20, 20, 10, 0.1, 0.8]])
    assert found(model, sent(640, 320, orientation=6)) == found(model, sent(320, 640))


def test_of_boxes_of_a_label_that_overlap_the_surest_stays(tmp_path: Path) -> None:
    boxes = [[20, 20, 10, 10, 0.5, 0], [21, 20, 10, 10, 0.9, 0], [22, 20, 10, 10, 0, 0.6], [50, 50, 10, 10, 0.4, 0]]
    model = detector(tmp_path, boxes)
    assert [(label, share) for label, share, *_ in found(model, sent())] == [("disc", 0.9), ("bar", 0.6), ("disc", 0.4)]
    generous = detector(tmp_path, boxes, overlap=0.9)
    assert len(found(generous, sent())) == 4


def test_only_what_is_sure_enough_is_answered(tmp_path: Path) -> None:
    boxes = [[20, 20, 10, 10, 0.24, 0.1], [50, 50, 10, 10, 0.3, 0.1]]
    assert len(found(detector(tmp_path, boxes), sent())) == 1
    assert len(found(detector(tmp_path, boxes, threshold=0.2), sent())) == 2
    assert found(detector(tmp_path, boxes, threshold=0.5), sent()) == []


def test_no_more_than_three_hundred_objects_are_answered(tmp_path: Path) -> None:
    grid = [[2 * (n % 30) + 1, 2 * (n // 30) + 1, 1, 1, 0.5, 0.1] for n in range(900)]
    assert len(found(detector(tmp_path, grid), sent())) == 300


@pytest.mark.parametrize("edge", [float(2**40), -1e9])
def test_boxes_without_measure_stay_inside_of_the_picture(tmp_path: Path, edge: float) -> None:
    for _, _, x, y, width, height in found(detector(tmp_path, [[edge, 20, 10, 10, 0.9, 0]]), sent()):
        assert 0 <= x <= x + width <= SIDE
        assert 0 <= y <= y + height <= SIDE


@pytest.mark.parametrize(
    ("boxes", "five", "says"),
    [
        ([[32, 20, 20, 10, 0.1]], False, r"shape \[1, 5, 1\]; for 2 labels a detector gives \[1, 6, boxes\]"),
        ([[32, 20, 20, 10, 0.1, 0.2]], True, r"\[1, boxes, 7\] \(YOLOv5\)"),
    ],
)
def test_an_output_of_another_form_is_refused(tmp_path: Path, boxes: list[list[float]], five: bool, says: str) -> None:
    with pytest.raises(DomainError, match=says):
        detector(tmp_path, boxes, five=five)


def test_a_classifier_is_no_detector(tmp_path: Path) -> None:
    path = networks.classifier(tmp_path / "c.onnx")
    names = networks.labels(tmp_path / "labels.txt", "disc", "bar")
    made = task_named("detect").algorithms["onnx"](onnx=str(path), labels=str(names))
    with pytest.raises(DomainError, match=r"shape \[1, 4\]"):
        made.fit(task_named("detect").tiny(), progress=no_progress)


@pytest.mark.parametrize(
    ("parameters", "says"),
    [({"threshold": 0.0}, "threshold"), ({"overlap": 1.5}, "overlap"), ({"onnx": ""}, "Say which file"),
     ({"labels": ""}, "Say which labels"), ({"threshold": float("nan")}, "threshold")],
)  # fmt: skip
def test_parameters_out_of_bounds_are_refused(tmp_path: Path, parameters: dict[str, Any], says: str) -> None:
    given = {
        "onnx": str(networks.detector(tmp_path / "d.onnx", np.array([[32, 20, 20, 10, 0.1, 0.8]]))),
        "labels": str(networks.labels(tmp_path / "l.txt", "disc", "bar")),
    }
    with pytest.raises(DomainError, match=says):
        task_named("detect").algorithms["onnx"](**given | parameters).fit(
            task_named("detect").tiny(), progress=no_progress
        )
