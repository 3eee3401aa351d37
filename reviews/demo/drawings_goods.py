"""Headphones, kettles and lamps, one function a kind."""

from math import cos, pi, sin

from .canvas import Canvas, Colour, Point, curve, darker, lighter, mirrored, mix
from .sketch import Sketch

_STEEL: Colour = (196, 200, 206)
_BRASS: Colour = (206, 168, 90)
_WOOD: Colour = (206, 164, 112)
_GLOW: Colour = (255, 240, 196)


def headphones(canvas: Canvas, sketch: Sketch) -> None:
    large = sketch.kind == "over-ear headphones"
    reach = 29 if large else 26
    arc = [(50 - reach * cos(t * pi / 20), 50 - 38 * sin(t * pi / 20)) for t in range(21)]
    canvas.line(arc, sketch.dark, 7)
    canvas.line(arc, sketch.main, 5)
    canvas.line(arc[6:15], sketch.accent if sketch.rng.random() < 0.6 else sketch.pale, 4.6)
    for way in (-1, 1):
        x = 50 + way * reach
        canvas.line([(x, 46), (x, 56)], _STEEL, 2.2)
        across, down = (10.5, 18) if large else (8, 12.5)
        inner = x - way * 3.4
        canvas.oval(inner - way * 2, 66, across * 0.75, down, darker(sketch.accent, 0.5), edge=sketch.edge)
        canvas.oval(x + way * 1.5, 66, across, down + 1, sketch.cloth, edge=sketch.edge)
        canvas.oval(x + way * 3, 66, across * 0.55, down * 0.6, sketch.accent, edge=sketch.edge)
        canvas.oval(x + way * 3.4, 66, across * 0.24, down * 0.26, sketch.pale)


def earbuds(canvas: Canvas, sketch: Sketch) -> None:
    accent = sketch.accent
    if sketch.rng.random() < 0.5:
        lid = curve([(24, 60), (24, 50), (32, 42), (68, 42), (76, 50), (76, 60)])
        canvas.shape([(x, y - 12) for x, y in lid], sketch.dark, edge=sketch.edge)
        canvas.box(27, 42, 73, 50, darker(sketch.main, 0.6), round_=3)
    canvas.box(22, 52, 78, 88, sketch.cloth, round_=15, edge=sketch.edge)
    canvas.line([(23, 61), (77, 61)], sketch.fold, 0.7)
    canvas.oval(50, 72, 1.5, 1.5, accent)
    for way in (-1, 1):
        x = 50 + way * 13
        canvas.box(x - 3.6, 26, x + 3.6, 53, sketch.main, round_=3.6, edge=sketch.edge)
        canvas.oval(x - way * 1.5, 24, 8.6, 8, sketch.main, edge=sketch.edge)
        canvas.oval(x - way * 8, 25, 4, 5, lighter(accent, 0.2), edge=sketch.edge, tilt=way * 15)
        canvas.oval(x + way * 1.5, 24, 2.6, 2.6, accent)


def _body_paint(sketch: Sketch) -> tuple[Colour, Colour]:
    """Metal and its shine: bare for steel, copper and glass, with paint for enamel."""
    bare = {
        "stainless steel": _STEEL,
        "brushed steel": (176, 180, 186),
        "copper": (204, 128, 88),
        "glass": (206, 226, 232),
    }
    metal = bare.get(sketch.facts["material"], sketch.main)
    return metal, lighter(metal, 0.55)


def electric_kettle(canvas: Canvas, sketch: Sketch) -> None:
    metal, shine = _body_paint(sketch)
    edge = darker(metal, 0.45)
    wide = 21 + sketch.rng.uniform(-2, 2)
    handle = curve([(66, 34), (82, 34), (86, 50), (82, 72), (70, 76)])
    canvas.line(handle, sketch.edge, 6)
    canvas.line(handle, sketch.main, 4.6)
    canvas.shape([(33, 32), (20, 27), (23, 40), (31, 46)], metal, edge=edge)
    body = mirrored([(64, 28), (50 + wide - 3, 52), (50 + wide, 80)])
    enamel = metal == sketch.main
    canvas.shape(body, sketch.cloth if enamel else metal, edge=edge)
    if sketch.facts["material"] == "glass":
        canvas.shape([(32.5, 50), (67.5, 50), (50 + wide - 0.5, 80), (50 - wide + 0.5, 80)], (168, 208, 226))
        canvas.line([(33, 50), (67, 50)], (120, 170, 196), 0.6)
        for x, y in ((42, 66), (55, 60), (60, 72), (46, 74)):
            canvas.oval(x, y, 1.1, 1.1, (226, 242, 248))
    canvas.line([(38.5, 33), (35, 76)], shine, 2.6)
    canvas.box(34, 22, 66, 30, sketch.main, round_=3, edge=sketch.edge)
    canvas.oval(50, 21, 4.2, 2.4, sketch.accent, edge=sketch.edge)
    canvas.box(50 - wide - 1, 78, 50 + wide + 1, 84, sketch.main, round_=1.5, edge=sketch.edge)
    canvas.box(50 - wide - 4, 84, 50 + wide + 4, 89, sketch.accent, round_=2, edge=darker(sketch.accent, 0.4))
    canvas.line([(50 + wide + 3, 87), (88, 88), (97, 84)], darker(sketch.accent, 0.6), 1.1, smooth=True)
    if enamel and sketch.rng.random() < 0.5:
        canvas.box(55, 44, 58, 70, lighter(sketch.main, 0.6), round_=1.5, edge=sketch.edge, width=0.4)


