"""Documents as people keep them and editors export them: one verdict by the API, the checker and files."""

from datetime import UTC, datetime

import httpx2
import pytest
from msgspec.structs import replace

from loopwright.server.content.message import check_message
from loopwright.server.definitions.apply import apply_definitions
from loopwright.server.definitions.mistakes import InvalidDefinitions
from loopwright.server.definitions.parse import parse
from loopwright.server.mail.design import Design, SharedComponent, expand
from loopwright.server.mail.render import fill, prepare
from loopwright.server.mail.tags import STYLE
from loopwright.server.mail.template import Values
from loopwright.server.mail.variables import EmailKind
from loopwright.server.store.database import Pool
from support.content import PLAIN
from support.factories import add_library, first_team
from support.live import LiveServer

EXPORTED = " ".join(
    f'{key}="{"Default" if key == "bodyFontFamily" else "0" if key.endswith(("Padding", "Format")) else ""}"'
    for key in STYLE
)
IMAGE = '<Image src="https://images.example.com/a.png" dynamicSrc="{data.picture}" width="120"/>'
ITEM = "<ColumnItem>{}</ColumnItem>"
TEXT = "<Paragraph>Hello</Paragraph>"
ACCEPTED = {
    "exported, with every style key": f"<Style {EXPORTED}/>\n{TEXT}",
    "a byte-order mark": f"\ufeff{TEXT}",
    "our theme and component": '<Style themeId="ctheme" bodyColor="#fff"/>'
    f'<Component componentId="ccomponent"/>{TEXT}',
    "a component with its own children": f'<Component componentId="ccomponent">{TEXT}</Component>',
    "an image without an alignment": IMAGE,
    "columns with their own alignment": '<Columns widths="40,60" verticalAlignment="middle">'
    + ITEM.format(TEXT)
    + f'<ColumnItem verticalAlignment="bottom">{TEXT}</ColumnItem></Columns>',
    "spacers and large paddings": '<Paragraph></Paragraph><Section paddingTop="240">'
    '<Paragraph paddingLeft="999">x</Paragraph></Section>',
    "fonts with digits": f'<Style bodyFontFamily="Source Sans 3"/>{TEXT}',
    "a stack of fonts": f"<Style bodyFontFamily=\"'Exo 2', serif\"/>{TEXT}",
    "attributes of old exports": '<Button href="https://example.com/?a=1&amp;b=2" '
    'textFormat="1" size="large">Go</Button>',
    "nested lists and colours": "<UnorderedList><ListItem><Text textColor='#f00'>a "
    "<Strong textColor='#00f'>b</Strong></Text>"
    "<OrderedList start='3'><ListItem>c</ListItem></OrderedList></ListItem></UnorderedList>",
    "raw code": "<CodeBlock>const {a} = b &lt; c;</CodeBlock>",
    "icons, with a bare domain": '<Icons><Icon name="github" href="github.com/acme"/></Icons>',
    "a condition and a repeat": '<Section if="{data.code}">'
    f'{TEXT}</Section><For variable="{{data.items}}"><Paragraph>{{data.items[].name}}</Paragraph></For>',
    "comments": f"<!-- Good -->{TEXT}<!-- Bye -->",
}
REFUSED = {
    "another language": ("<p>Hello</p><mj-text>x</mj-text>", "is not a tag of LMX"),
    "cut off": ("<Paragraph>Hello <Strong>you</Paragraph><unfin", "<Strong>"),
    "two styles": (f"<Style/>{TEXT}<Style bodyColor='#fff'/>", "<Style>"),
    "old variables": ("<Paragraph>{DATA_VARIABLE:link}</Paragraph>", "{data.link}"),
    "fallbacks inside": ("<Paragraph>{data.name|there}</Paragraph>", "{data.name}"),
    "double braces": ("<Paragraph>{{ firstName }}</Paragraph>", "{data.firstName}"),
    "a theme that is nobody's": (f'<Style themeId="cnone"/>{TEXT}', "<Style> references unknown themeId"),
    "a component that is nobody's": ('<Component componentId="cnone"/>', "componentId"),
    "shares for other columns": (f'<Columns widths="50,50">{ITEM.format(TEXT) * 3}</Columns>', '"widths"'),
    "text outside a block": ("Hello {data.name}", "<Paragraph>"),
    "a condition in a condition": (
        f'<Section if="{{data.a}}"><Section if="{{data.b}}">{TEXT}</Section></Section>',
        "<Section>",
    ),
}  # fmt: skip
DATA = {"code": "1", "picture": "https://x.test/p.png", "items": [{"name": "VALUE"}]}
DESIGN = Design(components={"ccomponent": SharedComponent("Line", "<Divider/>")}, themes={"ctheme": {}})
NEW = '"\nfrom = "hello"\nfrom_name = "Acme"\nname = "Found"\nbody = "found.lmx"\n'


async def by_files(pool: Pool, team_id: str, lmx: str) -> str:
    """What applying a folder with that email says against it; nothing stays."""
    files = {
        "transactional/found.toml": f'subject = "s{NEW}',
        "transactional/found.lmx": lmx.lstrip("\ufeff"),
    }
    try:
        async with pool.acquire() as tx:
            trying = tx.transaction()
            await trying.start()
            try:
                await apply_definitions(tx, team_id, parse(files), now=datetime.now(UTC))
            finally:
                await trying.rollback()
    except InvalidDefinitions as invalid:
        return str(invalid)
    return ""


def by_checker(lmx: str, kind: EmailKind = "transactional") -> str:
    return " ".join(one.message for one in check_message(replace(PLAIN, lmx=lmx), kind).problems)


async def test_verdicts(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """What is accepted is rendered, and what is refused is told with its remedy, in all three ways."""
    pool, team_id = live_server.pool, await first_team(live_server.pool)
    await add_library(pool, team_id, uploads=0)
    made = (await http.post("/transactional-emails", json={"name": "Found"})).json()
    path = f"/email-messages/{made['draftEmailMessageId']}"
    preview = {"emails": ["ada@example.com"], "dataVariables": DATA}
    for name, lmx in ACCEPTED.items():
        answer = await http.post(path, json={"lmx": lmx, "subject": "Found", "fromEmail": "hello"})
        assert answer.status_code == 200, (name, answer.json())
        assert (by_checker(lmx), await by_files(pool, team_id, lmx)) == ("", ""), name
        answer = await http.post(f"{path}/preview", json=preview)
        assert answer.status_code == 200, (name, answer.json())
        again = (await http.get(path)).json()["lmx"]
        assert (await http.post(path, json={"lmx": again})).json()["lmx"] == again, name
    before = (await http.get(path)).json()
    for name, (lmx, said) in REFUSED.items():
        answer = await http.post(path, json={"lmx": lmx})
        assert answer.status_code == 422, name
        assert said in answer.json()["message"], (name, answer.json())
        assert said in await by_files(pool, team_id, lmx), name
        if "cnone" not in lmx:
            assert said in by_checker(lmx), name
    assert (await http.get(path)).json() == before


@pytest.mark.parametrize("name", ACCEPTED)
def test_rendering(name: str) -> None:
    """All that a reader may see is there, and nothing of the markup."""
    lmx = ACCEPTED[name]
    values = Values(data=DATA, system={"icons_root": "https://x.test/icons"})
    lmx = expand(lmx, DESIGN)
    filled = fill(prepare(replace(PLAIN, lmx=lmx), None), values)
    assert "{data." not in filled.html + filled.text
    assert ("Hello" in filled.text) == (TEXT in lmx)
