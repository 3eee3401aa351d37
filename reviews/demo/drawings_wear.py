"""Dresses, knitwear, shoes and bags, one function a kind."""

from collections.abc import Sequence

from .canvas import Canvas, Point, curve, darker, lighter, mirrored, mix
from .sketch import Sketch


def _skirt(hem: str) -> tuple[float, float]:
    """Where the hem lies and how far it reaches from the middle."""
    return {"just above the knee": (76, 20), "to the knee": (81, 21), "below the knee": (86, 22)}.get(hem, (93, 25))


def _sleeves(canvas: Canvas, sketch: Sketch, length: str, drop: float = 0.0) -> None:
    """Both sleeves, drawn before the body so that it covers their seams."""
    if length == "no sleeves":
        return
    cuff: list[Point] = (
        [(74, 41 + drop), (67, 44 + drop)] if length == "short sleeves" else [(82, 64 + drop), (75, 66 + drop)]
    )
    half: list[Point] = [(60, 18), (65, 20), (68, 25), *cuff, (61, 34)]
    for points in (half, [(100 - x, y) for x, y in half]):
        canvas.shape(points, sketch.cloth, edge=sketch.edge)


def dress(canvas: Canvas, sketch: Sketch) -> None:
    kind, facts, rng = sketch.kind, sketch.facts, sketch.rng
    bottom, width = _skirt(facts["hem"])
    reach = width + rng.uniform(-3, 4)
    waist = 44 + rng.uniform(-2, 2)
    _sleeves(canvas, sketch, facts["sleeves"])
    straps = kind == "summer dress"
    top: list[Point] = (
        [(50, 27), (57, 25), (60, 24), (60.5, 30)] if straps else [(55.5, 15), (62, 18), (62, 18), (61, 30)]
    )
    side = [(58.5, waist - 3), (58, waist), (58, waist), (63, waist + 12), (50 + reach, bottom), (50 + reach, bottom)]
    half = curve([*top, *side])
    hem = [(50 + reach * 0.5, bottom + 1.6), (50, bottom + 2)]
    if straps:
        for x in (43, 57):
            canvas.line([(x, 26), (50 + (x - 50) * 0.8, 14)], sketch.dark, 1.1)
    canvas.shape(mirrored([*half, *hem]), sketch.cloth, edge=sketch.edge)
    for share in (0.28, 0.62):  # folds
        for way in (-1, 1):
            canvas.line([(50 + way * 4, waist + 8), (50 + way * reach * share, bottom - 2)], sketch.fold, 0.5)
    if kind == "maxi dress":
        for share in (0.35, 0.68):
            y = waist + (bottom - waist) * share
            wide = 8 + (reach - 7) * share * 0.95
            canvas.line([(50 - wide, y), (50, y + 1.4), (50 + wide, y)], sketch.fold, 0.8, smooth=True)
        canvas.oval(50, 15.5, 6, 4.5, sketch.ground, edge=sketch.edge)
    if kind == "wrap dress":
        canvas.shape([(44.5, 14), (55.5, 14), (50, 31)], sketch.ground)
        canvas.line([(44.5, 15), (50, 31), (55.5, 15)], sketch.edge)
        canvas.line([(50, 31), (42, waist)], sketch.edge)
        canvas.box(41.8, waist - 1.5, 58.2, waist + 1.5, sketch.dark)
        canvas.line([(43, waist), (39, waist + 12)], sketch.dark, 1.3)
        canvas.line([(43, waist), (43.5, waist + 13)], sketch.dark, 1.3)
        canvas.line([(43, waist + 2), (50 - reach * 0.2, bottom)], sketch.edge)
    if kind == "shirt dress":
        canvas.shape([(45, 13.5), (55, 13.5), (50, 22)], sketch.ground)
        for way in (-1, 1):
            collar = [(50 + way * 4.6, 13), (50 + way * 9, 18), (50 + way * 5, 23), (50, 20.5)]
            canvas.shape(collar, sketch.pale, edge=sketch.edge)
        canvas.line([(50, 21), (50, bottom + 1)], sketch.edge)
        for y in range(26, int(bottom), 8):
            canvas.oval(51.4, y, 0.8, 0.8, sketch.pale, edge=sketch.dark, width=0.3)
        canvas.box(41.6, waist - 1.4, 58.4, waist + 1.4, sketch.accent, edge=sketch.edge, width=0.4)
    if straps:
        canvas.line([(41.8, waist), (50, waist + 1), (58.2, waist)], sketch.edge, 0.7, smooth=True)


