"""What a filter means: every operator on every type of property, against right answers."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from loopwright.server.audience.check import check_filter
from loopwright.server.audience.predicate import Audience
from loopwright.server.store.audience import count, matching
from loopwright.server.store.database import Pool
from loopwright.server.store.teams import TeamRow
from loopwright.server.workflow.change import MEANINGS
from loopwright.server.workflow.graph import SendEmailAction
from loopwright.wire.filters import OPERATORS, AudienceFilter
from loopwright.wire.values import PropertyType
from support.factories import add_contact, add_email, add_fact, add_segment
from support.workflows import add_workflow, email_timer_email

KINDS: dict[str, PropertyType] = {"plan": "string", "seats": "number", "trial": "boolean", "renewed": "date"}

# What each contact has stored; `lacks` has nothing, `null` a null, and `wrong…` what the type is not.
STORED: dict[str, dict[str, Any]] = {
    "plan": {"null": None, "empty": "", "pro": "Pro", "large": "École pro", "wrong": 42, "wrong2": True},
    "seats": {
        "null": None,
        "zero": 0,
        "half": 4.5,
        "many": 42,
        "huge": 2**63 - 1,
        "wrong": "42",
        "wrong2": True,
    },
    "trial": {"null": None, "yes": True, "no": False, "wrong": "true", "wrong2": 1},
    "renewed": {
        "null": None,
        "empty": "",
        "new_year": "2024-01-01T00:00:00.000Z",
        "march": "2024-03-01T12:00:00.500Z",
        "wrong": "soon",
        "wrong2": 2025,
    },
}

# (key, operator, value): the contacts that match. Those that lack the property are told by `lacks`.
ANSWERS: list[tuple[str, str, Any, str]] = [
    ("plan", "any", None, "lacks null empty pro large wrong wrong2"),
    ("plan", "contains", "PRO", "pro large"),
    ("plan", "contains", "éCO", "large"),
    ("plan", "contains", "%", ""),
    ("plan", "contains", "4", ""),
    ("plan", "notContains", "éco", "lacks null empty pro wrong wrong2"),
    ("plan", "notContains", "4", "lacks null empty pro large wrong wrong2"),
    ("plan", "equals", "pro", "pro"),
    ("plan", "equals", "42", ""),
    ("plan", "equals", "TRUE", ""),
    ("plan", "notEquals", "pro", "lacks null empty large wrong wrong2"),
    ("plan", "notEquals", "42", "lacks null empty pro large wrong wrong2"),
    ("plan", "notEquals", "true", "lacks null empty pro large wrong wrong2"),
    ("plan", "empty", None, "lacks null empty"),
    ("plan", "notEmpty", None, "pro large wrong wrong2"),
    ("seats", "any", None, "lacks null zero half many huge wrong wrong2"),
    ("seats", "equals", 42, "many"),
    ("seats", "equals", 42.0, "many"),
    ("seats", "equals", 2**63 - 1, "huge"),
    ("seats", "notEquals", 42, "lacks null zero half huge wrong wrong2"),
    ("seats", "greaterThan", 4, "half many huge"),
    ("seats", "greaterThan", 42, "huge"),
    ("seats", "lessThan", 4.5, "zero"),
    ("seats", "lessThan", -1, ""),
    ("seats", "empty", None, "lacks null"),
    ("seats", "notEmpty", None, "zero half many huge wrong wrong2"),
    ("trial", "any", None, "lacks null yes no wrong wrong2"),
    ("trial", "isTrue", None, "yes"),
    ("trial", "isFalse", None, "no"),
    ("trial", "empty", None, "lacks null"),
    ("trial", "notEmpty", None, "yes no wrong wrong2"),
    ("renewed", "any", None, "lacks null empty new_year march wrong wrong2"),
    ("renewed", "after", "2024-01-01T01:00:00+01:00", "march"),
    ("renewed", "after", "1704067199999", "new_year march"),
    ("renewed", "before", "2024-03-01T12:00:00.500Z", "new_year"),
    ("renewed", "before", "9999-12-31", "new_year march"),
    ("renewed", "between", {"from": "2024-01-01", "to": "2024-03-01T12:00:00.500"}, "new_year march"),
    ("renewed", "between", {"from": "2024-01-02", "to": "2024-03-01"}, ""),
    ("renewed", "dateEmpty", None, "lacks null empty"),
    ("renewed", "dateNotEmpty", None, "new_year march wrong wrong2"),
]

DEFAULTS: list[tuple[str, str, Any, str]] = [
    ("firstName", "equals", "ÉLODIE", "full"),
    ("firstName", "notEquals", "élodie", "bare"),
    ("firstName", "contains", "lod", "full"),
    ("firstName", "empty", None, "bare"),
    ("firstName", "notEmpty", None, "full"),
    ("userGroup", "empty", None, "bare"),
    ("userGroup", "equals", "staff", "full"),
    ("email", "equals", "FULL@elsewhere.org", "full"),
    ("email", "notEquals", "FULL@elsewhere.org", "bare"),
    ("email", "contains", "ELSEWHERE", "bare full"),
    ("email", "notContains", "bar", "full"),
    ("userId", "equals", "u1", "full"),
    ("userId", "notContains", "u", "bare"),
    ("notes", "empty", None, "bare full"),
    ("source", "equals", "api", "bare full"),
    ("lastName", "any", None, "bare full"),
    ("subscribed", "isTrue", None, "bare"),
    ("subscribed", "isFalse", None, "full"),
    ("subscribed", "empty", None, ""),
    ("subscribed", "notEmpty", None, "bare full"),
    ("createdAt", "after", "2024-01-01", "bare"),
    ("createdAt", "before", "2024-01-01", "full"),
    ("createdAt", "between", {"from": "2023-05-01", "to": "2023-05-01"}, "full"),
    ("createdAt", "dateEmpty", None, ""),
    ("createdAt", "dateNotEmpty", None, "bare full"),
]


def filter_(*conditions: dict[str, Any], match: str = "all") -> AudienceFilter:
    one = msgspec.convert({"match": match, "conditions": list(conditions)}, AudienceFilter)
    return check_filter(one, KINDS, tracks=True)


def property_(key: str, operator: str, value: Any = None) -> dict[str, Any]:
    given = {} if value is None else {"value": value}
    return {"type": "property", "key": key, "operator": operator, **given}


async def found(pool: Pool, team: TeamRow, one: AudienceFilter) -> set[str]:
    """Those that match, which are as many as are counted."""
    audience = Audience(filter=one)
    async with pool.acquire() as tx:
        everybody = [row["id"] for row in await tx.fetch("SELECT id FROM contact")]
        matched = await matching(tx, team.id, audience, everybody)
        assert await count(tx, team.id, audience) == len(matched)
    return matched


async def test_every_operator_on_every_type(pool: Pool, team: TeamRow) -> None:
    """With values that are there, missing, null, empty, or of a type that the property does not have."""
    wanted = {(name, kind) for name, kinds in OPERATORS.items() for kind in kinds}
    assert {(operator, KINDS[key]) for key, operator, _, _ in ANSWERS} == wanted
    for key, cases in STORED.items():
        for name, value in cases.items():
            await add_contact(pool, team.id, f"{key}_{name}", properties={key: value})
    wrong = {}
    for key, operator, value, names in ANSWERS:
        matched = await found(pool, team, filter_(property_(key, operator, value)))
        others = {f"{other}_{name}" for other in STORED if other != key for name in STORED[other]}
        own = {one.removeprefix(f"{key}_") for one in matched - others} | {
            "lacks" for _ in [1] if matched & others
        }
        assert matched & others in (set(), others)
        if own != set(names.split()):
            wrong[key, operator, str(value)] = own
    assert wrong == {}


@pytest.mark.parametrize(
    ("operator", "meaning"),
    [
        ("equals", "equal"),
        ("notEquals", "not_equal"),
        ("contains", "contains"),
        ("notContains", "not_contains"),
    ],
)
async def test_text_is_compared_as_triggers_do(
    pool: Pool, team: TeamRow, operator: str, meaning: str
) -> None:
    """Of letters too that have no other case, two of them, or one of another length."""
    texts = [
        "Straße",
        "STRASSE",
        "STRAẞE",
        "İzmir",
        "izmir",
        "Izmir",
        "ΟΔΟΣ",
        "οδος",
        "οδοσ",
        "ﬁn",
        "FIN",
        "Å",
    ]
    for text in texts:
        await add_contact(pool, team.id, text, properties={"plan": text})
    for value in [*texts, "ß", "ss", "İ", "i̇", "ς", "Σ", "ﬁ", "å"]:
        asked = await found(pool, team, filter_(property_("plan", operator, value)))
        assert asked == {text for text in texts if MEANINGS[meaning](text, value)}, value


async def test_an_address_is_found_as_it_was_given(pool: Pool, team: TeamRow) -> None:
    """It is stored in the lower case of Python, which is not that of PostgreSQL for every letter."""
    for name in ("İpek", "ΝΙΚΟΣ"):
        await add_contact(pool, team.id, name, email=f"{name}@example.com".lower())
        assert await found(pool, team, filter_(property_("email", "equals", f"{name}@example.com"))) == {name}


async def test_conditions_together(pool: Pool, team: TeamRow) -> None:
    """All of two are those whom both let through, any of them those whom either does, in whatever order."""
    for number, name in enumerate(sorted({name for cases in STORED.values() for name in cases})):
        properties = {key: cases[name] for key, cases in STORED.items() if name in cases}
        await add_contact(pool, team.id, name, subscribed=number % 2 == 0, properties=properties)
    conditions = [property_(key, operator, value) for key, operator, value, _ in ANSWERS]
    conditions += [property_("subscribed", "isTrue"), property_("email", "contains", "e")]
    alone = [await found(pool, team, filter_(one)) for one in conditions]
    wrong = {}
    for step in (1, 7, 16):
        for place, one in enumerate(conditions):
            beside = (place + step) % len(conditions)
            both = await found(pool, team, filter_(one, conditions[beside]))
            either = await found(pool, team, filter_(conditions[beside], one, match="any"))
            if (both, either) != (alone[place] & alone[beside], alone[place] | alone[beside]):
                wrong[place, beside] = (both, either)
    assert wrong == {}


async def test_default_properties(pool: Pool, team: TeamRow) -> None:
    """They have columns of their own, and the same meanings."""
    await add_contact(pool, team.id, "bare")
    await add_contact(
        pool, team.id, "full", first_name="Élodie", user_id="U1", user_group="Staff", notes="",
        subscribed=False, created_at=datetime(2023, 5, 1, tzinfo=UTC),
    )  # fmt: skip
    wrong = {}
    for key, operator, value, names in DEFAULTS:
        matched = await found(pool, team, filter_(property_(key, operator, value)))
        if matched != set(names.split()):
            wrong[key, operator, str(value)] = matched
    assert wrong == {}


@pytest.mark.parametrize(
    ("match", "names"), [("all", {"both"}), ("any", {"both", "one", "other"})], ids=["all", "any"]
)
async def test_all_or_any(pool: Pool, team: TeamRow, match: str, names: set[str]) -> None:
    """Of two conditions; opt-in is one."""
    await add_contact(pool, team.id, "both", opt_in_status="accepted", properties={"seats": 5})
    await add_contact(pool, team.id, "one", opt_in_status="accepted")
    await add_contact(pool, team.id, "other", properties={"seats": 5})
    await add_contact(pool, team.id, "neither", opt_in_status="pending")
    seats, accepted = property_("seats", "equals", 5), {"type": "optIn", "status": "accepted"}
    assert await found(pool, team, filter_(seats, accepted, match=match)) == names
    assert await found(pool, team, filter_({"type": "optIn", "status": None})) == {"other"}


async def test_an_audience_is_the_teams_own(pool: Pool, team: TeamRow) -> None:
    """Other contacts than those asked for are not in the answer, nor another team's."""
    await add_contact(pool, team.id, "c1", mailing_lists={"cnews": "subscribed"})
    await add_contact(pool, team.id, "c2", mailing_lists={"cnews": "opted_out"})
    await add_segment(pool, team.id, "cpros", filter_=filter_(property_("email", "contains", "C1")))
    async with pool.acquire() as tx:
        pros = Audience(segment_id="cpros", filter=filter_(property_("seats", "empty")))
        assert await matching(tx, team.id, pros, ["c1", "c2"]) == {"c1"}
        assert await matching(tx, team.id, Audience(), ["c1", "c9"]) == {"c1"}
        assert await matching(tx, "cother", Audience(), ["c1"]) == set()
        assert await count(tx, team.id, Audience(), "cnews") == 1
        with pytest.raises(LookupError, match="no segment cnone"):
            await count(tx, team.id, Audience(segment_id="cnone"))


