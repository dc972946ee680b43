"""Groups, themes and components over HTTP, and the emails that use them."""

import asyncio
from typing import Any

import httpx2
import pytest

from loopwright.server.mail.render import fill, prepare
from loopwright.server.mail.style import DEFAULTS
from loopwright.server.mail.template import Values
from loopwright.server.store.database import Pool
from loopwright.server.store.messages import load_revisions
from support.contract import read
from support.drafts import SOUND, create, publish, send
from support.live import LiveServer
from support.refusals import code_of, refused

KINDS = ("transactional", "campaign", "workflow")


async def theme(http: httpx2.AsyncClient, **styles: object) -> str:
    made = read(await http.post("/themes", json={"name": "Day", "styles": styles}), 201)
    return str(made["id"])


async def component(http: httpx2.AsyncClient, lmx: str) -> str:
    made = read(await http.post("/components", json={"name": "Part", "lmx": lmx}), 201)
    return str(made["id"])


async def message_of(http: httpx2.AsyncClient, made: dict[str, Any]) -> dict[str, Any]:
    email = read(await http.get(f"/transactional-emails/{made['id']}"))
    message_id = email["draftEmailMessageId"] or email["publishedEmailMessageId"]
    return read(await http.get(f"/email-messages/{message_id}"))


async def accepted_html(live_server: LiveServer, code: str) -> str:
    """The HTML of the email that was accepted with that code, as its worker will make it."""
    async with live_server.pool.acquire() as tx:
        query = "SELECT team_id, revision_id FROM email WHERE data_variables ->> 'code' = $1"
        named = await tx.fetchrow(query, code)
        assert named
        [revision] = await load_revisions(tx, [(named["team_id"], named["revision_id"])])
    return fill(prepare(revision.content, None), Values(data={"code": code})).html


@pytest.mark.parametrize("kind", KINDS)
async def test_groups_are_of_one_kind(http: httpx2.AsyncClient, kind: str) -> None:
    """Unsorted is there from the first day and stays as it is; a group of one kind is none of another."""
    path = f"/{kind}-groups"
    first = read(await http.get(path))["data"]
    assert [(one["name"], one["description"]) for one in first] == [("Unsorted", "")]
    made = read(await http.post(path, json={"name": " Bills "}))
    assert (made["name"], made["description"]) == ("Bills", "")
    changed = read(await http.post(f"{path}/{made['id']}", json={"description": "What to pay"}))
    assert (changed["name"], changed["description"]) == ("Bills", "What to pay")
    assert read(await http.get(f"{path}/{made['id']}")) == changed
    assert [one["name"] for one in read(await http.get(path))["data"]] == ["Bills", "Unsorted"]
    refused(await http.post(path, json={"name": "UNSORTED "}), 400, "choose another name")
    refused(await http.post(f"{path}/{made['id']}", json={"name": "unsorted"}), 400, "choose another name")
    refused(await http.post(f"{path}/{first[0]['id']}", json={"description": "x"}), 400, "cannot be changed")
    for other in set(KINDS) - {kind}:
        refused(await http.get(f"/{other}-groups/{made['id']}"), 404, "Group not found.")


async def test_transactional_emails_have_groups(http: httpx2.AsyncClient) -> None:
    """The default one, or a transactional group of the team that the request names."""
    unsorted = read(await http.get("/transactional-groups"))["data"][0]["id"]
    bills = read(await http.post("/transactional-groups", json={"name": "Bills"}))["id"]
    news = read(await http.post("/campaign-groups", json={"name": "News"}))["id"]
    made = read(await http.post("/transactional-emails", json={"name": "Code"}), 201)
    assert made["transactionalGroupId"] == unsorted
    other = {"name": "Bill", "transactionalGroupId": bills}
    assert read(await http.post("/transactional-emails", json=other), 201)["transactionalGroupId"] == bills
    address = f"/transactional-emails/{made['id']}"
    assert read(await http.post(address, json={"transactionalGroupId": bills}))["name"] == "Code"
    assert read(await http.post(address, json={"transactionalGroupId": unsorted}))["name"] == "Code"
    for wrong in (news, "cnone"):
        refused(await http.post(address, json={"transactionalGroupId": wrong}), 400, "Group not found.")


