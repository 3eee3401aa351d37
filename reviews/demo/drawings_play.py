"""Backpacks, toys and books, one function a kind."""

from collections.abc import Callable
from math import cos, pi, radians, sin
from random import Random

from .canvas import Canvas, Colour, Point, curve, darker, lighter, mirrored, mix
from .palette import COLOURS, LOOKS
from .sketch import Sketch

_WOOD: dict[str, Colour] = {"beech": (226, 190, 146), "maple": (236, 208, 166), "birch": (240, 220, 182)}


def daypack(canvas: Canvas, sketch: Sketch) -> None:
    for way in (-1, 1):
        canvas.line([(50 + way * 20, 30), (50 + way * 31, 46), (50 + way * 26, 78)], sketch.dark, 4, smooth=True)
    canvas.line([(43, 17), (44, 8), (56, 8), (57, 17)], sketch.dark, 2.2, smooth=True)
    body = mirrored(curve([(50, 13), (64, 15), (74, 26), (76, 60), (77, 86), (77, 86), (50, 89)]))
    canvas.shape(body, sketch.cloth, edge=sketch.edge)
    canvas.line(curve([(25, 48), (27, 30), (38, 19), (62, 19), (73, 30), (75, 48)]), sketch.fold, 1)
    canvas.box(30, 54, 70, 84, sketch.trim, round_=6, edge=sketch.edge)
    canvas.line([(32, 60), (68, 60)], sketch.pale, 1.1)
    canvas.line([(62, 60), (62, 66)], sketch.pale, 1.3)
    canvas.box(43, 32, 57, 42, sketch.pale, round_=1, edge=sketch.edge, width=0.5)
    for way in (-1, 1):
        x = 50 + way * 24
        canvas.shape([(x, 64), (x + way * 5, 66), (x + way * 4, 86), (x, 87)], sketch.dark)


def hiking_backpack(canvas: Canvas, sketch: Sketch) -> None:
    for way in (-1, 1):
        canvas.shape([(50 + way * x, y) for x, y in ((20, 74), (38, 70), (40, 76), (20, 84))], sketch.dark)
        canvas.line([(50 + way * 18, 24), (50 + way * 29, 40), (50 + way * 24, 70)], sketch.dark, 3.6, smooth=True)
    canvas.box(24, 82, 76, 92, sketch.accent, round_=5, edge=darker(sketch.accent, 0.4))
    canvas.shape(
        mirrored(curve([(50, 20), (68, 22), (73, 40), (75, 84), (75, 84), (50, 86)])), sketch.cloth, edge=sketch.edge
    )
    canvas.shape(
        mirrored(curve([(50, 6), (64, 7), (71, 14), (72, 27), (72, 27), (50, 30)])), sketch.trim, edge=sketch.edge
    )
    for x in (38, 62):
        canvas.line([(x, 26), (x, 44)], darker(sketch.main, 0.6), 1.6)
        canvas.box(x - 2.2, 40, x + 2.2, 45, (60, 60, 66), round_=0.8)
    canvas.box(32, 50, 68, 80, sketch.trim, round_=4, edge=sketch.edge)
    canvas.line([(34, 56), (66, 56)], sketch.pale, 1.2)
    for y in (36, 48, 62, 74):
        canvas.line([(27, y), (31, y + 3)], sketch.accent, 1)
        canvas.line([(73, y), (69, y + 3)], sketch.accent, 1)
    if sketch.rng.random() < 0.6:
        canvas.box(76, 54, 84, 84, lighter(sketch.accent, 0.5), round_=2.5, edge=sketch.edge)
        canvas.box(77.5, 49, 82.5, 54, darker(sketch.accent, 0.4), round_=1)


def roll_top(canvas: Canvas, sketch: Sketch) -> None:
    for way in (-1, 1):
        canvas.line([(50 + way * 20, 34), (50 + way * 29, 50), (50 + way * 25, 80)], sketch.dark, 4, smooth=True)
    canvas.shape([(26, 24), (74, 24), (77, 88), (23, 88)], sketch.cloth, edge=sketch.edge)
    canvas.box(22, 15, 78, 27, sketch.trim, round_=5, edge=sketch.edge)
    canvas.line([(26, 20), (74, 20)], darker(sketch.trim, 0.3), 0.8)
    canvas.line([(50, 15), (50, 52)], darker(sketch.main, 0.6), 2.6)
    canvas.box(45, 38, 55, 47, (56, 56, 62), round_=1.4)
    canvas.box(31, 60, 69, 82, sketch.cloth, round_=2, edge=sketch.edge)
    canvas.line([(33, 65), (67, 65)], sketch.accent, 1.6)
    canvas.box(34, 70, 44, 73, (236, 238, 240), round_=0.6)