async def test_who_was_sent_what(pool: Pool, team: TeamRow) -> None:
    """By workflow, by the node that sends, or by its message; an email that never left was not sent."""
    nodes = await email_timer_email(pool, team.id, 5)
    workflow = await add_workflow(pool, team.id, nodes)
    first, second = (node for node in nodes.values() if isinstance(node, SendEmailAction))
    now = datetime.now(UTC)
    for contact_id, node, status in (
        ("one", first, "sent"),
        ("two", second, "sent"),
        ("none", first, "skipped"),
    ):
        await add_contact(pool, team.id, contact_id)
        await add_email(
            pool, str(node.email_message_id), f"e{contact_id}", kind="marketing", contact_id=contact_id,
            workflow_id=workflow.id, status=status, now=now,
        )  # fmt: skip
    answers = [
        ("workflow", workflow.id, {"one", "two"}),
        ("workflow", "cother", set[str]()),
        ("workflowEmail", "first", {"one"}),
        ("workflowEmail", str(second.email_message_id), {"two"}),
        ("workflowEmail", "wait", set[str]()),
    ]
    for target, id_, names in answers:
        sent = {"type": "activity", "action": "sent", "target": target, "id": id_}
        assert await found(pool, team, filter_(sent)) == names
        assert await found(pool, team, filter_({**sent, "negate": True})) == {"one", "two", "none"} - names
        either = filter_(sent, property_("email", "equals", "none@elsewhere.org"), match="any")
        assert await found(pool, team, either) == names | {"none"}


