"""`loopwright preview`: a gallery of a folder's emails, looked at with a real browser."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from loopwright.cli.program import program
from support.chromium import PHONE, chromium
from support.examples import WELCOME

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360f8cf500f0003860180"
    "5a347f6b0000000049454e44ae426082"
)
TOML = """
name = "Receipt <1>"
subject = "Receipt {data.number}"
from = "billing"
body = "receipt.lmx"

[samples.large.data]
number = "A-1 <b>"
items = [{ name = "Tea" }, { name = "Coffee" }]
"""
LMX = """<Style themeId="brand"/>
<Image src="images/logo.png" alt="Logo"/>
<H1>Number {data.number}</H1>
<For variable="{data.items}"><Paragraph>{data.items[].name}</Paragraph></For>
<Icons><Icon name="globe" href="https://acme.example"/></Icons>
<Button>Go on</Button>
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "transactional/receipt.toml": TOML,
        "transactional/receipt.lmx": LMX.replace("<Button>", '<Button href="http://acme.example">'),
        "themes/brand.toml": 'name = "Brand"\n[styles]\nbackgroundColor = "#ffeedd"\n',
    }
    for name, text in files.items():
        (tmp_path / "emails" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "emails" / name).write_text(text)
    (tmp_path / "emails" / "images").mkdir()
    (tmp_path / "emails" / "images" / "logo.png").write_bytes(PNG)
    return tmp_path / "emails"


def preview(folder: Path, out: Path) -> Result:
    return CliRunner().invoke(program, ["preview", str(folder), "--out", str(out)])


def test_every_email_is_shown_with_each_of_its_samples(folder: Path, tmp_path: Path) -> None:
    """Values of the file stand in for made-up ones; findings and sizes are told; images lie beside."""
    out = tmp_path / "out"
    done = preview(folder, out)
    assert done.exit_code == 0, done.output
    index = (out / "index.html").read_text()
    assert "Receipt &lt;1&gt;" in index
    page = (out / "transactional-receipt.large.html").read_text()
    assert "Receipt A-1 &lt;b&gt;" in page
    assert "href is not encrypted" in page
    light = (out / "transactional-receipt.large.light.html").read_text()
    assert "Number A-1 &lt;b&gt;" in light
    assert "Coffee" in light
    assert "#ffeedd" in light
    assert 'src="images/logo.png"' in light
    assert (out / "images" / "logo.png").read_bytes() == PNG
    assert list((out / "icons").glob("globe-*.png"))
    made_up = (out / "transactional-receipt.example.light.html").read_text()
    assert "Number [number]" in made_up


def test_a_sample_of_what_is_not_there_is_refused(folder: Path, tmp_path: Path) -> None:
    """With its place, as all mistakes; nothing is written."""
    toml = folder / "transactional" / "receipt.toml"
    toml.write_text(toml.read_text().replace("number =", "nomber ="))
    done = preview(folder, tmp_path / "out")
    assert done.exit_code == 1
    message = "transactional/receipt.toml:8: the email has no variable {data.nomber}; did you mean number?"
    assert message in done.output
    assert not (tmp_path / "out").exists()


def test_the_example_has_a_page_for_each_email(tmp_path: Path) -> None:
    """Workflows' emails are named by their bodies."""
    assert preview(WELCOME, tmp_path / "out").exit_code == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"transactional-receipt.example.html", "workflow-welcome-first-tip.example.dark.html"} <= names


async def test_pages_show_light_dark_and_a_phone(folder: Path, tmp_path: Path) -> None:
    """Whatever the reader's own screen is; nothing is asked of the network, and nothing is wider than it."""
    out = tmp_path / "out"
    assert preview(folder, out).exit_code == 0
    asked: list[str] = []
    async with chromium() as browser:
        context = await browser.new_context(**PHONE, color_scheme="dark")
        page = await context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        await page.goto((out / "transactional-receipt.large.html").as_uri())
        grounds = {}
        for frame in page.frames[1:]:
            await frame.wait_for_load_state()
            grounds[Path(frame.url).name] = await frame.evaluate(
                "getComputedStyle(document.body).backgroundColor"
            )
        wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    light = grounds["transactional-receipt.large.light.html"]
    assert light == "rgb(255, 238, 221)"
    assert grounds["transactional-receipt.large.dark.html"] != light
    assert wide <= 0
    assert all(url.startswith("file:") for url in asked)
