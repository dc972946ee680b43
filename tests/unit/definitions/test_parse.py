"""Definition files: what they may say, and where each mistake is found."""

from datetime import timedelta
from pathlib import Path

import pytest

from loopwright.server.definitions.folder import read_folder
from loopwright.server.definitions.mistakes import InvalidDefinitions
from loopwright.server.definitions.model import MessageDefinition, WorkflowDefinition
from loopwright.server.definitions.parse import parse, unknown_properties
from loopwright.server.definitions.steps import step_names
from loopwright.server.workflow.graph import EventTrigger, SignupTrigger, TimerAction, problems
from loopwright.wire.limits import WORKFLOW_NODES
from support import examples

LISTS = """\
[news]
name = "News"
"""
WELCOME = """\
name = "Welcome"
mailing_list = "news"
trigger = { event = "signup", once = true }

[[steps]]
[steps.email]
subject = "Hi {contact.firstName}"
from = "ada"
body = "welcome.lmx"
fallbacks.contact.firstName = "friend"
fallbacks.event.plan = "free"

[[steps]]
timer = "1.5h"
"""
WELCOME_BODY = "<Paragraph>Hello\n{event.plan}</Paragraph>\n"
RECEIPT = """\
name = "Receipt"
subject = "Receipt {data.number}"
from = "billing"
body = "receipt.lmx"

[fallbacks.data]
note = "Thanks."
"""
RECEIPT_BODY = "<Paragraph>{data.amount}\n{data.note}</Paragraph>"
SOUND = {
    "lists.toml": LISTS,
    "workflows/welcome.toml": WELCOME,
    "workflows/welcome.lmx": WELCOME_BODY,
    "transactional/receipt.toml": RECEIPT,
    "transactional/receipt.lmx": RECEIPT_BODY,
}


def mistakes(files: dict[str, str]) -> list[str]:
    with pytest.raises(InvalidDefinitions) as raised:
        parse(files)
    return [str(mistake) for mistake in raised.value.mistakes]


def workflow(source: str) -> WorkflowDefinition:
    (definition,) = parse({**SOUND, "workflows/welcome.toml": source}).workflows
    return definition


def test_what_the_files_say_is_read() -> None:
    """Each key ends where the server looks for it."""
    definitions = parse(SOUND)
    (news,) = definitions.lists
    assert (news.slug, news.name, news.description, news.is_public) == ("news", "News", None, False)
    (receipt,) = definitions.transactional
    assert receipt.message.content.data_fallbacks == {"note": "Thanks."}
    assert receipt.data_variables == ["amount", "note", "number"]
    assert receipt.required_variables == ["amount", "number"]
    (welcome,) = definitions.workflows
    assert (welcome.slug, welcome.mailing_list, welcome.status) == ("welcome", "news", "Sending")
    assert welcome.trigger == EventTrigger(event_name="signup", re_eligible=False)
    email, timer = (step.action for step in welcome.steps)
    assert isinstance(email, MessageDefinition)
    content = email.content
    assert (content.subject, content.from_email, content.lmx) == (
        "Hi {contact.firstName}", "ada", WELCOME_BODY,
    )  # fmt: skip
    assert (content.contact_fallbacks, content.event_fallbacks) == ({"firstName": "friend"}, {"plan": "free"})
    assert timer == TimerAction(amount=1.5, unit="h")


def test_the_example_is_sound() -> None:
    """What we show works, down to its graph."""
    definitions = parse(read_folder(examples.WELCOME))
    assert [definition.slug for definition in definitions.lists] == ["product-news"]
    assert [definition.slug for definition in definitions.transactional] == ["receipt"]
    (welcome,) = definitions.workflows
    assert problems(welcome.graph(dict.fromkeys(welcome.messages(), "m"))) == []
    uses = [use for message in welcome.messages().values() for use in message.uses]
    names = {use.variable.name for use in uses if use.variable.kind == "event"}
    assert names == {"planName", "seats", "trial", "trialEnds"}
    assert definitions.warnings == ()


def change(file: str, old: str, new: str) -> dict[str, str]:
    assert old in SOUND[file]
    return {**SOUND, file: SOUND[file].replace(old, new, 1)}