def knitwear(canvas: Canvas, sketch: Sketch) -> None:
    kind, rng = sketch.kind, sketch.rng
    vest, cardigan, roll = kind == "knitted vest", kind == "cardigan", kind == "roll-neck jumper"
    bottom = 80 + rng.uniform(-3, 3)
    wide = 21 + rng.uniform(-2, 2)
    if not vest:
        for way in (-1, 1):
            sleeve = [(14, 20), (21, 23), (25, 32), (31, 62), (33, 74), (26, 76), (22, 60), (17, 38)]
            canvas.shape(curve([(50 + way * x, y) for x, y in sleeve], closed=True), sketch.cloth, edge=sketch.edge)
            cuff = [(50 + way * x, y) for x, y in ((33.6, 72), (34.2, 79), (26.4, 80.5), (25.6, 74))]
            canvas.shape(cuff, sketch.trim, edge=sketch.edge)
    shoulder: list[Point] = (
        [(57, 16), (66, 19), (68, 24), (67.5, 36), (69, 44)] if vest else [(57, 16), (66, 20), (71, 25), (69, 42)]
    )
    body = mirrored([*curve([*shoulder, (50 + wide - 1, 60), (50 + wide, bottom)]), (50, bottom + 0.5)])
    canvas.shape(body, sketch.cloth, edge=sketch.edge)
    canvas.box(50 - wide, bottom - 5, 50 + wide, bottom + 1.5, sketch.trim, round_=1.5, edge=sketch.edge)
    for x in range(int(51 - wide), int(50 + wide), 3):
        canvas.line([(x, bottom - 4.5), (x, bottom + 1)], sketch.dark, 0.3)
    if vest or cardigan:
        low = 40 if vest else 44
        canvas.shape([(42.5, 15.5), (57.5, 15.5), (50, low)], sketch.inside)
        for way in (-1, 1):
            canvas.line([(50 + way * 8, 15.5), (50 + way * 0.4, low + 1)], sketch.trim, 2.6)
        if vest:
            for way in (-1, 1):
                canvas.line([(50 + way * 17, 22), (50 + way * 16.6, 40)], sketch.trim, 2)
    if cardigan:
        canvas.box(48.2, low, 51.8, bottom + 1.2, sketch.trim, edge=sketch.edge, width=0.4)
        for y in range(int(low) + 4, int(bottom), 8):
            canvas.oval(50, y, 1.3, 1.3, sketch.accent, edge=sketch.dark, width=0.4)
        for x in (36, 58):
            canvas.box(x - 2, 60, x + 8, 70, sketch.cloth, edge=sketch.edge)
    if roll:
        canvas.box(42, 8, 58, 19, sketch.trim, round_=2.5, edge=sketch.edge)
        canvas.line([(42.4, 14), (50, 15.5), (57.6, 14)], sketch.edge, 0.6, smooth=True)
    elif not (vest or cardigan):
        canvas.oval(50, 16, 9, 4.4, sketch.trim, edge=sketch.edge)
        canvas.oval(50, 15, 6.6, 2.8, sketch.inside)


def _pair(
    canvas: Canvas, sketch: Sketch, upper: Sequence[Point], sole: Sequence[Point], colour: tuple[int, int, int]
) -> None:
    """The shoe behind, a little up and to the right, in plain darker paint, then the one in front."""
    away = [(x + 7, y - 6) for x, y in upper]
    canvas.shape(away, sketch.dark, edge=sketch.edge)
    canvas.shape([(x + 7, y - 6) for x, y in sole], darker(colour, 0.25), edge=sketch.edge)
    canvas.shape(upper, sketch.cloth, edge=sketch.edge)
    canvas.shape(sole, colour, edge=sketch.edge)


def sneakers(canvas: Canvas, sketch: Sketch) -> None:
    white = (246, 244, 238)
    upper = curve(
        [
            (12, 44),
            (12, 44),
            (22, 42),
            (34, 47),
            (46, 38),
            (46, 38),
            (58, 50),
            (74, 57),
            (86, 61),
            (90, 70),
            (90, 70),
            (12, 70),
            (12, 70),
            (10, 56),
        ],
        closed=True,
    )
    sole = curve(
        [(10, 69), (10, 69), (50, 69), (90, 68), (93, 70), (92, 76), (90, 77), (12, 77), (9, 76), (9, 71)], closed=True
    )
    _pair(canvas, sketch, upper, sole, white)
    canvas.shape(
        curve([(76, 58), (86, 61), (90, 69), (90, 69), (73, 69), (73, 69), (73, 63)], closed=True),
        sketch.pale,
        edge=sketch.edge,
    )
    canvas.shape([(11, 47), (20, 46), (22, 69), (11, 69)], sketch.accent, edge=sketch.edge)
    if sketch.rng.random() < 0.6:
        canvas.line([(28, 66), (44, 50), (52, 64)], sketch.accent, 2.2)
    for step in range(5):
        x, y = 46 + step * 5.2, 42 + step * 3.8
        canvas.line([(x, y), (x - 5, y + 5.5)], white, 1.5)
    canvas.line([(11, 73), (91, 73)], mix(white, sketch.accent, 0.6), 0.7)


