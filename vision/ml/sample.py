"""Small pictures that are drawn here: examples of inputs, and enough to fit on in a second."""

from functools import cache
from io import BytesIO

from experiments.mltask import Image

SIZE = 64


@cache
def picture(number: int) -> Image:
    """A disc (even) or a bar (odd) on a plain ground; each number has colours of its own."""
    from PIL import Image as Picture
    from PIL import ImageDraw

    colour = (37 * number % 256, 91 * number % 256, 200 - 29 * number % 200)
    found = Picture.new("RGB", (SIZE, SIZE), (235, 235 - number % 32, 225))
    draw = ImageDraw.Draw(found)
    if number % 2:
        draw.rectangle((8, 26 + number % 8, SIZE - 8, 38 + number % 8), fill=colour)
    else:
        draw.ellipse((10, 10 + number % 8, SIZE - 10, SIZE - 10), fill=colour)
    file = BytesIO()
    found.save(file, "PNG")
    return Image(file.getvalue())
