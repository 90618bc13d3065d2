"""Draw docs/result.png: a photo, and beside it what the default model says of it.

python docs/draw_result.py PHOTO
"""

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

import hati
from hati import photos

HEIGHT, WIDTH, MARGIN, BAR = 300, 420, 24, 22  # pixels
INK, SOFT, FILL = "#1f2933", "#616e7c", "#2f7d6d"


def draw(photo: Path) -> Image.Image:
    """The photo at the left, its five names with bars at the right."""
    picture = photos.read(photo)
    picture = picture.resize((picture.width * HEIGHT // picture.height, HEIGHT))
    page = Image.new("RGB", (picture.width + WIDTH, HEIGHT), "white")
    page.paste(picture)
    pen = ImageDraw.Draw(page)
    left, full = picture.width + MARGIN, WIDTH - 2 * MARGIN
    small, large = ImageFont.load_default(15), ImageFont.load_default(18)
    pen.text((left, 14), f"hati classify {photo.name}", SOFT, small)
    for row, found in enumerate(hati.load().classify(photo, top=5)):
        top = 46 + row * 50
        pen.text((left, top), found.name.replace("_", " "), INK, large)
        pen.text((left + full, top), f"{found.score:.2f}", INK, large, anchor="ra")
        pen.rectangle((left, top + 23, left + full, top + BAR + 9), "#e4e7eb")
        pen.rectangle((left, top + 23, left + round(full * found.score), top + BAR + 9), FILL)
    return page


if __name__ == "__main__":
    draw(Path(sys.argv[1])).save(Path(__file__).with_name("result.png"), optimize=True)