def trail_shoes(canvas: Canvas, sketch: Sketch) -> None:
    rubber = darker(sketch.accent, 0.55)
    upper = curve(
        [
            (12, 40),
            (12, 40),
            (24, 41),
            (34, 46),
            (45, 36),
            (45, 36),
            (58, 49),
            (76, 55),
            (89, 61),
            (92, 70),
            (92, 70),
            (11, 70),
            (11, 70),
            (9, 54),
        ],
        closed=True,
    )
    teeth: list[Point] = [(92, 69), (94, 73)]
    for x in range(90, 10, -8):
        teeth += [(x, 79), (x - 3, 79), (x - 4, 75), (x - 7, 75)]
    sole = [(9, 68), *teeth, (9, 78)]
    _pair(canvas, sketch, upper, sole, rubber)
    canvas.shape(
        curve([(74, 56), (88, 60), (92, 69), (92, 69), (70, 69), (70, 69), (72, 62)], closed=True),
        rubber,
        edge=sketch.edge,
    )
    canvas.line([(15, 66), (28, 50), (40, 66), (52, 52), (64, 66)], sketch.accent, 1.8)
    canvas.line([(9, 69), (92, 69)], sketch.accent, 1.6)
    canvas.line([(12, 42), (9, 36)], sketch.accent, 1.6)
    for step in range(4):
        x, y = 46 + step * 6, 41 + step * 4
        canvas.line([(x, y), (x - 6, y + 5)], sketch.accent, 1.3)


def boots(canvas: Canvas, sketch: Sketch) -> None:
    rubber = darker(sketch.main, 0.6)
    high = sketch.rng.uniform(18, 24)
    upper = curve(
        [
            (20, high),
            (20, high),
            (47, high),
            (47, high),
            (48, 44),
            (52, 54),
            (68, 58),
            (82, 63),
            (87, 72),
            (87, 72),
            (17, 72),
            (17, 72),
            (18, 50),
        ],
        closed=True,
    )
    sole = [(16, 71), (88, 71), (89, 75), (40, 76), (38, 83), (16, 83)]
    _pair(canvas, sketch, upper, sole, rubber)
    if sketch.rng.random() < 0.5:
        canvas.shape(
            curve([(28, high + 6), (38, high + 6), (41, 46), (36, 54), (28, 52)], closed=True),
            sketch.accent,
            edge=sketch.edge,
        )
        for x in (30, 33, 36):
            canvas.line([(x, high + 8), (x + 1, 50)], darker(sketch.accent), 0.4)
    else:
        canvas.line([(34, high + 2), (36, 68)], sketch.pale, 1.1)
        canvas.line([(34, high + 2), (34, high + 8)], sketch.dark, 1.6)
    canvas.line([(20, high), (20, high - 5)], sketch.dark, 2)
    canvas.line([(18, 69.5), (87, 69.5)], sketch.dark, 0.6)


def loafers(canvas: Canvas, sketch: Sketch) -> None:
    rubber = darker(sketch.main, 0.6)
    upper = curve(
        [
            (13, 50),
            (13, 50),
            (20, 48),
            (34, 57),
            (46, 56),
            (54, 50),
            (66, 53),
            (80, 59),
            (90, 67),
            (91, 72),
            (91, 72),
            (12, 72),
            (12, 72),
            (11, 60),
        ],
        closed=True,
    )
    sole = [(11, 71), (92, 71), (92, 74), (34, 75), (32, 80), (11, 80)]
    _pair(canvas, sketch, upper, sole, rubber)
    canvas.shape(curve([(18, 51), (34, 58), (46, 57), (44, 61), (30, 63)], closed=True), sketch.inside)
    canvas.line([(46, 56), (60, 61), (84, 66)], sketch.edge, 0.8, smooth=True)
    canvas.shape([(47, 54), (56, 50), (63, 66), (54, 69)], sketch.accent, edge=sketch.edge)
    canvas.oval(55, 60, 2.2, 1.1, sketch.dark, tilt=60)


