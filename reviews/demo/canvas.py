"""A small drawing board over Pillow: coordinates from 0 to 100 on both axes, drawn three times as large and scaled down
at the end, so that every edge is smooth."""

from collections.abc import Sequence
from math import cos, radians, sin

from PIL import Image, ImageDraw

SIZE = 320
SCALE = 3
SIDE = SIZE * SCALE

Colour = tuple[int, int, int]
Point = tuple[float, float]
Paint = Colour | Image.Image


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """`one` with `share` (0 to 1) of `other`."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def darker(colour: Colour, share: float = 0.3) -> Colour:
    return mix(colour, (24, 22, 30), share)


def lighter(colour: Colour, share: float = 0.4) -> Colour:
    return mix(colour, (255, 255, 255), share)


def curve(points: Sequence[Point], *, closed: bool = False, steps: int = 8) -> list[Point]:
    """A Catmull-Rom spline through the points; a point given twice is a corner."""
    ring = [points[-1], *points, points[0], points[1]] if closed else [points[0], *points, points[-1]]
    out = []
    for a, b, c, d in zip(ring, ring[1:], ring[2:], ring[3:], strict=False):
        if b == c:
            continue
        for step in range(steps):
            t = step / steps
            out.append(
                tuple(
                    0.5
                    * (2 * q + (r - p) * t + (2 * p - 5 * q + 4 * r - s) * t * t + (3 * q - p - 3 * r + s) * t * t * t)
                    for p, q, r, s in zip(a, b, c, d, strict=True)
                )
            )
    if not closed:
        out.append(points[-1])
    return [(x, y) for x, y in out]


def mirrored(half: Sequence[Point]) -> list[Point]:
    """The outline of a figure that is the same left and right of x = 50, from its right half, top to bottom."""
    return [*half, *((100 - x, y) for x, y in reversed(half))]


class Canvas:
    """A picture in the making. Everything drawn is first scaled and turned around the middle, so that no two products
    of a kind stand quite the same."""

    def __init__(self, clear: Colour, *, zoom: float = 1.0, turn: float = 0.0, flip: bool = False) -> None:
        self.clear = clear  # painting with this colour cuts a hole
        self.image = Image.new("RGB", (SIDE, SIDE), clear)
        self.mask = Image.new("L", (SIDE, SIDE))  # where something has been drawn
        self._draw = ImageDraw.Draw(self.image)
        self._mask_draw = ImageDraw.Draw(self.mask)
        self._zoom, self._flip = zoom, flip
        self._cos, self._sin = cos(radians(turn)), sin(radians(turn))

    def _place(self, points: Sequence[Point]) -> list[Point]:
        placed = []
        for x, y in points:
            dx, dy = (50 - x if self._flip else x - 50) * self._zoom, (y - 50) * self._zoom
            x, y = 50 + dx * self._cos - dy * self._sin, 50 + dx * self._sin + dy * self._cos
            placed.append((x * SIDE / 100, y * SIDE / 100))
        return placed

    def shape(self, points: Sequence[Point], paint: Paint, *, edge: Colour | None = None, width: float = 0.7) -> None:
        """A filled polygon, with an outline if `edge` is given. An image as paint shows through the polygon."""
        placed = self._place(points)
        self._mask_draw.polygon(placed, fill=0 if paint == self.clear else 255)
        if isinstance(paint, Image.Image):
            xs, ys = zip(*placed, strict=True)
            box = (max(0, int(min(xs))), max(0, int(min(ys))), min(SIDE, int(max(xs)) + 2), min(SIDE, int(max(ys)) + 2))
            mask = Image.new("1", (box[2] - box[0], box[3] - box[1]))
            ImageDraw.Draw(mask).polygon([(x - box[0], y - box[1]) for x, y in placed], fill=1)
            self.image.paste(paint.crop(box), box[:2], mask)
        else:
            self._draw.polygon(placed, fill=paint)
        if edge:
            self._stroke([*placed, placed[0]], edge, width)

    def blob(self, points: Sequence[Point], paint: Paint, *, edge: Colour | None = None, width: float = 0.7) -> None:
        """The smooth closed figure through the points."""
        self.shape(curve(points, closed=True), paint, edge=edge, width=width)

    def oval(
        self,
        x: float,
        y: float,
        across: float,
        down: float,
        paint: Paint,
        *,
        edge: Colour | None = None,
        tilt: float = 0.0,
        width: float = 0.7,
    ) -> None:
        """An ellipse around (x, y) with half axes `across` and `down`, tilted by degrees."""
        c, s = cos(radians(tilt)), sin(radians(tilt))
        ring = [(across * cos(radians(a)), down * sin(radians(a))) for a in range(0, 360, 8)]
        self.shape([(x + u * c - v * s, y + u * s + v * c) for u, v in ring], paint, edge=edge, width=width)

    def box(
        self,
        left: float,
        top: float,
        right: float,
        bottom: float,
        paint: Paint,
        *,
        round_: float = 0.0,
        edge: Colour | None = None,
        width: float = 0.7,
    ) -> None:
        """A rectangle with rounded corners."""
        r = min(round_, (right - left) / 2, (bottom - top) / 2)
        corners = (
            (right - r, top + r, -90),
            (right - r, bottom - r, 0),
            (left + r, bottom - r, 90),
            (left + r, top + r, 180),
        )
        points = [
            (x + r * cos(radians(start + a)), y + r * sin(radians(start + a)))
            for x, y, start in corners
            for a in (range(0, 91, 15) if r else (45,))
        ]
        self.shape(points, paint, edge=edge, width=width)

    def line(self, points: Sequence[Point], colour: Colour, width: float = 0.7, *, smooth: bool = False) -> None:
        """A line with round ends; through the points as a curve if `smooth`."""
        self._stroke(self._place(curve(points) if smooth else points), colour, width)

    def _stroke(self, placed: Sequence[Point], colour: Colour, width: float) -> None:
        thick = max(1, round(width * SIDE / 100 * self._zoom))
        half = thick / 2 - 0.5
        points = [one for one, next_ in zip(placed, [*placed[1:], None], strict=True) if one != next_]
        for draw, fill in ((self._draw, colour), (self._mask_draw, 255)):
            draw.line(points, fill=fill, width=thick, joint="curve")
            for x, y in (points[0], points[-1]) if thick > 3 else ():
                draw.ellipse((x - half, y - half, x + half, y + half), fill=fill)
