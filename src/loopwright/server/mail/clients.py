"""Mail programs: which of them do not show something that an email asks for. Nothing is looked up outside."""

from functools import lru_cache
from pathlib import Path

import msgspec
from msgspec import Struct

DATA = Path(__file__).parent / "client_support.json"
FEATURES = {
    "css-border-radius": "round corners",
    "image-avif": "AVIF images",
    "image-bmp": "BMP images",
    "image-heif": "HEIF images",
    "image-svg": "SVG images",
    "image-tiff": "TIFF images",
    "image-webp": "WebP images",
}
"""caniemail's names of what an author can choose in LMX, and ours. What the layout uses has a fallback."""


class ClientSupport(Struct, frozen=True):
    """Where the facts are from, of which day, and the programs that lack a feature."""

    source: str
    date: str
    lacking: dict[str, list[str]]


@lru_cache(1)
def client_support() -> ClientSupport:
    """What is known of mail programs."""
    return msgspec.json.decode(DATA.read_bytes(), type=ClientSupport)
