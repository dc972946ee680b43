"""Email messages and transactional emails over HTTP, from the first draft to what is sent."""

import asyncio
import random
from datetime import UTC, datetime

import httpx2
import pytest

from loopwright.server.definitions.apply import USUAL, Manner, apply_definitions
from loopwright.server.definitions.folder import read_folder
from loopwright.server.definitions.mistakes import InvalidDefinitions
from loopwright.server.definitions.parse import parse
from loopwright.server.sealing import new_sealing_key
from loopwright.server.store.teams import load_teams
from loopwright.server.team_settings import SettingChanges, change_team
from support.contract import read
from support.drafts import BODY, SOUND, create, publish, send
from support.examples import WELCOME
from support.live import LiveServer
from support.refusals import code_of, refused

from .conftest import Serving

OVERWRITING = Manner(overwrite=True)


async def inbox_texts(live_server: LiveServer, http: httpx2.AsyncClient) -> list[str]:
    """The texts of the emails that the server's own inbox has, once there are any."""
    async with asyncio.timeout(20):
        while not (found := (await http.get(f"{live_server.base_url}/loopwright/v1/inbox")).json()):
            await asyncio.sleep(0.05)
    return [one["text"].replace("\r\n", "\n") for one in found]


async def test_from_draft_to_sending(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """A draft is no part of sending until it is published; then it is the published version."""
    made = await create(http, **SOUND)
    assert made["publishedEmailMessageId"] is None
    assert made["dataVariables"] == []
    assert made["url"] == f"{live_server.base_url}/transactional/{made['id']}"
    refused(await send(http, made, code="1"), 400, "not published yet")
    published = await publish(http, made)
    assert published["publishedEmailMessageId"] == made["draftEmailMessageId"]
    assert (published["draftEmailMessageId"], published["dataVariables"]) == (None, ["code"])
    assert read(await http.get(f"/transactional-emails/{made['id']}")) == published
    refused(await http.post(f"/transactional-emails/{made['id']}/publish"), 409, "nothing to publish")
    refused(await send(http, made), 400, "Missing required data variable(s): code")
    assert (await send(http, made, code="1")).status_code == 200

    draft = read(await http.post(f"/transactional-emails/{made['id']}/draft"))
    assert draft["draftEmailMessageId"] not in (None, published["publishedEmailMessageId"])
    assert read(await http.post(f"/transactional-emails/{made['id']}/draft")) == draft
    message = read(await http.get(f"/email-messages/{draft['draftEmailMessageId']}"))
    assert (message["lmx"], message["transactionalId"]) == (BODY, made["id"])
    assert message["contentRevisionId"] == draft["draftEmailMessageContentRevisionId"]
    path = f"/email-messages/{draft['draftEmailMessageId']}"
    read(await http.post(path, json={"dataVariablesFallbacks": {"code": "none"}}))
    refused(await send(http, made), 400, "Missing required")
    await publish(http, made)
    assert (await send(http, made)).status_code == 200


async def test_repeated_blocks(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """The list is the email's variable and its fields are not; every item arrives, null fields and all."""
    lmx = f'{BODY}<For variable="{{data.items}}"><Paragraph>{{data.items[].name}} end</Paragraph></For>'
    bare = await create(http)
    path = f"/email-messages/{bare['draftEmailMessageId']}"
    wrong = {"lmx": "<Divider/>\n<H1>{data.items[].name}</H1>"}
    refused(
        await http.post(path, json=wrong), 422, "line 2, column 5: {data.items[].name} has a value for each"
    )
    made = await create(http, **{**SOUND, "lmx": lmx})
    fallback = {"dataVariablesFallbacks": {"items[].name": "nobody"}}
    path = f"/email-messages/{made['draftEmailMessageId']}"
    assert "warnings" not in read(await http.post(path, json=fallback))
    assert read(await http.get(f"{path}/guardian")) == {"errors": [], "warnings": []}
    assert (await publish(http, made))["dataVariables"] == ["code", "items"]
    refused(await send(http, made, code="1"), 400, "Missing required data variable(s): items")
    refused(await send(http, made, code="1", items=[{"name": []}]), 400, "dataVariables.items[0].name")
    items = [{"name": "<b>Tea</b>", "price": 1.5}, {"name": None}, {"name": "Milk"}]
    assert (await send(http, made, code="1", items=items)).status_code == 200
    texts = await inbox_texts(live_server, http)
    assert texts == ["Your code is 1.\n\n<b>Tea</b> end\n\nnobody end\n\nMilk end\n"]


async def test_components_stand_where_they_may(http: httpx2.AsyncClient) -> None:
    """What no block can hold is refused with the email that names it, and with the component's change."""
    inner = '<For variable="{data.code}"><Divider/></For>'
    part = read(await http.post("/components", json={"name": "Part", "lmx": inner}), 201)["id"]
    outer = f'<For variable="{{data.code}}"><Component componentId="{part}"/></For>'
    made = await create(http)
    path = f"/email-messages/{made['draftEmailMessageId']}"
    refused(await http.post(path, json={"lmx": outer}), 422, "<For> cannot stand inside another <For>")
    read(await http.post(f"/components/{part}", json={"lmx": "<Divider/>"}))
    read(await http.post(path, json={"lmx": outer}))
    refused(await http.post(f"/components/{part}", json={"lmx": inner}), 422, "inside another <For>")
    assert read(await http.get(f"/components/{part}"))["lmx"] == "<Divider/>"


async def test_lists(http: httpx2.AsyncClient) -> None:
    """All of them newest first, drafts included; the deprecated list has the published ones."""
    made = [await create(http, **SOUND) for _ in range(11)]
    await publish(http, made[0])
    page = read(await http.get("/transactional-emails?perPage=10"))
    assert [one["id"] for one in page["data"]] == [one["id"] for one in reversed(made)][:10]
    assert page["pagination"]["totalResults"] == 11
    rest = read(await http.get(page["pagination"]["nextPage"]))
    assert [one["id"] for one in rest["data"]] == [made[0]["id"]]
    assert [one["id"] for one in read(await http.get("/transactional"))["data"]] == [made[0]["id"]]


async def test_renaming(http: httpx2.AsyncClient) -> None:
    """At least one of two keys, and no others."""
    made = await create(http)
    path = f"/transactional-emails/{made['id']}"
    assert read(await http.post(path, json={"name": " Other "}))["name"] == "Other"
    refused(await http.post(path, json={}), 400, "at least one of name, transactionalGroupId")
    refused(await http.post(path, json={"nam": "x"}), 400, "nam is not a key of this request; send name")
    refused(await http.post(path, json={"name": " "}), 400, "name is empty")
    refused(
        await http.post(path, json={"name": None}), 400, "name must be text of 1 to 500 characters (got null)"
    )
    refused(await http.post(path, json={"transactionalGroupId": "cnone"}), 400, "Group not found.")
    refused(await http.post("/transactional-emails", json={}), 400, "name is missing")
    refused(await http.post("/transactional-emails/cnone", json={"name": "x"}), 404, "not found.")


async def test_every_field_of_a_message(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """What was set is read back, what was not stays, empty text clears, fallbacks merge key by key."""
    await live_server.pool.execute("UPDATE team SET copies = true")
    made = await create(http)
    path = f"/email-messages/{made['draftEmailMessageId']}"
    given = {
        **SOUND, "previewText": "Soon", "replyToEmail": "help@example.com", "ccEmail": "cc@example.com",
        "bccEmail": "{data.code}@example.com", "languageCode": "de", "emailFormat": "plain",
        "dataVariablesFallbacks": {"code": "none"},
    }  # fmt: skip
    first = read(await http.post(path, json=given))
    assert {key: first[key] for key in given} == given
    assert "warnings" not in first
    assert read(await http.get(path)) == first
    cleared = read(
        await http.post(
            path, json={"ccEmail": "", "languageCode": "", "dataVariablesFallbacks": {"code": None}}
        )
    )
    assert cleared.keys() == first.keys() - {"ccEmail", "languageCode", "dataVariablesFallbacks"}
    assert cleared["subject"] == "Your code"
    assert cleared["contentRevisionId"] != first["contentRevisionId"]
    doubtful = read(await http.post(path, json={"dataVariablesFallbacks": {"other": "x"}}))
    (warning,) = doubtful["warnings"]
    assert (warning["rule"], warning["severity"]) == ("unusedFallback", "warning")
    assert warning["path"] == "dataVariablesFallbacks.other"


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({"lmx": "<Paragraph>\n {contact.x}</Paragraph>"}, 422, "lmx, line 2, column 2: {contact.x} cannot"),
        ({"lmx": "<Nope/><Nor/>", "subject": "{x"}, 422, "column 8: <Nor> is not a tag"),
        ({"subject": "{x}"}, 400, "subject: the subject: {x} names no kind"),
        ({"lmx": "x" * 100_001}, 413, "lmx has more than 100,000 bytes"),
        ({"replyToEmail": "ada"}, 400, "replyToEmail: the reply address is not an email address"),
        ({"fromEmail": "a@b.example"}, 400, "fromEmail: the sender's address is only the part"),
        ({"languageCode": "German, please"}, 400, "languageCode: the language is a code"),
        ({"emailFormat": "fancy"}, 400, 'emailFormat must be "plain" or "styled" (got "fancy")'),
        ({"dataVariablesFallbacks": {"a": 1}}, 400, "dataVariablesFallbacks"),
        ({"styles": {}}, 400, "styles is not a key"),
        ({"ccEmail": "a@example.com"}, 400, "loopwright team set --copies"),
        ({"expectedRevisionId": "cother"}, 409, "Content revision ID is stale."),
    ],
)
async def test_mistakes_change_nothing(
    http: httpx2.AsyncClient, body: dict[str, object], status: int, text: str
) -> None:
    """Each is named with its place and the remedy."""
    made = await create(http, **SOUND)
    path = f"/email-messages/{made['draftEmailMessageId']}"
    before = read(await http.get(path))
    refused(await http.post(path, json=body), status, text)
    assert read(await http.get(path)) == before


async def test_of_many_writers_one_wins_each_revision(http: httpx2.AsyncClient) -> None:
    """Fifty at once expect the same revision, three times over."""
    made = await create(http, **SOUND)
    path = f"/email-messages/{made['draftEmailMessageId']}"
    for turn in range(3):
        expected = read(await http.get(path))["contentRevisionId"]
        answers = await asyncio.gather(
            *(
                http.post(path, json={"expectedRevisionId": expected, "subject": f"{turn} by {writer}"})
                for writer in range(50)
            )
        )
        won = [one for one in answers if one.status_code == 200]
        assert len(won) == 1
        assert {code_of(one) for one in answers if one not in won} == {"revision_stale"}
        assert read(await http.get(path))["subject"] == won[0].json()["subject"]


async def test_only_drafts_are_changed(http: httpx2.AsyncClient) -> None:
    """The published version is what is sent; a replaced one is nobody's."""
    made = await create(http, **SOUND)
    await publish(http, made)
    path = f"/email-messages/{made['draftEmailMessageId']}"
    refused(await http.post(path, json={"subject": "x"}), 409, "This is the published version")
    await http.post(f"/transactional-emails/{made['id']}/draft")
    await publish(http, made)
    refused(await http.get(path), 404, "Email message not found.")


async def test_publishing_asks_guardian(http: httpx2.AsyncClient) -> None:
    """Every reason at once; warnings stop nothing."""
    empty = await create(http)
    path = f"/transactional-emails/{empty['id']}/publish"
    refused(await http.post(path), 422, "subject is empty; fromEmail is empty; lmx is empty")
    lmx = '<Button href="">Go</Button><Paragraph><Link href="https://youtu.be/x">Film</Link></Paragraph>'
    made = await create(http, **{**SOUND, "lmx": lmx})
    report = read(await http.get(f"/email-messages/{made['draftEmailMessageId']}/guardian"))
    assert [(one["rule"], one["items"]) for one in report["errors"]] == [
        ("missingButtonHrefs", [{"label": "Go"}])
    ]
    assert [one["rule"] for one in report["warnings"]] == ["shortenedYouTubeLinkHrefs"]
    refused(
        await http.post(f"/transactional-emails/{made['id']}/publish"), 422, "Buttons without address: Go"
    )
    draft = f"/email-messages/{made['draftEmailMessageId']}"
    read(await http.post(draft, json={"lmx": lmx.replace('""', '"https://acme.example"')}))
    await publish(http, made)


async def test_a_relay_wants_a_sending_domain(serving: Serving) -> None:
    """Without one nothing could be sent; writing the draft is possible all the same."""
    async with serving(smtp_url="smtp://127.0.0.1:9", sealing_key=new_sealing_key()) as http:
        made = await create(http, **SOUND)
        path = f"/transactional-emails/{made['id']}"
        refused(await http.post(f"{path}/publish"), 422, "loopwright domain add DOMAIN")
        refused(await http.get(f"/email-messages/{made['draftEmailMessageId']}"), 400, "domain add DOMAIN")
        assert read(await http.get(path))["publishedEmailMessageId"] is None


async def test_teams_are_walls(http: httpx2.AsyncClient, stranger: dict[str, str]) -> None:
    """Another team's key finds nothing and changes nothing."""
    made = await create(http, **SOUND)
    message, email = f"/email-messages/{made['draftEmailMessageId']}", f"/transactional-emails/{made['id']}"
    before = read(await http.get(message))
    for method, path in (
        ("GET", message), ("POST", message), ("GET", f"{message}/guardian"), ("GET", email), ("POST", email),
        ("POST", f"{email}/draft"), ("POST", f"{email}/publish"),
    ):  # fmt: skip
        body = {"subject": "x"} if path == message else {"name": "x"}
        sent = body if method == "POST" else None
        refused(await http.request(method, path, headers=stranger, json=sent), 404, "not found.")
    assert read(await http.get("/transactional-emails", headers=stranger))["data"] == []
    assert read(await http.get(message)) == before


@pytest.mark.parametrize("seed", range(3))
async def test_every_email_is_of_what_was_published(
    http: httpx2.AsyncClient, live_server: LiveServer, seed: int
) -> None:
    """Edits, publishes and sends in any order, against a model that says what each email has to be."""
    chance = random.Random(seed)
    made = await create(http, **SOUND)
    draft, published = "Your code", None
    sent: dict[str, str] = {}
    for step in range(60):
        match chance.choice(("edit", "publish", "send", "send")):
            case "edit":
                drafted = read(await http.post(f"/transactional-emails/{made['id']}/draft"))
                draft = f"Subject {step}"
                path = f"/email-messages/{drafted['draftEmailMessageId']}"
                read(await http.post(path, json={"subject": draft}))
            case "publish":
                response = await http.post(f"/transactional-emails/{made['id']}/publish")
                assert response.status_code == (409 if draft == published else 200), response.text
                published = draft
            case _:
                to = f"a{step}@example.com"
                body = {"email": to, "transactionalId": made["id"], "dataVariables": {"code": "1"}}
                response = await http.post("/transactional", json=body)
                assert response.status_code == (200 if published else 400), response.text
                if published:
                    sent[to] = published
    rows = await live_server.pool.fetch(
        "SELECT to_email, one.subject FROM email JOIN email_revision AS one ON one.id = email.revision_id"
    )
    assert {row["to_email"]: row["subject"] for row in rows} == sent


async def test_files_are_a_setting(
    http: httpx2.AsyncClient, live_server: LiveServer, welcome_id: str
) -> None:
    """Taken unless the team has them switched off."""
    file = {"filename": "a.txt", "contentType": "text/plain", "data": "YQ=="}
    body: dict[str, object] = {
        "email": "ada@example.com", "transactionalId": welcome_id, "attachments": [file],
    }  # fmt: skip
    assert (await http.post("/transactional", json=body)).status_code == 200
    await live_server.pool.execute("UPDATE team SET attachments = false")
    answer = await until_refused(http, body)
    refused(answer, 400, "loopwright team set --attachments")
    del body["attachments"]
    assert (await http.post("/transactional", json=body)).status_code == 200


async def until_refused(http: httpx2.AsyncClient, body: dict[str, object]) -> httpx2.Response:
    """A server remembers a team for some seconds."""
    while True:
        response = await http.post("/transactional", json=body)
        if response.status_code != 200:
            return response
        await asyncio.sleep(0.1)


async def test_emails_of_a_workflow(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """They have no owner that the answer names, Guardian knows their variables, and sending keeps them."""
    async with live_server.pool.acquire() as tx, tx.transaction():
        (team,) = await load_teams(tx)
        await apply_definitions(tx, team.id, parse(read_folder(WELCOME)), now=datetime.now(UTC))
    ids = await live_server.pool.fetchval(
        "SELECT array_agg(node.value ->> 'emailMessageId') FROM workflow, jsonb_each(nodes) AS node"
        " WHERE node.value ->> 'emailMessageId' IS NOT NULL"
    )
    path = f"/email-messages/{ids[0]}"
    message = read(await http.get(path))
    assert "transactionalId" not in message
    assert read(await http.get(f"{path}/guardian"))["errors"] == []
    refused(await http.post(path, json={"subject": "x"}), 409, "Workflow is sending")
    await live_server.pool.execute("UPDATE workflow SET status = 'Paused'")
    read(await http.post(path, json={"subject": "{contact.nobody} {event.x}"}))
    report = read(await http.get(f"{path}/guardian"))
    assert {"rule", "title", "description", "items"} == report["errors"][0].keys()
    found = {one["rule"]: [item["codeName"] for item in one["items"]] for one in report["errors"]}
    assert found["unsupportedContactProperties"] == ["contact.nobody"]


async def test_the_email_of_double_opt_in_keeps_its_link(
    http: httpx2.AsyncClient, live_server: LiveServer
) -> None:
    """Or nobody who signs up could ever confirm."""
    async with live_server.pool.acquire() as tx, tx.transaction():
        (team,) = await load_teams(tx)
        team = await change_team(tx, team.id, SettingChanges(double_opt_in=True), now=datetime.now(UTC))
    path = f"/transactional-emails/{team.opt_in_id}"
    draft = read(await http.post(f"{path}/draft"))["draftEmailMessageId"]
    read(await http.post(f"/email-messages/{draft}", json={"lmx": "<Paragraph>{data.x}</Paragraph>"}))
    refused(await http.post(f"{path}/publish"), 422, "Missing data variables: optInUrl")
    lmx = '<Button href="{data.optInUrl}">Yes or no</Button>'
    read(await http.post(f"/email-messages/{draft}", json={"lmx": lmx}))
    assert read(await http.post(f"{path}/publish"))["dataVariables"] == ["optInUrl"]


async def test_what_was_published_here_is_drift_for_files(
    http: httpx2.AsyncClient, live_server: LiveServer
) -> None:
    """Another message is published then, and files did not write it."""

    async def apply(manner: Manner = USUAL) -> None:
        async with live_server.pool.acquire() as tx, tx.transaction():
            (team,) = await load_teams(tx)
            definitions = parse(read_folder(WELCOME))
            await apply_definitions(tx, team.id, definitions, manner, now=datetime.now(UTC))

    await apply()
    (email,) = read(await http.get("/transactional-emails"))["data"]
    draft = read(await http.post(f"/transactional-emails/{email['id']}/draft"))["draftEmailMessageId"]
    await apply()
    read(await http.post(f"/email-messages/{draft}", json={"subject": "From the API"}))
    await apply()
    await publish(http, email)
    with pytest.raises(InvalidDefinitions, match="this email was changed elsewhere"):
        await apply()
    assert read(await http.get(f"/email-messages/{draft}"))["subject"] == "From the API"
    await apply(OVERWRITING)
    assert read(await http.get(f"/email-messages/{draft}"))["subject"] != "From the API"
    await apply()


async def test_all_ways_to_write_at_once(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """Files, edits, drafts and publishing wait for one another in one order: nobody fails for it."""
    async with live_server.pool.acquire() as tx:
        (team,) = await load_teams(tx)

    async def apply() -> None:
        async with live_server.pool.acquire() as tx, tx.transaction():
            definitions = parse(read_folder(WELCOME))
            await apply_definitions(tx, team.id, definitions, OVERWRITING, now=datetime.now(UTC))

    async def edit() -> int:
        answer = await http.post(f"/transactional-emails/{email['id']}/draft")
        message = answer.json()["draftEmailMessageId"]
        return (await http.post(f"/email-messages/{message}", json={"subject": "Hello"})).status_code

    async def release() -> int:
        return (await http.post(f"/transactional-emails/{email['id']}/publish")).status_code

    await apply()
    (email,) = read(await http.get("/transactional-emails"))["data"]
    for _ in range(5):
        answers = await asyncio.gather(*(work() for _ in range(4) for work in (apply, edit, release)))
        assert set(answers) <= {None, 200, 404, 409}


async def test_when_an_email_was_published(http: httpx2.AsyncClient) -> None:
    """What is published says so until another draft is: a name and a draft change nothing about it."""
    made = await create(http, **SOUND)
    await publish(http, made)

    async def told() -> str:
        (email,) = read(await http.get("/transactional"))["data"]
        return str(email["lastUpdated"])

    first = await told()
    read(await http.post(f"/transactional-emails/{made['id']}", json={"name": "Other"}))
    read(await http.post(f"/transactional-emails/{made['id']}/draft"))
    assert await told() == first
    await publish(http, made)
    assert await told() > first