W, R = "workflows/welcome.toml", "transactional/receipt.toml"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(change(W, '"Welcome"', "Welcome"), f"{W}:1: not TOML: Invalid value", id="no TOML"),
        pytest.param(
            change(W, 'timer = "1.5h"\n', "timer = [1,\n"), f"{W}:15: not TOML: Invalid value", id="cut off"
        ),
        pytest.param(
            change("lists.toml", "name =", "nam ="),
            "lists.toml:2: unknown key nam; did you mean name?",
            id="key",
        ),
        pytest.param(
            change("lists.toml", "name =", "nam ="), "lists.toml:1: name is missing", id="missing key"
        ),
        pytest.param(
            change("lists.toml", "[news]\n", "[news]\npublic = 1\n"),
            "lists.toml:2: public is true or false, not a number",
            id="no truth",
        ),
        pytest.param(
            change("lists.toml", "[news]\n", 'top = "x"\n[news]\n'),
            "lists.toml:1: top is a table, not text",
            id="no table",
        ),
        pytest.param(
            change("lists.toml", "[news]", '["Big news"]'),
            "lists.toml:1: the name 'Big news' has other characters than a-z, 0-9 and single -",
            id="list slug",
        ),
        pytest.param(
            {**SOUND, "workflows/My flow.toml": WELCOME},
            "workflows/My flow.toml:1: the name 'My flow' has other characters than a-z, 0-9 and single -",
            id="file slug",
        ),
        pytest.param({}, "lists.toml:1: no definitions here; they are", id="empty folder"),
        pytest.param(
            {**SOUND, "workflow/late.toml": WELCOME},
            "workflow/late.toml:1: not a definition file",
            id="stranger",
        ),
        pytest.param(change(W, '"Welcome"', '" "'), f"{W}:1: name is empty", id="blank name"),
        pytest.param(
            change(W, '"news"', '"newz"'),
            f"{W}:2: lists.toml has no list newz; did you mean news?",
            id="list",
        ),
        pytest.param(
            change(W, "mailing_list", "mailinglist"),
            f"{W}:2: unknown key mailinglist; did you mean mailing_list?",
            id="top key",
        ),
        pytest.param(
            change(W, '"news"', '"news"\nstatus = "senden"'),
            f"{W}:3: status cannot be 'senden'; did you mean sending?",
            id="status",
        ),
        pytest.param(
            change(W, "trigger =", "triger ="), f"{W}:1: trigger is missing; write", id="no trigger"
        ),
        pytest.param(
            change(W, '{ event = "signup", once = true }', '"contact-aded"'),
            f"{W}:3: trigger cannot be 'contact-aded'; did you mean contact-added?",
            id="trigger",
        ),
        pytest.param(
            change(W, "once = true", "ones = true"),
            f"{W}:3: unknown key ones; did you mean once?",
            id="inline key",
        ),
        pytest.param(
            change(W, '"signup"', '"a:b"'), f"{W}:3: the name of an event has no :", id="event name"
        ),
        pytest.param(change(W, "event =", "evnt ="), f"{W}:3: event is missing", id="no event"),
        pytest.param(
            change(W, '{ event = "signup", once = true }', '"contact-added"'),
            "workflows/welcome.lmx:2: {event.plan} has no value: this workflow starts without an event",
            id="event variable without event",
        ),
        pytest.param(
            {**SOUND, W: 'name = "x"\ntrigger = "contact-added"\nsteps = 1\n'},
            f"{W}:3: steps is a list of tables, one or more",
            id="steps no list",
        ),
        pytest.param(
            {**SOUND, W: 'name = "x"\ntrigger = "contact-added"\n'},
            f"{W}:1: steps is a list of tables, one or more",
            id="no steps",
        ),
        pytest.param(
            change(W, 'timer = "1.5h"', 'timr = "1.5h"'),
            f"{W}:14: unknown key timr; did you mean timer?",
            id="step key",
        ),
        pytest.param(
            change(W, 'timer = "1.5h"', 'timr = "1.5h"'),
            f"{W}:13: a step has one of timer, email, filter",
            id="empty step",
        ),
        pytest.param(
            change(W, "[steps.email]", 'timer = "1d"\n[steps.email]'),
            f"{W}:5: a step is one thing, not timer and email",
            id="double step",
        ),
        *(
            pytest.param(
                change(W, '"1.5h"', timer), f"{W}:14: a timer is a number and m, h or d", id=f"timer {timer}"
            )
            for timer in ('"soon"', '"1w"', '"-1h"', "3", "{ amount = 1 }", '{ amount = "1", unit = "h" }')
        ),
        pytest.param(
            change(W, '"1.5h"', '{ amount = 1, unit = "w" }'),
            f"{W}:14: unit cannot be 'w'; known here: d, h, m",
            id="unit",
        ),
        pytest.param(
            change(W, '"1.5h"', '{ amount = -1, unit = "h" }'),
            f"{W}:14: a timer waits from 0 to",
            id="negative timer",
        ),
        pytest.param(
            change(W, '"1.5h"', '"4000d"'), f"{W}:14: a timer waits from 0 to 3650 days", id="long timer"
        ),
        pytest.param(
            change(
                W, 'timer = "1.5h"', WELCOME[WELCOME.index("[steps.email]") : WELCOME.index("\n[[steps]]\nt")]
            ),
            f"{W}:13: another step is called welcome, too",
            id="same name",
        ),
        pytest.param(
            {**SOUND, W: 'name = "x"\ntrigger = "contact-added"\n' + '[[steps]]\ntimer = "1m"\n' * 399},
            f"{W}:3: a workflow has at most 398 steps, not 399",
            id="too many steps",
        ),
        pytest.param(
            {
                **SOUND,
                W: 'name = "x"\ntrigger = "contact-added"\n'
                + '[[steps]]\ntimer = "1m"\n' * 399
                + '[[steps]]\nid = "end"\nexit = true\n',
            },
            f"{W}:3: a workflow has at most 399 steps, not 400",
            id="too many steps with an exit",
        ),
        pytest.param(change(W, "subject =", "subjekt ="), f"{W}:6: subject is missing", id="no subject"),
        pytest.param(
            change(W, "subject =", "subjekt ="),
            f"{W}:7: unknown key subjekt; did you mean subject?",
            id="email key",
        ),
        pytest.param(
            change(W, '"Hi {contact.firstName}"', "7"),
            f"{W}:7: subject is text in quotes, not a number",
            id="no text",
        ),
        pytest.param(
            change(W, "{contact.firstName}", "{firstName}"),
            f"{W}:7: the subject: {{firstName}}",
            id="bare variable",
        ),
        pytest.param(
            change(W, "{contact.firstName}", "{data.name}"), f"{W}:7: the subject: {{data.name}}", id="kind"
        ),
        pytest.param(
            change(W, '"ada"', '"ada@x.org"'),
            f"{W}:8: the sender's address is only the part before the @",
            id="whole sender",
        ),
        pytest.param(
            change(W, '"ada"', '"a da"'),
            f"{W}:8: the sender's address cannot be part of an address",
            id="bad sender",
        ),
        *(
            pytest.param(
                change(W, '"ada"', f'"{sender}"'),
                f"{W}:8: the sender's address {words}",
                id=f"sender {sender}",
            )
            for sender, words in (
                ("müller", "holds ü, and no letters outside ASCII can stand before the @; use a to z"),
                ("a..b", "has a dot at its beginning or end, or two in a row"),
                (".a", "has a dot"),
                ("{contact.firstName}.", "has a dot"),
                ("a(b", "cannot be part of an address"),
                ("a" * 65, "has 65 characters; at most 64"),
            )
        ),
        *(
            pytest.param(
                change(W, '"ada"', f'"ada"\nreply_to = "{address}"'),
                f"{W}:9: the reply address {words}",
                id=f"reply to {address}",
            )
            for address, words in (
                ("ada@", "is not a whole email address"),
                ("@x.org", "is not a whole email address"),
                ("müller@x.org", "is not an email address: the part before the @ holds ü"),
                ("{contact.firstName}@x..org", "is not an email address: what follows the @"),
                ("ada@https://x.org", "is not an email address: what follows the @ is the domain alone"),
                ("a@x.org, b@x.org", "is not one email address"),
            )
        ),
        pytest.param(
            change(W, '"ada"', '"ada"\nlanguage = "German, please"'),
            f"{W}:9: the language is a code such as",
            id="language",
        ),
        pytest.param(
            change(W, '"ada"', '"ada"\nreply_to = "ada"'),
            f"{W}:9: the reply address is not an email address",
            id="reply",
        ),
        pytest.param(
            change(W, '"welcome.lmx"', '"welcom.lmx"'),
            f"{W}:9: body names welcom.lmx, which is no .lmx file here; did you mean welcome.lmx?",
            id="no body",
        ),
        pytest.param(
            change(W, '"welcome.lmx"', '"../../etc/passwd"'),
            f"{W}:9: body names ../../etc/passwd",
            id="outside",
        ),
        pytest.param(
            change(W, '"welcome.lmx"', '"welcome.toml"'),
            f"{W}:9: body names welcome.toml, which is no .lmx",
            id="not LMX",
        ),
        pytest.param(
            change(W, "contact.firstName =", "contact.fristName ="),
            f"{W}:10: the email has no variable {{contact.fristName}}; did you mean firstName?",
            id="fallback for nothing",
        ),
        pytest.param(
            change(W, "fallbacks.event", "fallbacks.evnt"),
            f"{W}:11: unknown key evnt; did you mean event?",
            id="kind of fallback",
        ),
        pytest.param(
            change(W, '"free"', "0"), f"{W}:11: plan is text in quotes, not a number", id="fallback is text"
        ),
        pytest.param(
            change("workflows/welcome.lmx", "Hello\n", "Hello\n<Blink/>"),
            "workflows/welcome.lmx:2: <Blink> is not a tag",
            id="tag",
        ),
        pytest.param(
            change("workflows/welcome.lmx", "event.plan", "data.plan"),
            "workflows/welcome.lmx:",
            id="variable of the wrong kind",
        ),
        pytest.param(
            change("workflows/welcome.lmx", "Hello", "x" * 100_001),
            "workflows/welcome.lmx:1: an email's body has at most 100,000 bytes",
            id="long body",
        ),
        pytest.param(
            change("transactional/receipt.lmx", "data.amount", "contact.email"),
            "transactional/receipt.lmx:1: {contact.email} cannot be used in transactional email",
            id="contact in transactional email",
        ),
        pytest.param(
            change(R, "[fallbacks.data]", "[fallbacks.contact]"),
            f"{R}:6: unknown key contact",
            id="kind in transactional email",
        ),
    ],
)
def test_each_mistake_is_found_at_its_line(files: dict[str, str], expected: str) -> None:
    """File, line and what to do."""
    found = mistakes(files)
    assert any(mistake.startswith(expected) for mistake in found), found


