"""Icons: the images that there are, and how a row of them arrives."""

import re
import struct
import zlib

import pytest

from loopwright.server.mail.icon_names import COLORS, FOLDER, ICONS, IMAGE_PIXELS, file_name
from loopwright.server.mail.layout import Footer
from loopwright.server.mail.render import Rendered, fill, prepare
from loopwright.server.mail.template import Values
from support.rendered import Page, message

ROOT = "https://mail.x.org/icons"
SYSTEM = {"icons_root": ROOT, "unsubscribe_link": "https://x.org/unsubscribe/t"}
ROW = """
<Icons {}>
<Icon name="square-x-twitter" href="x.com/acme"/>
<Icon name="envelope" href="ada@x.org"/>
<Icon name="phone"/>
</Icons>
"""


def rendered(attributes: str = "", row: str = ROW) -> Rendered:
    return fill(prepare(message(row.format(attributes)), None), Values(system=SYSTEM))


def opacities(name: str, color: str) -> bytes:
    """The indices of an image's palette, two a byte, after looking at everything else in it."""
    data = (FOLDER / file_name(name, color)).read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    chunks: dict[bytes, bytes] = {}
    at = 8
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        kind, held = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        assert zlib.crc32(kind + held) == int.from_bytes(data[at + 8 + size : at + 12 + size], "big")
        chunks[kind] = held
        at += 12 + size
    assert struct.unpack(">II", chunks[b"IHDR"][:8]) == (IMAGE_PIXELS, IMAGE_PIXELS)
    assert set(re.findall(b"...", chunks[b"PLTE"], re.DOTALL)) == {bytes.fromhex(color[1:])}
    return zlib.decompress(chunks[b"IDAT"])


def test_there_is_an_image_of_every_icon_in_every_colour_and_nothing_else() -> None:
    expected = {file_name(name, color) for name in ICONS for color in COLORS}
    assert {path.name for path in FOLDER.iterdir()} == expected | {"LICENSE"}
    assert sum(path.stat().st_size for path in FOLDER.glob("*.png")) < 400_000


@pytest.mark.parametrize("name", ICONS)
def test_an_icon_is_one_shape_in_three_colours(name: str) -> None:
    """And there is something to see, which is not everything."""
    shapes = {opacities(name, color) for color in COLORS}
    assert len(shapes) == 1
    assert len(set(shapes.pop())) > 2


def test_a_row_is_linked_images_with_absolute_addresses_and_names() -> None:
    page = Page(rendered('size="32"').html)
    assert [image["src"] for image in page.all("img")] == [
        f"{ROOT}/{name}-gray.png" for name in ("square-x-twitter", "envelope", "phone")
    ]
    assert [image["alt"] for image in page.all("img")] == ["X", "Email", "Phone"]
    assert {(image["width"], image["height"]) for image in page.all("img")} == {("32", "32")}
    assert [link["href"] for link in page.all("a")] == ["https://x.com/acme", "mailto:ada@x.org"]


def test_the_text_part_has_names_and_links() -> None:
    assert rendered().text == "X: https://x.com/acme\nEmail: mailto:ada@x.org\nPhone\n"


@pytest.mark.parametrize(
    ("attributes", "style"),
    [
        ('gap="30"', "padding:4px 30px 4px 0"),
        ('gap="30" align="right"', "padding:4px 0 4px 30px"),
        ('gap="30" align="center"', "padding:4px 15px"),
    ],
)
def test_the_gap_is_between_icons_and_not_at_the_side_they_align_to(attributes: str, style: str) -> None:
    styles = [cell.get("style") for cell in Page(rendered(attributes).html).all("td")]
    assert styles.count(style) == 3


@pytest.mark.parametrize(
    ("attributes", "colors"),
    [
        pytest.param('color="#000000"', ["black", "white"], id="black on a light page turns"),
        pytest.param('color="#000000" blockColor="#1f6feb"', ["black"], id="black on a ground that stays"),
        pytest.param('color="#FFFFFF" blockColor="#000000"', ["white"], id="white on black"),
        pytest.param('color="#808080"', ["gray"], id="gray is seen in both"),
    ],
)
def test_what_a_dark_screen_shows(attributes: str, colors: list[str]) -> None:
    """The second image is hidden where nobody reads style sheets, and from Outlook altogether."""
    html = rendered(attributes).html
    images = [one for one in Page(html).all("img") if "/phone-" in (one["src"] or "")]
    assert [one["src"] for one in images] == [f"{ROOT}/phone-{color}.png" for color in colors]
    sheet = html[html.index("prefers-color-scheme") :]
    for image in images[1:]:
        assert "display:none" in (image["style"] or "")
        assert f".{image['class']} {{ display: block !important; }}" in sheet
        assert f".{images[0]['class']} {{ display: none !important; }}" in sheet
    seen_by_outlook = re.sub(r"<!--\[if !mso\]><!-->.*?<!--<!\[endif\]-->", "", html, flags=re.DOTALL)
    assert seen_by_outlook.count("/phone-") == 1


def test_rows_break_in_outlook_where_there_is_no_room() -> None:
    """44 pixels each: twelve fit into 540, so thirty need three rows."""
    row = "<Icons {}>" + '<Icon name="link"/>' * 30 + "</Icons>"
    html = rendered("", row).html
    for_outlook = "".join(re.findall(r"<!--\[if mso \| IE\]>(.*?)<!\[endif\]-->", html, re.DOTALL))
    rows = [part.count("<td>") for part in for_outlook.split('align="left"><tr>')[1:]]
    assert sum(rows) == 30
    assert len(rows) == 3
    assert max(rows) == 12


def test_icons_stand_in_columns_and_sections_of_marketing_email() -> None:
    row = ROW.format("")
    lmx = (
        f"<Columns><ColumnItem>{row}</ColumnItem><ColumnItem><Section>{row}</Section></ColumnItem></Columns>"
        f'<Section href="https://x.org">{row}</Section>'
    )
    footer = Footer(company="Acme", address="1 Square")
    page = Page(fill(prepare(message(lmx), footer), Values(system=SYSTEM)).html)
    assert len(page.all("img")) == 9
    assert len(page.all("a")) == 7  # two a row and the footer's; links hold no links