def _toy_colours(sketch: Sketch, count: int) -> list[Colour]:
    """The product's own two colours first, then others of its look."""
    look = next(one for one in LOOKS if one.name == sketch.facts["look"])
    others = [
        COLOURS[name] for name in (*look.colours, *look.accents) if COLOURS[name] not in (sketch.main, sketch.accent)
    ]
    sketch.rng.shuffle(others)
    own = [sketch.main, sketch.accent, sketch.main]
    return [*own, *others, *others][:count]


def train(canvas: Canvas, sketch: Sketch) -> None:
    wood = _WOOD.get(sketch.facts["material"], _WOOD["beech"])
    edge = darker(wood, 0.45)
    wagon = sketch.rng.random() < 0.6
    left = 34.0 if wagon else 16.0
    if wagon:
        canvas.box(4, 56, 30, 72, sketch.accent, round_=2, edge=sketch.edge)
        for x in (10.0, 17.0, 24.0):
            canvas.oval(x, 53, 4.5, 4.5, wood, edge=edge)
        canvas.box(4, 60, 30, 72, sketch.accent, round_=2, edge=sketch.edge)
        canvas.line([(30, 70), (left, 70)], (90, 90, 96), 1.6)
        for x in (10.5, 23.5):
            canvas.oval(x, 75, 6, 6, wood, edge=edge)
            canvas.oval(x, 75, 1.8, 1.8, sketch.dark)
    canvas.box(left, 66, 94, 74, wood, round_=2, edge=edge)
    canvas.box(left, 32, left + 24, 67, sketch.cloth, round_=2, edge=sketch.edge)
    canvas.box(left - 3, 27, left + 27, 34, sketch.accent, round_=3, edge=sketch.edge)
    canvas.box(left + 6, 39, left + 18, 51, lighter(sketch.ground, 0.5), round_=2, edge=sketch.edge)
    canvas.box(left + 24, 46, 90, 67, sketch.cloth, round_=6, edge=sketch.edge)
    canvas.box(76, 29, 84, 47, wood, edge=edge)
    canvas.box(73.5, 25, 86.5, 31, sketch.accent, round_=2, edge=sketch.edge)
    canvas.oval(left + 36, 45, 4.4, 5, sketch.accent, edge=sketch.edge)
    canvas.oval(90, 57, 2.6, 2.6, (250, 226, 140), edge=sketch.edge)
    for x, size in ((left + 11, 10.5), (left + 34, 7.5), (84, 7.5)):
        canvas.oval(x, 84 - size, size, size, wood, edge=edge)
        canvas.oval(x, 84 - size, size * 0.35, size * 0.35, sketch.accent, edge=edge)


def soft_toy(canvas: Canvas, sketch: Sketch) -> None:
    animal, pale, dark = sketch.facts["animal"], sketch.pale, darker(sketch.main, 0.75)
    cloth, edge = sketch.cloth, sketch.edge
    for way in (-1, 1):
        x = 50 + way
        if animal == "rabbit":
            canvas.oval(x + way * 9, 15, 5, 16, cloth, edge=edge, tilt=way * 10)
            canvas.oval(x + way * 9, 16, 2.4, 11, sketch.accent, tilt=way * 10)
        elif animal == "bear":
            canvas.oval(x + way * 16, 23, 7, 7, cloth, edge=edge)
            canvas.oval(x + way * 16, 23, 3.8, 3.8, sketch.accent)
        elif animal == "cat":
            canvas.shape([(x + way * 6, 22), (x + way * 20, 12), (x + way * 20, 33)], cloth, edge=edge)
            canvas.shape([(x + way * 11, 22), (x + way * 17.5, 17), (x + way * 17.5, 28)], sketch.accent)
        else:
            canvas.oval(x + way * 22, 36, 11, 14, cloth, edge=edge, tilt=way * -12)
            canvas.oval(x + way * 23, 37, 6.5, 9, sketch.accent, tilt=way * -12)
        canvas.oval(x + way * 21, 66, 6, 14, cloth, edge=edge, tilt=way * -28)
    canvas.oval(50, 70, 20, 21, cloth, edge=edge)
    canvas.oval(50, 72, 12, 13, pale)
    for way in (-1, 1):
        canvas.oval(50 + way * 16, 88, 9.5, 7, cloth, edge=edge)
        canvas.oval(50 + way * 17, 88.5, 5, 4, sketch.accent)
    canvas.oval(50, 36, 20, 18, cloth, edge=edge)
    for way in (-1, 1):
        canvas.oval(50 + way * 7.5, 33, 1.9, 2.2, dark)
        canvas.oval(50 + way * 7.5 - 0.5, 32.2, 0.6, 0.6, (255, 255, 255))
    if animal == "elephant":
        trunk = curve([(50, 38), (50, 50), (46, 58), (40, 58)])
        canvas.line(trunk, edge, 8)
        canvas.line(trunk, sketch.main, 6.6)
    else:
        canvas.oval(50, 42, 8, 6, pale)
        canvas.oval(50, 39.5, 2.6, 1.8, dark)
        canvas.line([(50, 41), (50, 44)], dark, 0.6)
        canvas.line([(46.5, 45), (50, 44), (53.5, 45)], dark, 0.7, smooth=True)
    if animal == "cat":
        for way in (-1, 1):
            for y in (40, 43):
                canvas.line([(50 + way * 8, 42), (50 + way * 17, y)], dark, 0.4)
    if sketch.rng.random() < 0.6:
        canvas.line([(38, 53), (50, 56), (62, 53)], sketch.accent, 3, smooth=True)