def test_all_mistakes_are_told_at_once() -> None:
    """One run of the command shows everything there is to mend, in the order of the files."""
    files = {
        **SOUND,
        "lists.toml": "[news]\nname = 1\n",
        W: WELCOME.replace('"1.5h"', '"soon"').replace('from = "ada"', 'from = "a@b"'),
        "workflows/welcome.lmx": "<Paragraph>\n<Blink/>\n{firstName}</Paragraph>",
        R: "name = \n",
    }
    places = [mistake.split(": ")[0] for mistake in mistakes(files)]
    assert [p for p in places if not p.startswith("workflows/welcome.lmx")] == [
        "lists.toml:2",
        f"{R}:1",
        f"{W}:8",
        f"{W}:11",  # the body is read all the same, but it uses no {event.plan} now
        f"{W}:14",
    ]
    assert len([p for p in places if p.startswith("workflows/welcome.lmx")]) == 2


def test_a_broken_list_file_blames_no_workflow() -> None:
    """What follows from another mistake is not told."""
    assert len(mistakes({**SOUND, "lists.toml": "[news\n"})) == 1


@pytest.mark.parametrize(
    ("timer", "wait"),
    [
        ('"30m"', timedelta(minutes=30)),
        ('"2 h"', timedelta(hours=2)),
        ('"1.5d"', timedelta(hours=36)),
        ('"0m"', timedelta(0)),
        ('{ amount = 3, unit = "d" }', timedelta(days=3)),
    ],
)
def test_ways_to_write_a_timer(timer: str, wait: timedelta) -> None:
    """Short or as the API has it."""
    action = workflow(WELCOME.replace('"1.5h"', timer)).steps[1].action
    assert isinstance(action, TimerAction)
    assert action.wait == wait