def gooseneck_kettle(canvas: Canvas, sketch: Sketch) -> None:
    metal, shine = _body_paint(sketch)
    edge = darker(metal, 0.45)
    spout: list[Point] = [(38, 76), (26, 76), (22, 62), (24, 46), (20, 36), (12, 33)]
    canvas.line(spout, edge, 4.4, smooth=True)
    canvas.line(spout, metal, 3.2, smooth=True)
    handle = [(66, 46), (78, 40), (88, 44), (86, 62), (82, 74)]
    canvas.line(handle, darker(_WOOD, 0.4) if sketch.rng.random() < 0.5 else sketch.dark, 4.6, smooth=True)
    body = mirrored(curve([(60, 40), (68, 46), (72, 62), (75, 82)]))
    canvas.shape(body, sketch.cloth if metal == sketch.main else metal, edge=edge)
    canvas.line([(36, 48), (31, 76)], shine, 2.4)
    canvas.shape(curve([(38, 41), (42, 36), (58, 36), (62, 41)]), sketch.main, edge=sketch.edge)
    canvas.oval(50, 33, 3.2, 3.2, sketch.accent, edge=sketch.edge)
    canvas.box(24, 82, 76, 86, sketch.main, round_=1.5, edge=sketch.edge)
    canvas.box(20, 86, 80, 91, darker(sketch.accent, 0.35), round_=2)
    canvas.box(44, 87.4, 56, 89.6, (170, 220, 200), round_=0.6)


def stovetop_kettle(canvas: Canvas, sketch: Sketch) -> None:
    metal, shine = _body_paint(sketch)
    edge = darker(metal, 0.45)
    arch = [(28, 50), (26, 30), (38, 16), (62, 16), (74, 30), (72, 50)]
    canvas.line(arch, sketch.edge, 4.6, smooth=True)
    canvas.line(arch[1:5], _WOOD if sketch.rng.random() < 0.5 else sketch.accent, 3.4, smooth=True)
    canvas.shape([(22, 62), (6, 46), (11, 42), (30, 50)], metal, edge=edge)
    canvas.oval(8.5, 43.5, 4, 2, sketch.accent, tilt=-40, edge=sketch.edge)
    body = curve(
        [(32, 46), (50, 42), (68, 46), (80, 60), (84, 78), (82, 86), (50, 87), (18, 86), (16, 78), (20, 60)],
        closed=True,
    )
    canvas.shape(body, sketch.cloth if metal == sketch.main else metal, edge=edge)
    canvas.line([(29, 55), (25, 66), (24, 77)], shine, 2.8, smooth=True)
    canvas.shape(curve([(35, 46), (40, 40), (60, 40), (65, 46)]), darker(metal, 0.12), edge=edge)
    canvas.oval(50, 37.5, 3.6, 3, sketch.accent, edge=sketch.edge)
    canvas.line([(18, 82), (50, 83.5), (82, 82)], darker(metal, 0.25), 0.9, smooth=True)


def _shade(canvas: Canvas, sketch: Sketch, top: float, bottom: float, narrow: float, wide: float) -> None:
    """A lampshade with the light it throws below."""
    if sketch.rng.random() < 0.5:
        cone: list[Point] = [
            (50 - wide, bottom),
            (50 + wide, bottom),
            (50 + wide * 1.7, bottom + 26),
            (50 - wide * 1.7, bottom + 26),
        ]
        canvas.shape(cone, mix(sketch.ground, _GLOW, 0.35))
    canvas.shape(
        [(50 - narrow, top), (50 + narrow, top), (50 + wide, bottom), (50 - wide, bottom)],
        sketch.cloth,
        edge=sketch.edge,
    )
    for at in (top + 1, bottom - 1):
        half = narrow + (wide - narrow) * (at - top) / (bottom - top)
        canvas.line([(50 - half, at), (50 + half, at)], sketch.fold, 0.9)


def _stand_colour(sketch: Sketch) -> Colour:
    material = sketch.facts["material"]
    woods = {"oak": _WOOD, "beech": (222, 186, 140), "bamboo": (214, 184, 118)}
    metals = {
        "brass": _BRASS,
        "steel": (92, 96, 104),
        "aluminium": _STEEL,
        "ceramic": sketch.pale,
        "glass": (186, 212, 218),
    }
    return next((colour for word, colour in (woods | metals).items() if word in material), sketch.dark)