def stacking_tower(canvas: Canvas, sketch: Sketch) -> None:
    wood = (232, 200, 156)
    rings = sketch.rng.randint(5, 7)
    height = 54 / rings
    canvas.box(47.5, 16, 52.5, 80, wood, round_=2, edge=darker(wood, 0.4))
    canvas.shape(
        curve([(20, 80), (20, 80), (80, 80), (80, 80), (74, 90), (50, 92), (26, 90)], closed=True),
        wood,
        edge=darker(wood, 0.4),
    )
    for place, colour in enumerate(_toy_colours(sketch, rings)):
        half = 27 - place * (17 / rings)
        bottom = 80 - place * height
        paint = sketch.cloth if place == 0 else colour
        canvas.box(50 - half, bottom - height, 50 + half, bottom, paint, round_=height / 2, edge=darker(colour, 0.4))
        canvas.line(
            [(50 - half + 4, bottom - height * 0.68), (50 - half * 0.3, bottom - height * 0.68)],
            lighter(colour, 0.5),
            0.9,
        )
    canvas.oval(50, 17, 6.5, 6.5, sketch.accent, edge=darker(sketch.accent, 0.4))


def blocks(canvas: Canvas, sketch: Sketch) -> None:
    wood = _WOOD.get(sketch.facts["material"], (230, 206, 160))
    colours = [*_toy_colours(sketch, 8), wood, wood]
    sketch.rng.shuffle(colours)
    side = 19

    def cube(x: float, bottom: float, colour: Colour, *, cloth: bool = False) -> None:
        top = bottom - side
        canvas.shape(
            [(x, top), (x + 5, top - 4), (x + side + 5, top - 4), (x + side, top)],
            lighter(colour, 0.35),
            edge=darker(colour, 0.4),
            width=0.5,
        )
        canvas.shape(
            [(x + side, top), (x + side + 5, top - 4), (x + side + 5, bottom - 4), (x + side, bottom)],
            darker(colour, 0.25),
            edge=darker(colour, 0.4),
            width=0.5,
        )
        canvas.box(x, top, x + side, bottom, sketch.cloth if cloth else colour, edge=darker(colour, 0.4), width=0.5)

    columns = sketch.rng.choice(((3, 1, 2), (1, 3, 2), (2, 3, 1), (2, 1, 3)))
    for place, count in enumerate(columns):
        x = 16 + place * 22
        for level in range(count):
            cube(x, 88 - level * side, colours.pop() if level else sketch.main, cloth=level == 0)
        top = 88 - count * side
        roof = colours[place]
        if count == 2:
            canvas.shape(
                [(x, top), (x + side + 5, top - 2), (x + side / 2 + 2, top - 15)], roof, edge=darker(roof, 0.4)
            )
        if count == 1:
            canvas.shape(
                [(x + 2 + 8.5 - 9 * cos(t * pi / 12), top - 2 - 9 * sin(t * pi / 12)) for t in range(13)],
                roof,
                edge=darker(roof, 0.4),
            )
    canvas.oval(88, 82, 5.5, 5.5, sketch.accent, edge=darker(sketch.accent, 0.4))


def book(canvas: Canvas, sketch: Sketch) -> None:
    left, top, right, bottom = {"novel": (25, 11, 75, 89), "cookbook": (16, 16, 84, 86)}.get(
        sketch.kind, (28, 12, 72, 88)
    )
    pages = (244, 238, 226)
    canvas.shape(
        [(left + 2, bottom), (left + 6, bottom + 4), (right + 5, bottom + 4), (right, bottom)],
        pages,
        edge=(170, 160, 140),
    )
    canvas.shape(
        [(right, top + 1), (right + 5, top + 5), (right + 5, bottom + 4), (right, bottom)], pages, edge=(170, 160, 140)
    )
    for step in (1.3, 2.6, 3.9):
        canvas.line([(right + step, top + 1 + step), (right + step, bottom + step - 0.5)], (206, 198, 180), 0.3)
    canvas.box(
        left, top, right, bottom, sketch.cloth if sketch.facts["pattern"] != "floral" else sketch.main, edge=sketch.edge
    )
    canvas.box(left, top, left + 4, bottom, sketch.dark)
    middle, wide = (left + right) / 2 + 2, (right - left) / 2 - 7
    _ART[sketch.kind](canvas, sketch, middle, top + (bottom - top) * 0.62, wide)
    panel = sketch.pale if sketch.rng.random() < 0.7 else mix(sketch.accent, (255, 255, 255), 0.3)
    ink = darker(panel, 0.75)
    canvas.box(middle - wide, top + 6, middle + wide, top + 25, panel, round_=1)
    words = sketch.facts["title"].split()
    for row, y in enumerate((11.5, 16.5)[: 1 + (len(words) > 2)]):
        letters = len(" ".join(words[row::2]))
        half = min(wide - 3, letters * 1.1)
        canvas.line([(middle - half, top + y), (middle + half, top + y)], ink, 2.4)
    canvas.line([(middle - 7, top + 21.5), (middle + 7, top + 21.5)], sketch.dark, 1)