@pytest.mark.parametrize(
    ("status", "stored"), [("sending", "Sending"), ("draft", "Draft"), ("paused", "Paused")]
)
def test_status(status: str, stored: str) -> None:
    """A workflow sends unless the file says otherwise."""
    assert workflow(f'status = "{status}"\n{WELCOME}').status == stored


def test_contact_added() -> None:
    """The other trigger is a word."""
    source = WELCOME.replace('{ event = "signup", once = true }', '"contact-added"').replace(
        "welcome.lmx", "other.lmx"
    )
    source = source.replace('fallbacks.event.plan = "free"\n', "")
    (definition,) = parse({**SOUND, W: source, "workflows/other.lmx": "<Paragraph>Hi</Paragraph>"}).workflows
    assert definition.trigger == SignupTrigger()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(["a", None, "b"], ["a", "before-b", "b"], id="a timer waits for its email"),
        pytest.param([None, None, "b"], ["before-b-2", "before-b", "b"], id="the nearest is the first"),
        pytest.param(["a", None], ["a", "before-exit"], id="at the end"),
        pytest.param([], [], id="nothing"),
    ],
)
def test_steps_get_names(given: list[str | None], expected: list[str]) -> None:
    """An email is called after its body, a timer after what it waits for."""
    assert step_names(given) == expected


