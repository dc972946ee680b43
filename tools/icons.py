"""Draw the images of `loopwright/server/mail/icons` from the SVG files of Bootstrap Icons.

Usage: `python -m tools.icons FOLDER`, where FOLDER is the unpacked npm package `bootstrap-icons` (1.13.2 was
used: `npm pack bootstrap-icons@1.13.2 && tar xf bootstrap-icons-1.13.2.tgz`, FOLDER is `package`). Chromium
draws; an icon is a mask of 16 shades, which is written once in each colour.
"""

import asyncio
import shutil
import struct
import sys
import zlib
from pathlib import Path

from playwright.async_api import Page, async_playwright

from loopwright.server.mail.icon_names import COLORS, FOLDER, ICONS, IMAGE_PIXELS, file_name

SHADES = 16

# Answers with the opacity of each pixel. Glyphs fill a view box of 16 by 16. The hole of a glyph is what its
# outline, filled, has and the glyph has not; a hair is taken off the outline, whose edge would shine through.
DRAW = """
async ([svg, drawing, pixels]) => {
  const load = async (source) => {
    const image = new Image();
    image.src = 'data:image/svg+xml,' + encodeURIComponent(source);
    await image.decode();
    return image;
  };
  const scaled = svg.replace(/<svg [^>]*>/, (tag) =>
    tag.replace(/width="16"/, `width="${4 * pixels}"`).replace(/height="16"/, `height="${4 * pixels}"`));
  const glyph = await load(scaled);
  const layer = () => {
    const canvas = new OffscreenCanvas(pixels, pixels);
    const context = canvas.getContext('2d');
    context.imageSmoothingQuality = 'high';
    return [canvas, context];
  };
  const [shape, shaping] = layer();
  if (drawing.startsWith('hole')) {
    shaping.beginPath();
    const inset = 0.01 * pixels;
    shaping.roundRect(inset, inset, pixels - 2 * inset, pixels - 2 * inset,
      (drawing.startsWith('hole of circle') ? 0.5 : 0.14) * pixels);
    shaping.fill();
    shaping.globalCompositeOperation = 'destination-out';
  }
  shaping.drawImage(glyph, 0, 0, pixels, pixels);
  const [canvas, context] = layer();
  if (drawing.endsWith('cut from square')) {
    context.beginPath();
    context.roundRect(0, 0, pixels, pixels, 0.14 * pixels);
    context.fill();
    context.globalCompositeOperation = 'destination-out';
    const side = (drawing.startsWith('hole') ? 1 : 0.64) * pixels;
    context.drawImage(shape, (pixels - side) / 2, (pixels - side) / 2, side, side);
  } else {
    context.drawImage(shape, 0, 0);
  }
  const data = context.getImageData(0, 0, pixels, pixels).data;
  return Array.from({length: pixels * pixels}, (_, at) => data[4 * at + 3]);
}
"""


def png(mask: list[int], color: str) -> bytes:
    """A square image of one colour; `mask` is the opacity of each pixel, 0 to 255."""
    shades = [round(opacity * (SHADES - 1) / 255) for opacity in mask]
    pairs = bytes(high << 4 | low for high, low in zip(shades[::2], shades[1::2], strict=True))
    width = IMAGE_PIXELS // 2
    rows = b"".join(b"\0" + pairs[start : start + width] for start in range(0, len(pairs), width))
    header = struct.pack(">IIBBBBB", IMAGE_PIXELS, IMAGE_PIXELS, 4, 3, 0, 0, 0)
    opacities = bytes(round(255 * shade / (SHADES - 1)) for shade in range(SHADES))
    palette = bytes.fromhex(color.removeprefix("#")) * SHADES
    chunks = ((b"IHDR", header), (b"PLTE", palette), (b"tRNS", opacities), (b"IDAT", zlib.compress(rows, 9)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in (*chunks, (b"IEND", b"")))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


async def draw(page: Page, source: Path) -> None:
    """Write every icon in every colour."""
    for name, icon in ICONS.items():
        svg = (source / "icons" / f"{icon.glyph}.svg").read_text(encoding="utf-8")
        mask: list[int] = await page.evaluate(DRAW, [svg, icon.drawing, IMAGE_PIXELS])
        for color in COLORS:
            (FOLDER / file_name(name, color)).write_bytes(png(mask, color))


async def main(source: Path) -> None:
    """Replace what the folder holds."""
    for old in FOLDER.glob("*.png"):
        old.unlink()
    (FOLDER / "LICENSE").write_bytes((source / "LICENSE").read_bytes())
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        await draw(await browser.new_page(), source)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