def table_lamp(canvas: Canvas, sketch: Sketch) -> None:
    stand = _stand_colour(sketch)
    edge = darker(stand, 0.45)
    shape = sketch.rng.choice(("gourd", "column", "ball"))
    canvas.line([(56, 88), (72, 90), (90, 86)], sketch.dark, 0.9, smooth=True)
    _shade(canvas, sketch, 14, 46, sketch.rng.choice((12, 16, 22)), sketch.rng.choice((24, 27)))
    canvas.line([(50, 46), (50, 56)], _BRASS, 2)
    outlines: dict[str, list[Point]] = {
        "gourd": [(52, 52), (57, 58), (53.5, 64), (64, 76), (60, 87), (56, 88)],
        "column": [(55, 54), (55, 54), (55, 84), (55, 84), (64, 86), (64, 88)],
        "ball": [(52, 53), (55, 56), (66, 70), (58, 86), (56, 88)],
    }
    canvas.shape(mirrored(curve(outlines[shape])), stand, edge=edge)
    canvas.line([(45, 66), (42, 76)], lighter(stand, 0.6), 1.8)
    canvas.box(38, 86.5, 62, 90, darker(stand, 0.2), round_=1.2, edge=edge)


def floor_lamp(canvas: Canvas, sketch: Sketch) -> None:
    stand = _stand_colour(sketch)
    _shade(canvas, sketch, 6, 27, sketch.rng.choice((11, 15)), 19)
    if "tripod" in sketch.facts["material"] or sketch.rng.random() < 0.3:
        for x in (31, 69, 53):
            canvas.line([(50, 30), (x, 92)], darker(stand, 0.15) if x == 53 else stand, 2.2)
        canvas.oval(50, 31, 3.6, 2.4, darker(stand, 0.35))
    else:
        canvas.line([(50, 28), (50, 89)], stand, 2)
        canvas.oval(50, 90, 15, 3, darker(stand, 0.1), edge=darker(stand, 0.45))
    canvas.line([(53, 27), (53, 36)], darker(stand, 0.5), 0.5)


def pendant_lamp(canvas: Canvas, sketch: Sketch) -> None:
    material = sketch.facts["material"]
    canvas.line([(50, -6), (50, 42)], darker(sketch.accent, 0.5), 1)
    canvas.box(46, 36, 54, 44, _BRASS, round_=1.5, edge=darker(_BRASS, 0.4))
    bulb = mix(sketch.ground, _GLOW, 0.35)
    if material == "opal glass":
        canvas.oval(50, 63, 23, 22, sketch.cloth, edge=sketch.edge)
        canvas.oval(43, 56, 6, 5, lighter(sketch.main, 0.75), tilt=-30)
        return
    if sketch.rng.random() < 0.5:
        canvas.shape([(26, 72), (74, 72), (90, 96), (10, 96)], bulb)
    canvas.oval(50, 73, 6, 6, _GLOW)
    if material == "folded paper":
        canvas.shape([(40, 42), (60, 42), (82, 62), (72, 76), (28, 76), (18, 62)], sketch.cloth, edge=sketch.edge)
        for x in range(22, 80, 7):
            canvas.line([(50 + (x - 50) * 0.3, 42), (x, 62), (50 + (x - 50) * 0.75, 76)], sketch.fold, 0.6)
        return
    dome = mirrored(curve([(54, 42), (66, 46), (78, 60), (81, 74), (81, 74)]))
    canvas.shape(dome, sketch.cloth, edge=sketch.edge)
    if material == "woven rattan":
        for y in range(48, 74, 5):
            canvas.line([(52 - (y - 40) * 0.86, y), (48 + (y - 40) * 0.86, y)], sketch.fold, 0.6)
        for x in range(24, 80, 6):
            canvas.line([(50 + (x - 50) * 0.25, 44), (x, 73)], sketch.fold, 0.6)
    canvas.line([(19, 74), (81, 74)], sketch.accent, 1.6)
    canvas.line([(32, 52), (26, 66)], sketch.pale, 1.8)


def desk_lamp(canvas: Canvas, sketch: Sketch) -> None:
    stand = _stand_colour(sketch)
    dark = darker(stand, 0.35)
    if sketch.rng.random() < 0.5:
        canvas.shape([(62, 40), (80, 50), (96, 86), (46, 86)], mix(sketch.ground, _GLOW, 0.35))
    canvas.line([(32, 86), (24, 52)], stand, 2.6)
    canvas.line([(24, 52), (58, 26)], stand, 2.6)
    for x, y in ((24, 52), (58, 26), (32, 84)):
        canvas.oval(x, y, 2.6, 2.6, dark)
    head = curve(
        [(54, 22), (54, 22), (62, 20), (66, 24), (84, 46), (84, 46), (58, 46), (58, 46), (55, 34)], closed=True
    )
    canvas.shape(head, sketch.cloth, edge=sketch.edge)
    canvas.oval(71, 47, 6, 4, _GLOW, edge=sketch.edge)
    canvas.line([(58, 46), (84, 46)], sketch.accent, 1.6)
    canvas.oval(32, 88, 17, 3.6, sketch.main, edge=sketch.edge)