def test_node_ids_survive_what_happens_around_them() -> None:
    """A step keeps its id when others are added in front of it, and gets another in another workflow."""
    before = workflow(WELCOME).graph(dict.fromkeys(workflow(WELCOME).messages(), "m"))
    longer = workflow(WELCOME.replace("[[steps]]", '[[steps]]\ntimer = "1d"\n\n[[steps]]', 1))
    after = longer.graph(dict.fromkeys(longer.messages(), "m"))
    assert set(before.nodes) < set(after.nodes)
    assert all(len(node_id) == 25 and node_id.startswith("c") for node_id in after.nodes)
    renamed = workflow(WELCOME.replace("[[steps]]\ntimer", '[[steps]]\nid = "pause"\ntimer'))
    other = renamed.graph(dict.fromkeys(renamed.messages(), "m"))
    assert len(set(before.nodes) & set(other.nodes)) == 3


def test_contact_properties_are_those_of_the_team() -> None:
    """The team's own and the default ones are known; anything else is a mistake where it is first used."""
    definitions = parse(
        change(W, "{contact.firstName}", "{contact.firstName} {contact.fristName} {contact.plan}")
    )
    assert [str(mistake) for mistake in unknown_properties(definitions, {"plan"})] == [
        f"{W}:7: the team has no contact property fristName; did you mean firstName? or declare it in "
        'properties.toml: fristName = "string"'
    ]


def test_warnings_stop_nothing() -> None:
    """An attribute without effect is worth a word, with its line."""
    definitions = parse(change("workflows/welcome.lmx", "<Paragraph>", '<Paragraph colour="red">'))
    assert [(w.file, w.line) for w in definitions.warnings] == [("workflows/welcome.lmx", 1)]


@pytest.mark.parametrize("body", ["workflows/welcome.lmx", "transactional/receipt.lmx"])
def test_html_that_mail_programs_cut_is_a_warning(body: str) -> None:
    """Counted without values, since nobody knows them yet; conditional parts count."""
    value = "{event.plan}" if "welcome" in body else "{data.amount}"
    long = f'<Section if="{value}">{"<Divider/>" * 100}{"<Paragraph>x</Paragraph>" * 100}</Section>'
    for times, warned in ((1, False), (8, True)):
        [*found] = parse({**SOUND, body: SOUND[body] + long * times}).warnings
        assert bool(found) == warned
    assert (found[0].file, found[0].line) == (body, 1)
    assert "Gmail hides what comes after 102 KB" in found[0].message