async def test_groups_of_others(http: httpx2.AsyncClient, stranger: dict[str, str]) -> None:
    """Another team's groups, themes and components are not there."""
    group = read(await http.post("/workflow-groups", json={"name": "Ours"}))["id"]
    ours = {
        f"/workflow-groups/{group}": {"name": "x"},
        f"/themes/{await theme(http)}": {"name": "x"},
        f"/components/{await component(http, '<Divider/>')}": {"name": "x"},
    }
    for address, body in ours.items():
        refused(await http.get(address, headers=stranger), 404, "not found.")
        refused(await http.post(address, json=body, headers=stranger), 404, "not found.")


async def test_a_theme_styles_emails(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """Emails that were accepted keep the theme they had; the revision stays, since the LMX did not change."""
    dark = await theme(http, bodyColor="#112233", buttonBodyColor="#abcdef")
    lmx = (
        f'<Style themeId="{dark}" bodyXPadding="40"/>{SOUND["lmx"]}<Button href="https://a.test">Go</Button>'
    )
    made = await create(http, **{**SOUND, "lmx": lmx})
    await publish(http, made)
    before = await message_of(http, made)
    await send(http, made, code="first")
    changed = read(await http.post(f"/themes/{dark}", json={"styles": {"bodyColor": "#445566"}}))
    assert changed["affectedEmailCount"] == 1
    assert changed["styles"] == {**DEFAULTS, "bodyColor": "#445566", "buttonBodyColor": "#abcdef"}
    await send(http, made, code="second")
    assert await message_of(http, made) == before
    first, second = [await accepted_html(live_server, code) for code in ("first", "second")]
    assert "#112233" in first
    assert "#445566" not in first
    assert "#445566" in second
    assert "#112233" not in second
    assert "#abcdef" in first
    assert "#abcdef" in second


async def test_a_theme_read_and_written_back_looks_the_same(
    http: httpx2.AsyncClient, live_server: LiveServer
) -> None:
    """Clients with a type for all styles, as the official one of Go, write each with every change."""
    day = await theme(http, bodyColor="#ddeeff", heading1Color="")
    made = await create(http, **{**SOUND, "lmx": f'<Style themeId="{day}"/><H1>Hello</H1>{SOUND["lmx"]}'})
    await publish(http, made)
    await send(http, made, code="code-1")
    before = read(await http.get(f"/themes/{day}"))
    assert before["styles"] == {**DEFAULTS, "bodyColor": "#ddeeff"}
    written = read(await http.post(f"/themes/{day}", json={"styles": before["styles"]}))
    assert written["styles"] == before["styles"]
    await send(http, made, code="code-2")
    html = await accepted_html(live_server, "code-1")
    assert html.replace("code-1", "code-2") == await accepted_html(live_server, "code-2")


async def test_an_override_that_equals_the_theme_goes(http: httpx2.AsyncClient) -> None:
    """And others stay; a new name alone reaches no email."""
    day = await theme(http, bodyColor="#ffffff")
    style = f'<Style themeId="{day}" bodyColor="#eeeeee" textBaseColor="#111111"/>'
    made = await create(http, **{**SOUND, "lmx": style + SOUND["lmx"]})
    before = await message_of(http, made)
    assert read(await http.post(f"/themes/{day}", json={"name": "Noon"}))["affectedEmailCount"] == 0
    await http.post(f"/themes/{day}", json={"styles": {"bodyColor": "#dddddd"}})
    assert await message_of(http, made) == before
    body = {"styles": {"bodyColor": "#eeeeee"}}
    assert read(await http.post(f"/themes/{day}", json=body))["affectedEmailCount"] == 1
    after = await message_of(http, made)
    assert after["contentRevisionId"] != before["contentRevisionId"]
    assert f'<Style themeId="{day}" textBaseColor="#111111"/>' in after["lmx"]


async def test_the_default_theme_is_of_emails_that_name_none(
    http: httpx2.AsyncClient, live_server: LiveServer
) -> None:
    """Each team has one from the first day."""
    [default] = read(await http.get("/themes"))["data"]
    assert (default["isDefault"], default["styles"]) == (True, DEFAULTS)
    made = await create(http, **SOUND)
    await publish(http, made)
    body = {"styles": {"bodyColor": "#123456"}}
    assert read(await http.post(f"/themes/{default['id']}", json=body))["affectedEmailCount"] >= 1
    await send(http, made, code="later")
    assert "#123456" in await accepted_html(live_server, "later")


@pytest.mark.parametrize(
    ("styles", "text"),
    [
        ({"nope": "x"}, "styles.nope is no style"),
        ({"bodyColor": "red"}, "styles.bodyColor"),
        ({"bodyXPadding": -1}, "styles.bodyXPadding"),
        ({"bodyFontFamily": "x;}"}, "styles.bodyFontFamily"),
        ({"bodyColor": None}, "styles"),
        ({"borderWidth": "2"}, 'styles.borderWidth must be a number, without quotes (got "2")'),
        ({"borderWidth": ""}, "styles.borderWidth must be a number"),
        ({"bodyFontFamily": 5}, "styles.bodyFontFamily must be text (got 5"),
        ({"themeId": "x"}, "styles.themeId is no style"),
    ],
)
async def test_styles_that_cannot_be(http: httpx2.AsyncClient, styles: dict[str, object], text: str) -> None:
    """Refused by the key, when made and when changed, and nothing is changed."""
    day = await theme(http, bodyColor="#ffffff")
    refused(await http.post("/themes", json={"name": "Day", "styles": styles}), 400, text)
    refused(await http.post(f"/themes/{day}", json={"name": "x", "styles": styles}), 400, text)
    assert read(await http.get(f"/themes/{day}"))["name"] == "Day"
    assert [one["name"] for one in read(await http.get("/themes"))["data"]] == ["Day", "Default"]


async def test_components_stand_in_emails(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """As they are when an email is accepted, in a box of their own style; blocks inside are an override."""
    part = await component(http, "<Paragraph>Old footer</Paragraph>")
    lmx = (
        f'{SOUND["lmx"]}<Component componentId="{part}" blockColor="#fedcba"/>'
        f'<Columns><ColumnItem><Component componentId="{part}"/></ColumnItem>'
        f'<ColumnItem><Component componentId="{part}"><Paragraph>Of its own</Paragraph></Component>'
        "</ColumnItem></Columns>"
    )
    made = await create(http, **{**SOUND, "lmx": lmx})
    await publish(http, made)
    await send(http, made, code="first")
    body = {"lmx": "<Paragraph>New footer</Paragraph>"}
    assert read(await http.post(f"/components/{part}", json=body))["affectedEmailCount"] == 1
    await send(http, made, code="second")
    first, second = [await accepted_html(live_server, code) for code in ("first", "second")]
    for html, footer in ((first, "Old footer"), (second, "New footer")):
        assert html.count(footer) == 2
        assert html.count("Of its own") == 1
        assert "#fedcba" in html
    assert "New footer" not in first


async def test_a_component_may_be_emptied(http: httpx2.AsyncClient) -> None:
    """Empty text is a body, as it is when one is made."""
    part = await component(http, "<Paragraph>Old footer</Paragraph>")
    assert read(await http.post(f"/components/{part}", json={"lmx": ""}))["lmx"] == ""
    assert read(await http.get(f"/components/{part}"))["lmx"] == ""


async def test_names_of_nothing(http: httpx2.AsyncClient) -> None:
    """A theme or component that the team does not have is refused at its place."""
    made = read(await http.post("/transactional-emails", json={"name": "Code"}), 201)
    address = f"/email-messages/{made['draftEmailMessageId']}"
    for lmx, text in (
        (
            '<Paragraph>Hi</Paragraph>\n<Component componentId="cnone"/>',
            "line 2, column 1: <Component>",
        ),
        ('<Style themeId="cnone"/>', "line 1, column 1: <Style> references unknown themeId"),
        ("<Component/>", "componentId"),
    ):
        refused(await http.post(address, json={"lmx": lmx}), 422, text)


async def test_a_component_that_an_email_could_not_use(http: httpx2.AsyncClient) -> None:
    """A change that brings in what an email cannot have, or what its sends do not give, changes nothing."""
    part = await component(http, "<Paragraph>Hello</Paragraph>")
    made = await create(http, **{**SOUND, "lmx": f'{SOUND["lmx"]}<Component componentId="{part}"/>'})
    await publish(http, made)
    address = f"/components/{part}"
    answer = await http.post(address, json={"lmx": "<Paragraph>{contact.plan} {contact.age}</Paragraph>"})
    refused(answer, 422, "Component uses unsupported contact properties.")
    assert answer.json()["invalidTags"] == ["contact.age", "contact.plan"]
    answer = await http.post(address, json={"lmx": "<Paragraph>{data.total}</Paragraph>"})
    refused(answer, 422, "would ask for total")
    assert (answer.json()["invalidTags"], code_of(answer)) == (["data.total"], "component_asks_for_more")
    assert read(await http.get(address))["lmx"] == "<Paragraph>Hello</Paragraph>"
    read(await http.post(address, json={"lmx": "<Paragraph>{data.code}</Paragraph>"}))


async def test_a_component_with_an_event_in_a_campaign(http: httpx2.AsyncClient, pool: Pool) -> None:
    """No event starts a campaign, so its emails have none; what was sent long ago stops nobody."""
    part = await component(http, "<Paragraph>Hello</Paragraph>")
    made = read(await http.post("/campaigns", json={"name": "News"}), 201)
    lmx = f'<Component componentId="{part}"/>'
    read(await http.post(f"/email-messages/{made['emailMessageId']}", json={"lmx": lmx}))
    change = {"lmx": "<Paragraph>{event.plan} {contact.firstName}</Paragraph>"}
    answer = await http.post(f"/components/{part}", json=change)
    refused(answer, 422, "Component uses unsupported event properties.")
    assert answer.json()["invalidTags"] == ["event.plan"]
    await pool.execute("UPDATE campaign SET status = 'Sent'")
    read(await http.post(f"/components/{part}", json=change))


@pytest.mark.parametrize(
    ("lmx", "text"),
    [
        ("<Style/>", "holds no <Style>"),
        ('<Component componentId="x"/>', "holds no <Component>"),
        ("<Paragraph>{data.a} {contact.b}</Paragraph>", "column"),
        ("<Nope/>", "line 1, column 1"),
    ],
)
async def test_a_body_that_is_no_component(http: httpx2.AsyncClient, lmx: str, text: str) -> None:
    """Every mistake is told, when it is made and when it is changed."""
    part = await component(http, "<Divider/>")
    refused(await http.post("/components", json={"name": "Part", "lmx": lmx}), 422, text)
    refused(await http.post(f"/components/{part}", json={"lmx": lmx}), 422, text)


async def test_edits_and_changes_at_once(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """Whatever the order, the next email has the component's last body and the message's last text."""
    part = await component(http, "<Paragraph>part 0</Paragraph>")
    made = await create(http, **{**SOUND, "lmx": f'{SOUND["lmx"]}<Component componentId="{part}"/>'})

    async def edit(number: int) -> None:
        lmx = f'<Paragraph>text {number}</Paragraph><Component componentId="{part}"/>{SOUND["lmx"]}'
        read(await http.post(f"/email-messages/{made['draftEmailMessageId']}", json={"lmx": lmx}))

    async def change(number: int) -> None:
        body = {"lmx": f"<Paragraph>part {number}</Paragraph>"}
        read(await http.post(f"/components/{part}", json=body))

    await asyncio.gather(*(work(number) for number in range(1, 9) for work in (edit, change)))
    await change(9)
    await publish(http, made)
    await send(http, made, code="last")
    html = await accepted_html(live_server, "last")
    assert "part 9" in html
    assert (await message_of(http, made))["lmx"].split("</")[0].removeprefix("<Paragraph>") in html
