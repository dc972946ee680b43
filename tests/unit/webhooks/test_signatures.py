"""Signing and verifying, with the `standardwebhooks` package as the independent opinion."""

from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import Message
from io import BytesIO
from typing import Any

import httpx2
import pytest
import standardwebhooks
from django.http.request import HttpHeaders
from hypothesis import given
from hypothesis import strategies as st

from loopwright import LoopsError, webhooks
from loopwright.webhooks import _signatures

SECRET = "whsec_" + b64encode(b"a key of some twenty-four").decode()
OTHER = "whsec_" + b64encode(b"the key before that one").decode()
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BODY = b'{"eventName":"testing.testEvent","eventTime":1772366400,"message":"test"}'


def signed(body: bytes = BODY, *, secrets: tuple[str, ...] = (SECRET,), at: datetime = NOW) -> dict[str, str]:
    return webhooks.sign(body, webhook_id="msg_1", secrets=secrets, now=at)


def test_what_is_signed_is_what_verifies() -> None:
    event = webhooks.verify(BODY, signed(), SECRET, now=NOW)
    assert event == webhooks.TestEvent(event_time=1772366400)


def test_the_known_answer() -> None:
    """The one vector worked out by hand: HMAC-SHA256 over id, timestamp and body, joined with dots."""
    headers = webhooks.sign(
        b"{}", webhook_id="msg_1", secrets=["whsec_c2VjcmV0"], now=datetime.fromtimestamp(1, UTC)
    )
    assert headers == {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1",
        "webhook-signature": "v1,kW+83cjD04uWm7Qber/sPiCRVJ9ljbsrg8ALKAx2qMc=",
    }


@given(
    body=st.text(alphabet=st.characters(exclude_categories=["Cs"])), key=st.binary(min_size=1, max_size=64)
)
def test_the_reference_library_accepts_our_signatures(body: str, key: bytes) -> None:
    secret = "whsec_" + b64encode(key).decode()
    headers = webhooks.sign(body.encode(), webhook_id="msg_2", secrets=[secret], now=datetime.now(UTC))
    standardwebhooks.Webhook(secret).verify(body, headers, json_parse=False)


def test_we_accept_the_reference_librarys_signatures() -> None:
    body = BODY.decode()
    headers = {
        "webhook-id": "msg_3",
        "webhook-timestamp": str(int(NOW.timestamp())),
        "webhook-signature": standardwebhooks.Webhook(SECRET).sign("msg_3", NOW, body),
    }
    assert isinstance(webhooks.verify(body, headers, SECRET, now=NOW), webhooks.TestEvent)


@pytest.mark.parametrize(
    ("sent_with", "known"),
    [
        pytest.param((SECRET, OTHER), SECRET, id="both signed, receiver has the new one"),
        pytest.param((SECRET, OTHER), OTHER, id="both signed, receiver has the old one"),
        pytest.param((SECRET,), [OTHER, SECRET], id="one signed, receiver knows both"),
        pytest.param((OTHER,), [OTHER, SECRET], id="the old one signed, receiver knows both"),
    ],
)
def test_a_secret_can_be_replaced_without_a_gap(sent_with: tuple[str, ...], known: str | list[str]) -> None:
    webhooks.verify(BODY, signed(secrets=sent_with), known, now=NOW)


def test_headers_come_in_any_letter_case() -> None:
    headers = {name.title(): value for name, value in signed().items()}
    webhooks.verify(BODY, headers, SECRET, now=NOW)


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(lambda given: list(given.items()), id="pairs"),
        pytest.param(lambda given: iter(given.items()), id="an iterator of pairs"),
        pytest.param(lambda given: [(k.encode(), v.encode()) for k, v in given.items()], id="ASGI"),
        pytest.param(lambda given: {k.encode(): v.encode() for k, v in given.items()}, id="bytes by bytes"),
        pytest.param(lambda given: environment(given), id="WSGI, and Django's META"),
        pytest.param(lambda given: {k.title(): [v] for k, v in given.items()}, id="a list of values each"),
        pytest.param(lambda given: {k: (v, v) for k, v in given.items()}, id="the same value twice"),
        pytest.param(lambda given: message(given), id="http.server"),
        pytest.param(lambda given: HttpHeaders(environment(given)), id="Django's headers"),
        pytest.param(lambda given: httpx2.Headers(given), id="httpx2, and Starlette"),
        pytest.param(lambda given: given | {"x-none": None, None: "x", "x-number": 7}, id="odd neighbours"),
    ],
)
def test_headers_come_in_any_frameworks_form(form: Callable[[dict[str, str]], webhooks.Headers]) -> None:
    webhooks.verify(BODY, form(signed()), SECRET, now=NOW)
    with pytest.raises(webhooks.SignatureError, match="no signature matches"):
        webhooks.verify(BODY, form(signed(secrets=(OTHER,))), SECRET, now=NOW)