async def test_who_opened_and_clicked(pool: Pool, team: TeamRow) -> None:
    """An open is not a click; whoever did neither, or only to another email, is not among them."""
    nodes = await email_timer_email(pool, team.id, 5)
    message_id = str(next(one for one in nodes.values() if isinstance(one, SendEmailAction)).email_message_id)
    workflow = await add_workflow(pool, team.id, nodes)
    now = datetime.now(UTC)
    for contact_id, kinds in (("reads", ["opened"]), ("acts", ["opened", "clicked"]), ("silent", [])):
        await add_contact(pool, team.id, contact_id)
        await add_email(
            pool, message_id, f"e{contact_id}", kind="marketing", contact_id=contact_id,
            workflow_id=workflow.id, status="sent", now=now,
        )  # fmt: skip
        for kind in kinds:
            await add_fact(pool, team.id, f"email_{kind}", email_id=f"e{contact_id}", now=now)
    for action, names in (("opened", {"reads", "acts"}), ("clicked", {"acts"})):
        done = {"type": "activity", "action": action, "target": "workflow", "id": workflow.id}
        assert await found(pool, team, filter_(done)) == names
        assert (
            await found(pool, team, filter_({**done, "negate": True})) == {"reads", "acts", "silent"} - names
        )
        assert await found(pool, team, filter_({**done, "id": "cother"})) == set()