def test_windows_line_ends_and_byte_order_marks(tmp_path: Path) -> None:
    """Files that come from other editors read the same."""
    for name, text in SOUND.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    definitions = parse(read_folder(tmp_path))
    assert [definition.slug for definition in definitions.workflows] == ["welcome"]


def test_an_ending_in_capitals_is_a_mistake(tmp_path: Path) -> None:
    """The file would be passed over, as some editors and file systems write it."""
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "welcome.TOML").write_text("")
    with pytest.raises(InvalidDefinitions, match=r"welcome\.TOML:1: its ending is written \.toml"):
        read_folder(tmp_path)


def test_what_is_not_utf8_is_a_mistake(tmp_path: Path) -> None:
    """With the line of the first bad byte."""
    (tmp_path / "lists.toml").write_bytes('[news]\nname = "Nouveautés"\n'.encode("latin-1"))
    with pytest.raises(InvalidDefinitions, match=r"^lists\.toml:2: not UTF-8"):
        read_folder(tmp_path)


SHARED = {
    "transactional/hello.toml": 'name = "Hello"\nsubject = "Hi"\nfrom = "hello"\nbody = "hello.lmx"\n',
    "transactional/hello.lmx": "<Paragraph>Hi</Paragraph>",
    "components/footer.toml": 'name = "Footer"\nbody = "footer.lmx"',
    "components/footer.lmx": "<Paragraph>Bye</Paragraph>",
    "themes/brand.toml": 'name = "Brand"\n[styles]\nbodyColor = "#fff"',
}


@pytest.mark.parametrize(
    ("files", "images", "expected"),
    [
        pytest.param(
            {"transactional/hello.lmx": '<H1>A</H1>\n<Image src="images/log.png"/>'},
            {"images/logo.png": b"\x89PNG\r\n\x1a\n"},
            "transactional/hello.lmx:2: there is no file images/log.png; did you mean images/logo.png?",
            id="an image that is not there",
        ),
        pytest.param({}, {"images/a.png": b"<html>"}, "images/a.png:1: no image that emails", id="no image"),
        pytest.param(
            {"themes/brand.toml": 'name = "Brand"\n[styles]\nbodyColour = "#fff"\nbodyColor = "red"'},
            {},
            'themes/brand.toml:4: bodyColor must be a colour such as "#0a66c2" or "#06c" (got "red")',
            id="a wrong colour",
        ),
        pytest.param(
            {"themes/brand.toml": 'name = "Brand"\n[styles]\nbodyColour = "#fff"'},
            {},
            "themes/brand.toml:3: bodyColour is no style",
            id="an unknown style",
        ),
        pytest.param(
            {"components/footer.lmx": "<Paragraph>\n<Strng>a</Strng></Paragraph>"},
            {},
            "components/footer.lmx:2: <Strng> is not a tag of LMX; write <Strong>",
            id="a mistake in a component",
        ),
        pytest.param(
            {"components/footer.toml": 'name = "Footer"\nbody = "foot.lmx"'},
            {},
            "components/footer.toml:2: body names foot.lmx, which is no .lmx file here; did you mean footer",
            id="a component without its body",
        ),
        pytest.param(
            {"transactional/hello.lmx": '<H1>A</H1>\n<Button>Go there</Button>'},
            {},
            "transactional/hello.lmx:2: Buttons without address: Go there.",
            id="what Guardian finds",
        ),
        pytest.param(
            {"transactional/hello.lmx": '<Component componentId="footer"/>\n',
             "components/footer.lmx": "<Paragraph>{contact.firstName}</Paragraph>"},
            {},
            "transactional/hello.lmx:1: component Footer: {contact.firstName} cannot be used",
            id="a component of the other kind",
        ),
    ],
)  # fmt: skip
def test_what_is_shared_has_its_mistakes_told(
    files: dict[str, str], images: dict[str, bytes], expected: str
) -> None:
    """Each at its file and line."""
    with pytest.raises(InvalidDefinitions) as refused:
        parse(SHARED | files, images)
    assert expected in str(refused.value)