def _scene(canvas: Canvas, sketch: Sketch, x: float, y: float, wide: float) -> None:
    """A novel's cover: sun or moon over hills, a house, a wave or a tower."""
    rng: Random = sketch.rng
    canvas.oval(x, y - 2, wide, wide, lighter(sketch.accent, 0.35), edge=sketch.edge)
    canvas.oval(x + rng.uniform(-6, 6), y - 9, 5, 5, (250, 232, 170))
    for step, colour in ((0, sketch.dark), (5, darker(sketch.accent, 0.3))):
        hill: list[Point] = [
            (x + wide * cos(radians(angle)), y - 2 + wide * sin(radians(angle)))
            for angle in range(12 + step * 2, 169 - step * 2, 6)
        ]
        crest = [(x + u * wide, y + step + rng.uniform(-4, 3)) for u in (-0.6, -0.2, 0.2, 0.6)]
        canvas.shape([*hill, *crest], colour)
    if rng.random() < 0.5:
        canvas.shape(
            [(x - 5, y + 2), (x - 5, y - 8), (x, y - 13), (x + 5, y - 8), (x + 5, y + 2)], sketch.pale, edge=sketch.edge
        )
        canvas.box(x - 1.4, y - 4, x + 1.4, y + 2, sketch.dark)


def _dish(canvas: Canvas, sketch: Sketch, x: float, y: float, wide: float) -> None:
    """A cookbook's cover: a plate seen from above, with fork and knife."""
    canvas.oval(x, y, 17, 17, (250, 248, 242), edge=(160, 152, 140))
    canvas.oval(x, y, 11.5, 11.5, lighter(sketch.accent, 0.5))
    for _ in range(9):
        u, v = sketch.rng.uniform(-7, 7), sketch.rng.uniform(-7, 7)
        colour = sketch.rng.choice(((206, 72, 54), (110, 146, 74), (230, 176, 72), sketch.accent))
        canvas.oval(x + u, y + v, sketch.rng.uniform(1.5, 3.2), sketch.rng.uniform(1.5, 3), colour)
    for way in (-1, 1):
        canvas.line([(x + way * 23, y - 14), (x + way * 23, y + 15)], sketch.pale, 1.8)
    for u in (-2, 0, 2):
        canvas.line([(x - 23 + u, y - 15), (x - 23 + u, y - 8)], sketch.pale, 0.8)


def _map(canvas: Canvas, sketch: Sketch, x: float, y: float, wide: float) -> None:
    """A travel guide's cover: mountains, a path and a pin."""
    ground = lighter(sketch.accent, 0.5)
    canvas.box(x - wide, y - 18, x + wide, y + 18, ground, edge=sketch.edge)
    for u, high in ((-7, 15), (6, 20)):
        canvas.shape(
            [(x + u - 11, y + 6), (x + u, y + 6 - high), (x + u + 11, y + 6)],
            darker(sketch.main, 0.2 + u / 60),
            edge=sketch.edge,
        )
        canvas.shape(
            [(x + u - 3, y + 6 - high * 0.73), (x + u, y + 6 - high), (x + u + 3, y + 6 - high * 0.73)], (248, 248, 248)
        )
    canvas.line(
        [(x - wide + 3, y + 15), (x - 4, y + 10), (x + 3, y + 14), (x + wide - 5, y + 8)],
        (255, 255, 255),
        1.2,
        smooth=True,
    )
    canvas.shape(curve([(x + 8, y + 9), (x + 4, y + 1), (x + 8, y - 3), (x + 12, y + 1)], closed=True), (206, 52, 48))
    canvas.oval(x + 8, y + 0.6, 1.4, 1.4, (255, 255, 255))


_ART: dict[str, Callable[[Canvas, Sketch, float, float, float], None]] = {
    "novel": _scene,
    "cookbook": _dish,
    "travel guide": _map,
}