def environment(given: dict[str, str]) -> dict[str, object]:
    names = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in given.items()}
    return {**names, "wsgi.version": (1, 0), "wsgi.input": BytesIO(), "CONTENT_LENGTH": "3"}


def message(given: dict[str, str]) -> Message:
    found = Message()
    for name, value in given.items():
        found[name] = value
    return found


@pytest.mark.parametrize(
    "join", [pytest.param(",".join, id="commas"), pytest.param(", ".join, id="commas and blanks"), list]
)
def test_signatures_may_come_as_several_headers(join: Callable[[list[str]], object]) -> None:
    """A server joins headers of one name with commas, or gives a list of them."""
    headers: dict[str, object] = {**signed(secrets=(OTHER, SECRET))}
    headers["webhook-signature"] = join(str(headers["webhook-signature"]).split())
    webhooks.verify(BODY, headers, SECRET, now=NOW)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(None, id="none at all"),
        pytest.param(7, id="a number"),
        pytest.param("webhook-id: msg_1", id="text"),
        pytest.param(["webhook-id"], id="names only"),
        pytest.param([("webhook-id",)], id="halves of pairs"),
        pytest.param(dict.fromkeys(signed()), id="None for each"),
        pytest.param(dict.fromkeys(signed(), 7), id="a number for each"),
        pytest.param({name: [] for name in signed()}, id="an empty list for each"),
        pytest.param({name: [None, {}] for name in signed()}, id="a list of nothing for each"),
        pytest.param(dict.fromkeys(signed(), chr(0xDC80)), id="half a character for each"),
        pytest.param(signed() | {"webhook-id": ["msg_1", "msg_2"]}, id="two ids"),
    ],
)
def test_headers_of_no_use_are_a_signature_error(headers: webhooks.Headers) -> None:
    """Whatever they are: a receiver answers 400 and need not know more."""
    with pytest.raises(webhooks.SignatureError):
        webhooks.verify(BODY, headers, SECRET, now=NOW)


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(bytes, id="bytes"),
        pytest.param(bytearray, id="bytearray"),
        pytest.param(memoryview, id="memoryview"),
        pytest.param(lambda body: body.decode(), id="text"),
    ],
)
def test_a_body_comes_as_bytes_or_text(form: Callable[[bytes], webhooks.Body]) -> None:
    body = BODY.replace(b'"test"', '"Zoë"'.encode())
    headers = webhooks.sign(form(body), webhook_id="msg_1", secrets=[SECRET], now=NOW)
    assert headers == signed(body)
    event = webhooks.verify(form(body), headers, SECRET, now=NOW)
    assert event == webhooks.read(form(body)) == webhooks.TestEvent(event_time=1772366400, message="Zoë")


def test_text_that_kept_odd_bytes_verifies_as_they_were() -> None:
    """A framework that decodes with `surrogateescape` loses nothing."""
    body = b'{"eventName": "unheard.of", "latin": "\xe9"}'
    with pytest.raises(webhooks.PayloadError, match="published form"):
        webhooks.verify(body.decode(errors="surrogateescape"), signed(body), SECRET, now=NOW)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(None, id="none"),
        pytest.param({"eventName": "testing.testEvent"}, id="parsed before"),
        pytest.param("\ud800", id="no text"),
    ],
)
def test_what_cannot_have_arrived_is_told_apart(body: webhooks.Body) -> None:
    with pytest.raises(webhooks.PayloadError, match="before any parsing"):
        webhooks.verify(body, signed(), SECRET, now=NOW)


def test_entries_of_other_versions_are_passed_over() -> None:
    headers = signed()
    headers["webhook-signature"] = f"v1a,AAAA v2,x v1,not*base64 nonsense {headers['webhook-signature']}"
    webhooks.verify(BODY, headers, SECRET, now=NOW)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"webhook-signature": "v1," + b64encode(b"0" * 32).decode()}, id="forged"),
        pytest.param({"webhook-signature": "v1,"}, id="empty entry"),
        pytest.param({"webhook-signature": "  "}, id="blank header"),
        pytest.param({"webhook-signature": "v1,é"}, id="not ascii"),
        pytest.param({"webhook-id": "msg_9"}, id="another id"),
        pytest.param({"webhook-id": ""}, id="no id"),
        pytest.param({"webhook-timestamp": "1772366401"}, id="another time"),
    ],
)
def test_a_changed_header_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(webhooks.SignatureError):
        webhooks.verify(BODY, signed() | change, SECRET, now=NOW)


def test_a_changed_body_is_refused() -> None:
    with pytest.raises(webhooks.SignatureError, match="as it arrived"):
        webhooks.verify(BODY + b" ", signed(), SECRET, now=NOW)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_header_is_named(name: str) -> None:
    headers = signed()
    del headers[name]
    with pytest.raises(webhooks.SignatureError, match=name):
        webhooks.verify(BODY, headers, SECRET, now=NOW)


