"""Filling paths and queries, proxies, messages, image types, and errors across processes."""

import pickle
from datetime import UTC, date, datetime

import msgspec
import pytest

from loopwright import errors
from loopwright.client.answer import message_of, status_error
from loopwright.client.body import variables_to_wire
from loopwright.client.call import fill, page_query, with_query
from loopwright.client.calls.uploads import type_of_image
from loopwright.client.config import root_of
from loopwright.client.transport import HttpResponse, Timeout, origin_of
from loopwright.wire.operations import CREATE_CONTACT, GET_WORKFLOW_NODE, SEND_EVENT

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_paths_are_filled_and_quoted() -> None:
    """Whatever an id holds, it stays one segment."""
    assert fill(GET_WORKFLOW_NODE, "w1", "a/b?c d") == "/v1/workflows/w1/nodes/a%2Fb%3Fc%20d"
    assert fill(GET_WORKFLOW_NODE, "{nodeId}", "n") == "/v1/workflows/%7BnodeId%7D/nodes/n"


def test_queries_are_percent_encoded() -> None:
    """`+` as `%2B`, blanks as `%20`; what is not given is not there."""
    assert with_query("/p", email="a+b@c.d", userId=None) == "/p?email=a%2Bb%40c.d"
    assert page_query("/p", None, None) == "/p"


def test_template_variables_may_nest() -> None:
    """Dates inside lists of mappings travel as text."""
    variables = {
        "items": [{"at": datetime(2024, 1, 17, tzinfo=UTC), "n": 1}],
        "day": date(2024, 1, 17),
        "x": None,
    }
    assert variables_to_wire(variables) == {
        "items": [{"at": "2024-01-17T00:00:00.000Z", "n": 1}],
        "day": "2024-01-17",
        "x": None,
    }


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param({"success": False, "message": "m"}, "m", id="current form"),
        pytest.param({"message": "m", "path": "p"}, "m", id="with path"),
        pytest.param({"error": {"path": "p", "message": "m"}}, "m", id="message inside error"),
        pytest.param({"error": {"path": "p", "reason": "r"}}, "r", id="reason inside error"),
        pytest.param({"error": "e"}, "e", id="error as text"),
        pytest.param({"message": ""}, None, id="empty"),
        pytest.param({}, None, id="nothing"),
    ],
)
def test_the_servers_words_are_found(body: dict[str, object], message: str | None) -> None:
    """In all the shapes that errors have had."""
    assert message_of(body) == message


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 413, 418, 422, 429, 500, 501, 503, 302])
def test_every_status_has_a_class(status: int) -> None:
    """Its own, or the nearest above it."""
    response = HttpResponse(status, {"retry-after": "2"}, b'{"message":"m"}')
    error = status_error(response, SEND_EVENT, now=NOW, attempts=2, key="k")
    assert type(error) is errors.error_class(status)
    assert (error.status, error.message, error.retry_after, error.attempts) == (status, "m", 2, 2)
    assert isinstance(error, errors.ServerError) is (status >= 500)


def test_a_web_page_is_no_message() -> None:
    """The likely cause is told instead."""
    response = HttpResponse(502, {}, b"<html>Bad gateway</html>")
    error = status_error(response, CREATE_CONTACT, now=NOW, attempts=1, key=None)
    assert "check the base URL" in error.message
    assert error.body is None
    assert error.outcome_unknown


def test_errors_travel_between_processes() -> None:
    """Celery and multiprocessing pickle them; nothing is lost on the way."""
    response = HttpResponse(429, {"x": "y"}, b'{"message":"m","code":"c"}')
    error = status_error(response, SEND_EVENT, now=NOW, attempts=3, key="k")
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is errors.RateLimitError
    assert (str(back), back.__dict__) == (str(error), error.__dict__)
    lost = errors.LoopsTimeoutError("slow", outcome_unknown=True, attempts=2)
    back = pickle.loads(pickle.dumps(lost))
    assert (str(back), back.__dict__) == (str(lost), lost.__dict__)


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    """Every class of the module is drawn, and nothing else."""
    drawn = {word for word in (errors.__doc__ or "").split() if word.endswith("Error")}
    real = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.LoopsError)
    }
    assert drawn - {"(also", "ValueError", "RuntimeError", "ConnectionError", "TimeoutError"} == real


@pytest.mark.parametrize("url", ["http://h/api", "http://h/api/", "http://h/api/v1", " http://h/api/v1/ "])
def test_base_urls_come_to_one_root(url: str) -> None:
    """Both published forms."""
    assert root_of(url) == "http://h/api"


def test_images_are_told_by_their_bytes() -> None:
    """Names are no proof."""
    assert type_of_image(b"\xff\xd8\xff\xe0") == "image/jpeg"
    assert type_of_image(b"GIF89a...") == "image/gif"
    assert type_of_image(b"RIFF\x00\x00\x00\x00WEBPVP8 ") == "image/webp"
    assert type_of_image(b"RIFF\x00\x00\x00\x00WAVE") is None


def test_timeouts_and_origins() -> None:
    """One number bounds every phase; an origin holds no path."""
    assert Timeout.of(3) == Timeout(connect=3, read=3, write=3, pool=3, total=3)
    assert Timeout.of(None) == Timeout()
    assert origin_of("http://h:1/contacts/find?email=a@b.c") == "http://h:1"
    assert msgspec.json.decode(msgspec.json.encode(Timeout.of(3)), type=Timeout) == Timeout.of(3)
