"""Draws a product: its kind's silhouette in its own colours and pattern, on a soft ground with a shadow.

The same product always gives the same bytes for the same version of Pillow."""

from collections.abc import Callable
from functools import cache
from io import BytesIO
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from . import drawings_goods as goods
from . import drawings_play as play
from . import drawings_wear as wear
from .canvas import SCALE, SIZE, Canvas, Colour, darker, lighter, mix
from .palette import COLOURS
from .records import Product
from .sketch import Sketch
from .textures import cloth

_DRAWINGS: dict[str, Callable[[Canvas, Sketch], None]] = {
    "wrap dress": wear.dress,
    "shirt dress": wear.dress,
    "maxi dress": wear.dress,
    "summer dress": wear.dress,
    "crew-neck jumper": wear.knitwear,
    "roll-neck jumper": wear.knitwear,
    "cardigan": wear.knitwear,
    "knitted vest": wear.knitwear,
    "sneakers": wear.sneakers,
    "ankle boots": wear.boots,
    "loafers": wear.loafers,
    "trail shoes": wear.trail_shoes,
    "tote bag": wear.tote,
    "crossbody bag": wear.crossbody,
    "handbag": wear.handbag,
    "weekend bag": wear.weekend_bag,
    "over-ear headphones": goods.headphones,
    "on-ear headphones": goods.headphones,
    "earbuds": goods.earbuds,
    "electric kettle": goods.electric_kettle,
    "gooseneck kettle": goods.gooseneck_kettle,
    "stovetop kettle": goods.stovetop_kettle,
    "table lamp": goods.table_lamp,
    "floor lamp": goods.floor_lamp,
    "pendant lamp": goods.pendant_lamp,
    "desk lamp": goods.desk_lamp,
    "daypack": play.daypack,
    "hiking backpack": play.hiking_backpack,
    "roll-top backpack": play.roll_top,
    "wooden train": play.train,
    "soft toy": play.soft_toy,
    "stacking tower": play.stacking_tower,
    "building block set": play.blocks,
    "novel": play.book,
    "cookbook": play.book,
    "travel guide": play.book,
}

_GROUNDS: tuple[Colour, ...] = (
    (236, 231, 222),
    (226, 232, 236),
    (232, 226, 234),
    (228, 234, 224),
    (240, 230, 226),
    (222, 226, 230),
    (238, 236, 224),
)


def _ground(colour: Colour, rng: Random, box: tuple[int, int, int, int] | None) -> Image.Image:
    """A plain wall, sometimes with a floor or a disc, and the shadow of what stands in `box`, if anything does."""
    image = Image.new("RGB", (SIZE, SIZE), colour)
    draw = ImageDraw.Draw(image)
    style = rng.choice(("plain", "floor", "disc", "plain"))
    if style == "floor":
        draw.rectangle((0, SIZE * 0.78, SIZE, SIZE), fill=darker(colour, 0.08))
    if style == "disc":
        draw.ellipse((SIZE * 0.12, SIZE * 0.12, SIZE * 0.88, SIZE * 0.88), fill=lighter(colour, 0.45))
    if not box:
        return image
    shadow = Image.new("L", (SIZE // 4, SIZE // 4))
    left, _, right, low = (edge / (4 * SCALE) for edge in box)
    ImageDraw.Draw(shadow).ellipse((left, low - 3, right, low + 2), fill=90)
    shadow = shadow.filter(ImageFilter.GaussianBlur(2.2)).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    image.paste(darker(colour, 0.75), mask=shadow)
    return image


@cache
def _light() -> Image.Image:
    """A sheet to multiply with: light from the left, a fifth less of it at the right edge."""
    light = Image.linear_gradient("L").rotate(-90).point(lambda value: 206 + value * 49 // 255)
    return Image.merge("RGB", [light.resize((SIZE, SIZE))] * 3)


def _sketch(product: Product, ground: Colour, rng: Random) -> Sketch:
    facts = product.facts
    main, accent = COLOURS[facts["colour"]], COLOURS[facts["colour2"]]
    ribs = {"chunky": 22, "mid-weight": 16, "fine": 11}.get(facts.get("weight", ""), 0)
    return Sketch(
        kind=facts["kind"],
        facts=facts,
        rng=rng,
        cloth=cloth(facts["pattern"], main, accent, rng, ribs=ribs),
        main=main,
        accent=accent,
        trim=rng.choice((darker(main, 0.15), accent, darker(main, 0.3))),
        pale=lighter(main, 0.55),
        dark=darker(main, 0.38),
        edge=darker(main, 0.45),
        fold=darker(main, 0.22),
        inside=darker(main, 0.5),
        ground=ground,
    )


def draw(product: Product) -> bytes:
    """The product's picture, a PNG of 320 x 320 pixels in at most 255 colours."""
    rng = Random(f"picture {product.external_id} {product.name}")
    main = COLOURS[product.facts["colour"]]
    ground = rng.choice(_GROUNDS)
    if min(main) > 215:
        ground = mix(darker(ground, 0.12), COLOURS[product.facts["colour2"]], 0.15)
    drawing = _DRAWINGS[product.facts["kind"]]
    zoom = rng.uniform(0.88, 1.0) * (0.9 if product.category == "Shoes" else 1.0)
    canvas = Canvas(ground, zoom=zoom, turn=rng.uniform(-3, 3), flip=rng.random() < 0.5)
    drawing(canvas, _sketch(product, ground, rng))
    picture = _ground(ground, rng, None if drawing is goods.pendant_lamp else canvas.mask.getbbox())
    lit = ImageChops.multiply(canvas.image.reduce(SCALE), _light())
    picture.paste(lit, mask=canvas.mask.reduce(SCALE))
    small = picture.quantize(255, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    out = BytesIO()
    small.save(out, "PNG", optimize=True)
    return out.getvalue()
