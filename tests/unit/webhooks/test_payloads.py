"""Reading and writing payloads: the published samples, what may be missing, and what may be new."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from loopwright import webhooks

HEAD = {"eventTime": 1772366400, "webhookSchemaVersion": "1.0.0"}
WHO = {"contactIdentity": {"id": "c1", "email": "ada@example.com", "userId": None}}
EMAIL = {"email": {"id": "e1", "emailMessageId": "m1", "subject": "Hello"}}
LIST = {"id": "l1", "name": "News", "description": None, "isPublic": True}
CONTACT = {
    "id": "c1",
    "email": "ada@example.com",
    "firstName": "Ada",
    "lastName": None,
    "source": "API",
    "subscribed": True,
    "userGroup": "",
    "userId": None,
    "mailingLists": {"l1": True},
    "optInStatus": None,
    "plan": "pro",
    "seats": 3,
    "trial": False,
    "company": None,
}
METRIC = EMAIL | {"sourceType": "loop", "loopId": "w1"}

SAMPLES: dict[str, dict[str, Any]] = {
    "contact.created": WHO | {"contact": CONTACT},
    "contact.unsubscribed": WHO,
    "contact.deleted": WHO,
    "contact.mailingList.subscribed": WHO | {"mailingList": LIST},
    "contact.mailingList.unsubscribed": WHO | {"mailingList": LIST},
    "transactional.email.sent": WHO | EMAIL | {"transactionalId": "t1", "transactionalName": "Receipt"},
    "campaign.email.sent": WHO | EMAIL | {"campaignId": "k1", "campaignName": "May", "mailingLists": [LIST]},
    "loop.email.sent": WHO | EMAIL | {"loopId": "w1", "loopName": "Welcome", "mailingLists": []},
    "email.delivered": WHO | EMAIL | {"sourceType": "transactional", "transactionalId": "t1"},
    "email.softBounced": WHO | METRIC,
    "email.hardBounced": WHO | METRIC,
    "email.opened": WHO | EMAIL | {"sourceType": "campaign", "campaignId": "k1"},
    "email.clicked": WHO | METRIC,
    "email.unsubscribed": WHO | METRIC,
    "email.resubscribed": WHO | METRIC,
    "email.spamReported": WHO | METRIC,
    "testing.testEvent": {"message": "test"},
}


def sample(name: str, **extra: object) -> bytes:
    return json.dumps({"eventName": name} | HEAD | SAMPLES[name] | extra).encode()


def test_every_published_event_has_a_type() -> None:
    assert set(webhooks.EVENT_TYPES) == set(SAMPLES)


@pytest.mark.parametrize("name", SAMPLES)
def test_reading_and_writing_lose_nothing(name: str) -> None:
    """What is written equals the sample key by key, so neither direction drops or renames a field."""
    event = webhooks.read(sample(name))
    assert not isinstance(event, webhooks.UnknownEvent)
    assert type(event) is webhooks.EVENT_TYPES[name]
    written = json.loads(webhooks.write(event))
    assert written == json.loads(sample(name))


@pytest.mark.parametrize("name", SAMPLES)
def test_new_fields_break_nothing(name: str) -> None:
    assert webhooks.read(sample(name, newInMay={"deep": [1]})) == webhooks.read(sample(name))


def test_new_events_break_nothing() -> None:
    event = webhooks.read(b'{"eventName": "contact.cloned", "eventTime": 1, "twin": {"id": "c2"}}')
    assert event == webhooks.UnknownEvent(
        event_name="contact.cloned",
        payload={"eventName": "contact.cloned", "eventTime": 1, "twin": {"id": "c2"}},
    )


def test_custom_properties_are_gathered() -> None:
    event = webhooks.read(sample("contact.created"))
    assert isinstance(event, webhooks.ContactCreated)
    assert event.contact.first_name == "Ada"
    assert event.contact.mailing_lists == {"l1": True}
    assert event.contact.properties == {"plan": "pro", "seats": 3, "trial": False, "company": None}


def test_a_property_named_properties_is_only_a_property() -> None:
    event = webhooks.read(sample("contact.created", contact=CONTACT | {"properties": "mine"}))
    assert isinstance(event, webhooks.ContactCreated)
    assert event.contact.properties["properties"] == "mine"
    assert json.loads(webhooks.write(event))["contact"]["properties"] == "mine"


def test_fields_added_over_the_years_may_be_missing() -> None:
    """Names of campaigns and transactional emails came later, and lists only when some were used."""
    bare = {"eventName": "campaign.email.sent"} | HEAD | WHO | EMAIL | {"campaignId": "k1"}
    event = webhooks.read(json.dumps(bare))
    assert isinstance(event, webhooks.CampaignEmailSent)
    assert (event.campaign_name, event.mailing_lists) == (None, [])


def test_the_time_is_a_datetime_too() -> None:
    event = webhooks.read(sample("testing.testEvent"))
    assert isinstance(event, webhooks.TestEvent)
    assert event.occurred_at == datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_receivers_match_on_types() -> None:
    match webhooks.read(sample("email.hardBounced")):
        case webhooks.EmailHardBounced(contact_identity=who, workflow_id=workflow_id):
            assert (who.email, workflow_id) == ("ada@example.com", "w1")
        case other:
            pytest.fail(f"read as {type(other).__name__}")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut off"),
        pytest.param(b"[]", id="not an object"),
        pytest.param(b"{}", id="no eventName"),
        pytest.param(b'{"eventName": 3}', id="eventName is a number"),
        pytest.param(b'{"eventName": "\xff"}', id="not UTF-8"),
        pytest.param(sample("email.clicked", email="e1"), id="email is text"),
        pytest.param(sample("contact.created", contact=[]), id="contact is a list"),
        pytest.param(sample("contact.deleted", eventTime="now"), id="time is text"),
        pytest.param(b'{"eventName": "contact.deleted", "eventTime": 1}', id="nobody named"),
        pytest.param(b"[" * 100_000, id="nested without end"),
    ],
)
def test_what_is_not_a_payload_is_an_error_of_ours(body: bytes) -> None:
    with pytest.raises(webhooks.PayloadError):
        webhooks.read(body)


def test_events_cannot_be_changed_by_accident() -> None:
    event = webhooks.read(sample("contact.deleted"))
    with pytest.raises(AttributeError):
        event.event_time = 2  # type: ignore[union-attr, misc]


def test_a_union_of_all_types_decodes_by_event_name() -> None:
    """The types are one tagged union, for those who decode with msgspec themselves."""
    assert msgspec.json.decode(sample("email.opened"), type=webhooks.KnownEvent) == webhooks.read(
        sample("email.opened")
    )