def tote(canvas: Canvas, sketch: Sketch) -> None:
    top = 40 + sketch.rng.uniform(-3, 3)
    handle = sketch.trim
    canvas.line([(36, top + 4), (38, 16), (50, 9), (62, 16), (64, top + 4)], darker(handle), 2.4, smooth=True)
    canvas.shape([(22, top), (78, top), (82, 90), (18, 90)], sketch.cloth, edge=sketch.edge)
    canvas.line([(34, top + 12), (35, 24), (50, 15), (65, 24), (66, top + 12)], handle, 2.6, smooth=True)
    canvas.line([(22, top + 5), (78, top + 5)], sketch.fold, 0.6)
    for x in (34, 66):
        canvas.box(x - 2.4, top + 8, x + 2.4, top + 16, handle, edge=sketch.edge, width=0.4)
    canvas.box(18.6, 82, 81.4, 90, sketch.dark if sketch.rng.random() < 0.5 else sketch.cloth, edge=sketch.edge)


def crossbody(canvas: Canvas, sketch: Sketch) -> None:
    canvas.line([(25, 52), (22, 26), (50, 8), (78, 26), (75, 52)], sketch.dark, 1.8, smooth=True)
    canvas.box(22, 46, 78, 84, sketch.cloth, round_=7, edge=sketch.edge)
    drop = sketch.rng.choice((66, 70, 74))
    flap = curve(
        [(21, 46), (21, 46), (79, 46), (79, 46), (78, 60), (66, drop), (50, drop + 2), (34, drop), (22, 60)],
        closed=True,
    )
    canvas.shape(flap, sketch.trim if sketch.rng.random() < 0.5 else sketch.cloth, edge=sketch.edge)
    canvas.box(46, drop - 4, 54, drop + 5, (208, 172, 96), round_=1.5, edge=(120, 92, 44))
    for x in (25, 75):
        canvas.oval(x, 49, 2.2, 2.2, (208, 172, 96), edge=(120, 92, 44))


def handbag(canvas: Canvas, sketch: Sketch) -> None:
    brass = (208, 172, 96)
    canvas.line([(36, 44), (37, 24), (50, 15), (63, 24), (64, 44)], sketch.dark, 3, smooth=True)
    body = curve(
        [(24, 42), (24, 42), (76, 42), (76, 42), (83, 64), (85, 84), (80, 88), (50, 89), (20, 88), (15, 84), (17, 64)],
        closed=True,
    )
    canvas.shape(body, sketch.cloth, edge=sketch.edge)
    canvas.box(23, 40, 77, 49, sketch.trim, round_=3, edge=sketch.edge)
    canvas.line([(33, 50), (34, 29), (50, 20), (66, 29), (67, 50)], sketch.trim, 2.6, smooth=True)
    for x in (33, 67):
        canvas.oval(x, 50, 2.2, 2.2, brass, edge=(120, 92, 44))
    canvas.box(46, 46, 54, 55, brass, round_=1.5, edge=(120, 92, 44))
    canvas.line([(18, 76), (50, 78), (82, 76)], sketch.fold, 0.7, smooth=True)
    if sketch.rng.random() < 0.4:
        canvas.line([(67, 50), (72, 62)], sketch.accent, 1)
        canvas.shape([(70, 61), (75, 61), (76, 71), (71, 72)], sketch.accent, edge=sketch.edge)


def weekend_bag(canvas: Canvas, sketch: Sketch) -> None:
    canvas.line([(32, 54), (34, 30), (50, 22), (66, 30), (68, 54)], sketch.dark, 2.6, smooth=True)
    body = curve([(12, 52), (20, 43), (80, 43), (88, 52), (91, 74), (88, 84), (12, 84), (9, 74)], closed=True)
    canvas.shape(body, sketch.cloth, edge=sketch.edge)
    canvas.line([(18, 46), (82, 46)], sketch.pale, 1.4)
    canvas.box(76, 44.5, 80, 49, (208, 172, 96), round_=1)
    for x in (32, 68):
        canvas.box(x - 3, 47, x + 3, 84, sketch.trim, edge=sketch.edge)
    canvas.line([(32, 50), (34, 35), (50, 27), (66, 35), (68, 50)], sketch.trim, 2.8, smooth=True)
    canvas.box(44, 30, 56, 25, sketch.dark)
    for x in (13, 87):
        canvas.oval(x, 60, 2, 2, (208, 172, 96), edge=(120, 92, 44))
    canvas.box(40, 62, 60, 78, lighter(sketch.main, 0.1), round_=2, edge=sketch.edge)