def test_guardian_warns_as_the_api_does() -> None:
    """What is merely doubtful stops nothing."""
    files = SHARED | {
        "transactional/hello.lmx": '<Paragraph><Link href="ada@acme.org">Ada</Link></Paragraph>'
    }
    (warning,) = [one for one in parse(files).warnings if "bare email address" in one.message]
    assert (warning.file, warning.line) == ("transactional/hello.lmx", 1)


TRIALS = (
    'match = "all"\nconditions = [{ type = "property", key = "seats", operator = "equals", value = %s }]\n'
)


@pytest.mark.parametrize("number", ["nan", "-nan", "inf", "+inf", "1e999"])
@pytest.mark.parametrize(
    ("file", "text", "place"),
    [
        pytest.param("segments.toml", f"[Trials]\n{TRIALS}", "segments.toml:3: value", id="segment"),
        pytest.param(
            W,
            'name = "x"\ntrigger = { property = "seats", is = { operator = "greater_than", value = %s } }\n'
            '[[steps]]\ntimer = "1m"\n',
            f"{W}:2: value",
            id="trigger",
        ),
        pytest.param(
            W,
            'name = "x"\ntrigger = "contact-added"\n[[steps]]\nid = "a"\n[steps.filter]\n' + TRIALS,
            f"{W}:7: value",
            id="filter",
        ),
        pytest.param(
            W,
            'name = "x"\ntrigger = "contact-added"\n[[steps]]\nemail = "elsewhere"\nid = "a"\n'
            "stale_after_hours = %s\n",
            f"{W}:6: stale_after_hours",
            id="hours",
        ),
    ],
)
def test_numbers_end(file: str, text: str, place: str, number: str) -> None:
    """TOML has some that JSON lacks: kept as null, they would keep a workflow from ever being read again."""
    with pytest.raises(InvalidDefinitions) as refused:
        parse({file: text % number})
    assert [str(one) for one in refused.value.mistakes] == [
        f"{place} is a number, not nan or inf; write one that ends"
    ]


DRAFT = 'name = "x"\ntrigger = "not-chosen"\nstatus = "draft"\n[[steps]]\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            DRAFT + 'id = "a"\nexperiment = { ways = ["b"], sampling_rate = 101 }\n'
            '[[steps]]\nid = "b"\nvariant = "variant"\n',
            "4: a: a sampling rate lies between 0 and 100",
            id="rate",
        ),
        pytest.param(
            DRAFT + 'id = "a"\nemail = "elsewhere"\nstale_after_hours = -3\n',
            "4: a: an email is stale after some hours, more than 0",
            id="hours",
        ),
        pytest.param(
            DRAFT + 'id = "a"\nbranch = ["b", "b"]\n[[steps]]\nid = "b"\nfilter = {}\n',
            "6: branch names b more than once",
            id="one way twice",
        ),
        pytest.param(
            DRAFT.replace('"x"', r'"a\u0000b"') + 'timer = "1m"\n', "1: name contains a NUL", id="NUL"
        ),
    ],
)
def test_a_draft_holds_nothing_that_no_node_can(text: str, said: str) -> None:
    """What the API refuses of a draft, files are refused, too."""
    with pytest.raises(InvalidDefinitions) as refused:
        parse({W: text})
    assert str(refused.value.mistakes[0]).startswith(f"{W}:{said}")


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 3000 + "]" * 3000], ids=["digits", "depth"])
def test_what_the_reader_of_toml_cannot_take(value: str) -> None:
    """The file is named, like with every other mistake."""
    with pytest.raises(InvalidDefinitions) as refused:
        parse({W: f"name = {value}\n"})
    assert str(refused.value.mistakes[0]).startswith(f"{W}:1: a number is too long, or lists")


def test_as_many_steps_as_a_workflow_has_nodes() -> None:
    """An exit that is a step of its own is one of them, as in files of a whole workflow that was pulled."""
    steps = '[[steps]]\ntimer = "1m"\n' * 398 + '[[steps]]\nid = "end"\nexit = true\n'
    (workflow,) = parse({W: f'name = "x"\ntrigger = "contact-added"\n{steps}'}).workflows
    assert len(workflow.graph({}).nodes) == WORKFLOW_NODES
