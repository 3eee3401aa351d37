import struct
import time
import zipfile
import zlib
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from experiments.errors import Invalid
from experiments.pictures import FORMATS, MAX_BYTES, MAX_PIXELS, MAX_SCANS, format_of, opened

RED, WHITE = (200, 30, 40), (255, 255, 255)


def file_of(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, *chunks: bytes, depth: int = 1, colour: int = 0) -> bytes:
    """A PNG that says it has this size and holds what it is given."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IEND", b"")


def halves() -> Image.Image:
    """Red above, white below, twice as wide as high."""
    picture = Image.new("RGB", (64, 32), WHITE)
    picture.paste(RED, (0, 0, 64, 16))
    return picture


def near(picture: Image.Image, place: tuple[int, int], colour: tuple[int, int, int]) -> bool:
    found: Any = picture.getpixel(place)
    return all(abs(one - wanted) < 12 for one, wanted in zip(found, colour, strict=True))


def refused(data: bytes) -> Invalid:
    with pytest.raises(Invalid) as caught:
        opened(data)
    assert caught.value.field == "image"
    return caught.value


@pytest.mark.parametrize("kind", FORMATS)
def test_each_format_is_opened_by_its_content(kind: str) -> None:
    data = file_of(halves(), kind)
    found = opened(data)
    assert found.mode == "RGB"
    assert found.size == (64, 32)
    assert near(found, (30, 4), RED)
    assert near(found, (30, 28), WHITE)
    assert format_of(BytesIO(data)) == kind


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "PPM", "ICO", "TGA"])
def test_other_formats_are_refused(kind: str) -> None:
    assert "JPEG, PNG, WEBP, GIF" in refused(file_of(halves(), kind)).detail


def zipped() -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("lamp.jpg", file_of(halves(), "JPEG"))
    return file.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"not a picture",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<?xml version='1.0'?><!DOCTYPE svg [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><svg>&x;</svg>",
        zipped(),
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n" + b"\xff" * 100,
        b"GIF89a",
        b"RIFF\x10\x00\x00\x00WEBPVP8 ",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"\0" * 1000,
        png(0, 0, chunk(b"IDAT", b"")),
        png(8, 8),
        png(8, 8, chunk(b"IDAT", b"no zlib")),
    ],
    ids=["text", "svg", "xml", "zip", "jpeg-start", "noise", "gif-start", "webp-start", "eps", "zeros", "no-size",
         "no-data", "bad-data"],
)  # fmt: skip
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    assert refused(data).field_code == "invalid_image"


def test_no_bytes_are_refused() -> None:
    assert refused(b"").field_code == "empty"


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("share", [0.2, 0.6, 0.9])
def test_a_cut_file_is_refused(kind: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    data = file_of(Image.fromarray(noise), kind)
    assert "whole" in refused(data[: int(len(data) * share)]).detail


def test_a_file_of_too_many_bytes_is_refused_and_one_of_just_so_many_is_not() -> None:
    data = file_of(halves())
    assert opened(data + b"\0" * (MAX_BYTES - len(data))).size == (64, 32)
    assert "8,000,000 bytes" in refused(data + b"\0" * (MAX_BYTES + 1 - len(data))).detail


@pytest.mark.parametrize("side", [5_001, 10_000, 30_000, 2**31 - 1])
def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(side: int) -> None:
    start = time.perf_counter()
    problem = refused(png(side, side, chunk(b"IDAT", zlib.compress(b"\0" * 64))))
    assert time.perf_counter() - start < 0.2
    assert problem.field_code == "too_many_pixels"
    assert f"{MAX_PIXELS:,} pixels" in problem.detail


def test_a_picture_of_just_so_many_pixels_is_opened() -> None:
    assert opened(file_of(Image.new("L", (5_000, 5_000), 1)), least=224).size == (228, 228)


def test_a_frame_larger_than_its_gif_says_counts_too() -> None:
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0)
    frame = b"," + struct.pack("<HHHHB", 0, 0, 60_000, 60_000, 0) + b"\x02\x02\x4c\x01\x00;"
    assert refused(head + frame).field_code == "too_many_pixels"


def test_text_in_a_picture_cannot_be_a_bomb() -> None:
    bomb = chunk(b"zTXt", b"note\0\0" + zlib.compress(b"x" * 100_000_000, 9))
    start = time.perf_counter()
    assert refused(png(8, 8, bomb, chunk(b"IDAT", zlib.compress(b"\0" * 16)))).field_code == "invalid_image"
    assert time.perf_counter() - start < 1


def test_a_jpeg_of_thousands_of_scans_is_refused() -> None:
    """Each scan of a progressive JPEG goes over all pixels, however short it is."""
    data = file_of(Image.new("RGB", (512, 512), RED), "JPEG", progressive=True)
    assert opened(data).size == (512, 512)
    last = data.rindex(b"\xff\xda")
    many = data[:last] + data[last:-2] * MAX_SCANS + data[-2:]
    assert f"{MAX_SCANS} scans" in refused(many).detail


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_upright_as_its_exif_says(kind: str, orientation: int) -> None:
    undo = {2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
            5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
            8: Image.Transpose.ROTATE_270}  # fmt: skip
    upright = halves()
    upright.paste((0, 0, 255), (0, 0, 16, 16))  # so that left and right differ
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = opened(file_of(stored, kind, exif=exif, **({"subsampling": 0, "quality": 95} if kind == "JPEG" else {})))
    assert found.size == (64, 32)
    assert near(found, (8, 8), (0, 0, 255))
    assert near(found, (50, 4), RED)
    assert near(found, (8, 28), WHITE)


@pytest.mark.parametrize(("orientation", "width", "height"), [(1, 2_000, 1_000), (3, 2_000, 1_000), (6, 1_000, 2_000)])
def test_how_large_a_picture_is_in_the_file_is_said_upright_and_however_small_it_was_decoded(
    orientation: int, width: int, height: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    seen: dict[str, float] = {}
    found = opened(file_of(Image.new("RGB", (2_000, 1_000), WHITE), "JPEG", exif=exif), least=100, seen=seen)
    assert found.width < width
    assert (seen["width"], seen["height"]) == (width, height)


@pytest.mark.parametrize(("colour", "brightness"), [(WHITE, 255), ((0, 0, 0), 0), ((100, 100, 100), 100), (RED, 76)])
def test_how_bright_a_picture_is_is_said_as_the_eye_sees_colours(
    colour: tuple[int, int, int], brightness: float
) -> None:
    seen: dict[str, float] = {}
    opened(file_of(Image.new("RGB", (640, 480), colour)), seen=seen)
    assert seen["brightness"] == pytest.approx(brightness, abs=1 + (colour == RED) * 10)


def test_the_brightness_of_few_pixels_is_near_that_of_all() -> None:
    draw = np.random.default_rng(0)
    pixels = np.kron(draw.integers(0, 256, (60, 80, 3)), np.ones((10, 10, 1))).astype(np.uint8)
    seen: dict[str, float] = {}
    found = opened(file_of(Image.fromarray(pixels)), seen=seen)
    assert seen["brightness"] == pytest.approx(np.asarray(found.convert("L")).mean(), abs=5)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("exif", [b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0" + b"\xff" * 64, b"Exif\0\0"])
def test_exif_that_cannot_be_read_turns_nothing(exif: bytes) -> None:
    assert opened(file_of(halves(), "JPEG", exif=exif)).size == (64, 32)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_no_metadata_comes_along(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "maker"
    note = PngImagePlugin.PngInfo()
    note.add_text("note", "secret")
    options: dict[str, Any] = {"pnginfo": note} if kind == "PNG" else {"icc_profile": b"x" * 200}
    found = opened(file_of(halves(), kind, exif=exif, **options))
    assert not found.info
    assert not found.getexif()
    assert b"maker" not in file_of(found, kind)
    assert b"secret" not in file_of(found, kind)


def test_cmyk_is_opened_in_its_colours() -> None:
    found = opened(file_of(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=95))
    assert near(found, (8, 8), (255, 0, 0))


def test_sixteen_bits_of_grey_keep_their_levels() -> None:
    ramp = np.linspace(0, 65_535, 256).astype(np.uint16).reshape(1, 256).repeat(8, axis=0)
    found = np.asarray(opened(file_of(Image.fromarray(ramp))))
    assert found.shape == (8, 256, 3)
    assert (np.abs(found[0, :, 0].astype(int) - np.arange(256)) <= 1).all()


def test_sixteen_bits_of_colour_keep_their_levels() -> None:
    row = b"\0" + struct.pack(">HHH", 200 << 8, 30 << 8, 40 << 8) * 8
    found = opened(png(8, 8, chunk(b"IDAT", zlib.compress(row * 8)), depth=16, colour=2))
    assert found.getpixel((3, 3)) == RED


def test_a_palette_is_opened_in_its_colours() -> None:
    found = opened(file_of(halves().quantize(16)))
    assert near(found, (30, 4), RED)


def test_black_and_white_and_grey_are_opened() -> None:
    assert opened(file_of(Image.new("1", (8, 8), 1))).getpixel((0, 0)) == WHITE
    assert opened(file_of(Image.new("L", (8, 8), 77))).getpixel((0, 0)) == (77, 77, 77)


@pytest.mark.parametrize(("mode", "clear"), [("RGBA", (0, 0, 0, 0)), ("LA", (0, 0))])
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_what_is_transparent_is_white(mode: str, clear: tuple[int, ...], kind: str) -> None:
    picture = Image.new(mode, (32, 32), clear)
    assert near(opened(file_of(picture, kind, **({"lossless": True} if kind == "WEBP" else {}))), (4, 4), WHITE)


def test_what_is_half_transparent_is_half_white() -> None:
    assert near(opened(file_of(Image.new("RGBA", (8, 8), (0, 0, 0, 128)))), (4, 4), (127, 127, 127))


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_a_transparent_entry_of_a_palette_is_white(kind: str) -> None:
    picture = Image.new("P", (8, 8), 0)
    picture.putpalette([0, 0, 0, *RED])
    picture.putpixel((0, 0), 1)
    found = opened(file_of(picture, kind, transparency=0))
    assert found.getpixel((4, 4)) == WHITE
    assert found.getpixel((0, 0)) == RED


def test_a_colour_that_means_transparent_is_white() -> None:
    assert opened(file_of(Image.new("RGB", (8, 8), RED), transparency=RED)).getpixel((4, 4)) == WHITE


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_taken(kind: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, (0, 0, 255), (0, 255, 0))]
    data = file_of(frames[0], kind, save_all=True, append_images=frames[1:], duration=50)
    assert near(opened(data), (8, 8), RED)


def test_a_jpeg_with_a_second_picture_behind_it_is_a_jpeg() -> None:
    data = file_of(halves(), "MPO", save_all=True, append_images=[halves()])
    assert near(opened(data), (30, 4), RED)
    assert format_of(BytesIO(data)) == "JPEG"


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("least", [32, 100, 224, 5_000])
def test_a_large_picture_is_decoded_smaller_but_never_below_what_is_needed(kind: str, least: int) -> None:
    large = halves().resize((1_200, 600), Image.Resampling.NEAREST)
    found = opened(file_of(large, kind), least=least)
    assert min(found.size) >= min(least, 600)
    assert found.width == pytest.approx(2 * found.height, abs=2)
    assert near(found, (found.width // 2, found.height // 8), RED)
    assert near(found, (found.width // 2, found.height - 2), WHITE)
    if kind != "GIF":  # a palette has no mean
        assert min(found.size) < max(2 * least, 601)


def test_decoding_smaller_is_much_faster() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (250, 200, 3), np.uint8)
    data = file_of(Image.fromarray(noise).resize((2_000, 2_500)), "JPEG")

    def seconds(least: int) -> float:
        start = time.perf_counter()
        opened(data, least=least)
        return time.perf_counter() - start

    assert min(seconds(224) for _ in range(3)) < 0.7 * min(seconds(0) for _ in range(3))
