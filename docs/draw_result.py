"""Draw docs/result.png: a photo, and beside it what `hati classify` says of it.

python docs/draw_result.py PHOTO
"""

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

import hati
from hati import photos

HEIGHT, WIDTH, MARGIN = 300, 420, 28  # pixels
FIRST, APART, BAR = 78, 70, 12  # pixels: where the first name is, from name to name, and of a bar
INK, SOFT, FILL = "#1f2933", "#616e7c", "#2f7d6d"


def draw(photo: Path) -> Image.Image:
    """The photo at the left, the names that the command prints with bars at the right."""
    picture = photos.read(photo)
    picture = picture.resize((picture.width * HEIGHT // picture.height, HEIGHT))
    page = Image.new("RGB", (picture.width + WIDTH, HEIGHT), "white")
    page.paste(picture)
    pen = ImageDraw.Draw(page)
    left, full = picture.width + MARGIN, WIDTH - 2 * MARGIN
    small, large = ImageFont.load_default(16), ImageFont.load_default(20)
    pen.text((left, 26), f"$ hati classify {photo.name}", SOFT, small)
    for row, found in enumerate(hati.load().classify(photo)):
        top = FIRST + row * APART
        pen.text((left, top), found.name, INK, large)
        pen.text((left + full, top), f"{found.score:.4f}", INK, large, anchor="ra")
        bar = top + 29
        pen.rectangle((left, bar, left + full, bar + BAR), "#e4e7eb")
        pen.rectangle((left, bar, left + round(full * found.score), bar + BAR), FILL)
    return page


if __name__ == "__main__":
    draw(Path(sys.argv[1])).save(Path(__file__).with_name("result.png"), optimize=True)