@pytest.mark.parametrize(
    ("skew", "fits"),
    [
        pytest.param(timedelta(minutes=5), True, id="as old as allowed"),
        pytest.param(timedelta(minutes=5, seconds=1), False, id="a second too old"),
        pytest.param(-timedelta(minutes=5), True, id="sender's clock ahead, as allowed"),
        pytest.param(-timedelta(minutes=5, seconds=1), False, id="sender's clock too far ahead"),
        pytest.param(timedelta(days=400), False, id="last year's, replayed"),
    ],
)
def test_the_tolerance_holds_both_ways(skew: timedelta, fits: bool) -> None:
    headers = signed()
    if fits:
        webhooks.verify(BODY, headers, SECRET, now=NOW + skew)
    else:
        with pytest.raises(webhooks.TimestampError, match="300 s are allowed"):
            webhooks.verify(BODY, headers, SECRET, now=NOW + skew)


def test_the_tolerance_is_the_receivers_choice() -> None:
    webhooks.verify(BODY, signed(), SECRET, now=NOW + timedelta(hours=1), tolerance=timedelta(hours=2))


def test_without_now_the_system_clock_decides() -> None:
    webhooks.verify(BODY, signed(at=datetime.now(UTC)), SECRET)
    with pytest.raises(webhooks.TimestampError):
        webhooks.verify(BODY, signed(at=NOW - timedelta(days=9)), SECRET)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"now": datetime(2026, 3, 1)}, "now is a datetime with its zone"),  # noqa: DTZ001
        ({"now": 1.5}, "now is a datetime, as datetime.now(UTC), not float"),
        ({"now": 0}, "now is a datetime, as datetime.now(UTC), not int"),
        ({"tolerance": 300}, "tolerance is a timedelta, as timedelta(minutes=5), not int"),
        ({"tolerance": None}, "tolerance is a timedelta, as timedelta(minutes=5), not None"),
    ],
)
def test_arguments_of_another_kind_are_named(arguments: dict[str, Any], says: str) -> None:
    """In one sentence, as an error of ours, before the delivery is looked at."""
    with pytest.raises(LoopsError) as caught:
        webhooks.verify(BODY, signed(), SECRET, **{"now": NOW} | arguments)
    assert str(caught.value).startswith(says)
    assert isinstance(caught.value, TypeError)


@pytest.mark.parametrize("now", [None, datetime(2026, 3, 1)])  # noqa: DTZ001
def test_a_delivery_is_signed_at_a_moment(now: Any) -> None:
    """A clock without a zone would be hours off on most machines."""
    with pytest.raises(LoopsError, match=r"now is a datetime.*datetime\.now\(UTC\)"):
        webhooks.sign(BODY, webhook_id="msg_1", secrets=[SECRET], now=now)


@pytest.mark.parametrize("timestamp", ["soon", "1.5", "-1", "١٢٣", "1e9", "9" * 400, "9" * 5000])
def test_a_timestamp_is_a_whole_number(timestamp: str) -> None:
    """Signed with the right secret, so only the timestamp's form can be at fault."""
    signature = _signatures._signature(_signatures._key(SECRET), "msg_1", timestamp, BODY)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{b64encode(signature).decode()}",
    }
    with pytest.raises(webhooks.TimestampError, match="whole number"):
        webhooks.verify(BODY, headers, SECRET, now=NOW)


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param("", id="empty"),
        pytest.param("whsec_", id="only the prefix"),
        pytest.param("whsec_not*base64", id="not base64"),
        pytest.param("c2VjcmV0", id="prefix forgotten"),
        pytest.param(None, id="a variable that is not set"),
        pytest.param(SECRET.encode(), id="bytes"),
        pytest.param([SECRET, None], id="the second of two not set"),
    ],
)
def test_an_unusable_secret_says_what_one_looks_like(secret: str) -> None:
    with pytest.raises(webhooks.SecretError, match="whsec_"):
        webhooks.verify(BODY, signed(), secret, now=NOW)


@pytest.mark.parametrize("secret", [f"{SECRET}\n", f"  {SECRET}\r\n", [f"\t{OTHER} ", f"{SECRET} "]])
def test_blanks_around_a_secret_are_passed_over(secret: str | list[str]) -> None:
    """A file or a form that it was copied from leaves them."""
    webhooks.verify(BODY, signed(secrets=(f"{SECRET}\n",)), secret, now=NOW)


def test_a_secret_may_lack_its_padding() -> None:
    webhooks.verify(BODY, signed(secrets=(SECRET,)), SECRET.rstrip("="), now=NOW)


def test_no_secret_at_all_verifies_nothing() -> None:
    with pytest.raises(webhooks.SignatureError):
        webhooks.verify(BODY, signed(), [], now=NOW)


def test_every_error_is_one_a_receiver_can_catch_at_once() -> None:
    for kind in (
        webhooks.SecretError,
        webhooks.SignatureError,
        webhooks.TimestampError,
        webhooks.PayloadError,
    ):
        assert issubclass(kind, webhooks.WebhookError)
        assert issubclass(kind, ValueError)
