"""What drawn things are made of: a sheet of cloth as large as the canvas in the product's colours and pattern."""

from math import cos, radians, sin
from random import Random

from PIL import Image, ImageDraw

from .canvas import SIDE, Colour, darker, lighter, mix


def _stripes(draw: ImageDraw.ImageDraw, main: Colour, accent: Colour, rng: Random) -> None:
    period = rng.choice((36, 48, 64, 84))
    band = round(period * rng.choice((0.25, 0.4, 0.5)))
    for y in range(0, SIDE, period):
        draw.rectangle((0, y, SIDE, y + band), fill=accent)


def _checks(draw: ImageDraw.ImageDraw, main: Colour, accent: Colour, rng: Random) -> None:
    period = rng.choice((44, 60, 80))
    half = period // 2
    middle = mix(main, accent, 0.5)
    for at in range(0, SIDE, period):
        draw.rectangle((0, at, SIDE, at + half), fill=middle)
    for at in range(0, SIDE, period):
        draw.rectangle((at, 0, at + half, SIDE), fill=middle)
    for x in range(0, SIDE, period):
        for y in range(0, SIDE, period):
            draw.rectangle((x, y, x + half, y + half), fill=accent)


def _dots(draw: ImageDraw.ImageDraw, main: Colour, accent: Colour, rng: Random) -> None:
    period = rng.choice((38, 50, 66))
    radius = round(period * rng.choice((0.16, 0.22, 0.3)))
    for row, y in enumerate(range(0, SIDE, period)):
        for x in range((row % 2) * period // 2, SIDE + period, period):
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=accent)


def _floral(draw: ImageDraw.ImageDraw, main: Colour, accent: Colour, rng: Random) -> None:
    leaf = mix(darker(main, 0.35), (70, 120, 70), 0.5)
    heart = lighter(accent, 0.6)
    spacing = rng.choice((64, 80, 96))
    size = spacing * 0.15
    for row, top in enumerate(range(0, SIDE + spacing, spacing)):
        for left in range((row % 2) * spacing // 2, SIDE + spacing, spacing):
            x, y = left + rng.uniform(-10, 10), top + rng.uniform(-10, 10)
            start = rng.uniform(0, 72)
            for angle in (start + 36, start + 200):
                u, v = x + 1.9 * size * cos(radians(angle)), y + 1.9 * size * sin(radians(angle))
                draw.line((x, y, u, v), fill=leaf, width=round(size * 0.7))
            for petal in range(5):
                u = x + size * cos(radians(start + 72 * petal))
                v = y + size * sin(radians(start + 72 * petal))
                draw.ellipse((u - size * 0.72, v - size * 0.72, u + size * 0.72, v + size * 0.72), fill=accent)
            draw.ellipse((x - size * 0.5, y - size * 0.5, x + size * 0.5, y + size * 0.5), fill=heart)


def _block(draw: ImageDraw.ImageDraw, main: Colour, accent: Colour, rng: Random) -> None:
    cut = rng.randint(46, 62) * SIDE // 100
    slope = rng.choice((0, 0, 0, 160, -160))
    draw.polygon([(0, cut - slope), (SIDE, cut + slope), (SIDE, SIDE), (0, SIDE)], fill=accent)


def _fairisle(draw: ImageDraw.ImageDraw, main: Colour, accent: Colour, rng: Random) -> None:
    top = rng.randint(29, 33) * SIDE // 100
    step = 32
    for row, gap in enumerate((0, 40, 96, 150)):
        y = top + gap
        for place, x in enumerate(range(0, SIDE + step, step)):
            if row in (0, 3):
                draw.rectangle((x, y, x + step // 2, y + 9), fill=accent)
            elif row == 1:
                draw.polygon([(x, y), (x + step // 2, y + 30), (x + step, y), (x + step // 2, y + 12)], fill=accent)
            elif place % 2:
                draw.polygon([(x, y + 18), (x + 22, y - 4), (x + 44, y + 18), (x + 22, y + 40)], fill=accent)
                draw.ellipse((x + 15, y + 11, x + 29, y + 25), fill=main)


_PATTERNS = {
    "stripes": _stripes,
    "checks": _checks,
    "dots": _dots,
    "floral": _floral,
    "block": _block,
    "fairisle": _fairisle,
}


def cloth(pattern: str, main: Colour, accent: Colour, rng: Random, *, ribs: int = 0) -> Image.Image:
    """A sheet in `main` with the pattern in `accent`; `ribs` draws knitted columns that far apart."""
    sheet = Image.new("RGB", (SIDE, SIDE), main)
    draw = ImageDraw.Draw(sheet)
    if pattern in _PATTERNS:
        _PATTERNS[pattern](draw, main, accent, rng)
    if ribs:
        for x in range(0, SIDE, ribs):
            draw.line((x, 0, x, SIDE), fill=darker(main, 0.14), width=max(2, ribs // 7))
    return sheet
