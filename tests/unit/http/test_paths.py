"""What answers a path."""

import pytest

from loopwright.server.http.paths import Paths

PATHS: Paths[str] = Paths()
for path in (
    "/v1/events/send",
    "/v1/event-patterns/{id}",
    "/v1/event-patterns/by-name/{name*}",
    "/v1/workflows/{id}",
    "/v1/workflows/{id}/nodes/{nodeId}",
    "/v1/workflows/{id}/nodes/{nodeId}/recursive",
):
    PATHS.add(path, path)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param("/v1/workflows/c1", ("/v1/workflows/{id}", {"id": "c1"}), id="one parameter"),
        pytest.param(
            "/v1/workflows/c1/nodes/c2",
            ("/v1/workflows/{id}/nodes/{nodeId}", {"id": "c1", "nodeId": "c2"}),
            id="two parameters",
        ),
        pytest.param(
            "/v1/workflows/c1/nodes/c2/recursive",
            ("/v1/workflows/{id}/nodes/{nodeId}/recursive", {"id": "c1", "nodeId": "c2"}),
            id="a fixed end",
        ),
        pytest.param(
            "/v1/event-patterns/by-name/a%2Fb%20c",
            ("/v1/event-patterns/by-name/{name*}", {"name": "a/b c"}),
            id="an encoded slash",
        ),
        pytest.param(
            "/v1/event-patterns/by-name/a/b",
            ("/v1/event-patterns/by-name/{name*}", {"name": "a/b"}),
            id="a bare slash",
        ),
        pytest.param("/v1/event-patterns/a%2Fb", ("/v1/event-patterns/{id}", {"id": "a/b"}), id="one piece"),
        pytest.param("/v1/event-patterns/by-name/", None, id="an empty name"),
        pytest.param(
            "/v1/workflows/c1/nodes/c2//",
            ("/v1/workflows/{id}/nodes/{nodeId}", {"id": "c1", "nodeId": "c2"}),
            id="slashes at the end",
        ),
        pytest.param(
            "/v1/event-patterns/by-name/a%2F/",
            ("/v1/event-patterns/by-name/{name*}", {"name": "a/"}),
            id="an encoded slash at the end of a name",
        ),
        pytest.param("/v1/workflows/c1/nodes", None, id="too short"),
        pytest.param("/v1/workflows/c1/nodes/c2/recursive/x", None, id="too long"),
        pytest.param("/v1/workflows//nodes/c2", None, id="an empty id"),
        pytest.param(
            "//v1///workflows//c1/nodes//c2",
            ("/v1/workflows/{id}/nodes/{nodeId}", {"id": "c1", "nodeId": "c2"}),
            id="slashes too many",
        ),
        pytest.param("//v1/events//send/", ("/v1/events/send", {}), id="slashes too many in a fixed path"),
        pytest.param("/v1/workflows/%2F", ("/v1/workflows/{id}", {"id": "/"}), id="an id of a slash"),
        pytest.param(
            "/v1/event-patterns//by-name//a//b/",
            ("/v1/event-patterns/by-name/{name*}", {"name": "a//b"}),
            id="slashes too many around a name",
        ),
    ],
)
def test_parameters(raw: str, expected: tuple[str, dict[str, str]] | None) -> None:
    """Fixed pieces go before parameters; values come out decoded."""
    assert PATHS.find(raw) == expected


def test_fixed_paths() -> None:
    """A path without parameters is one look-up."""
    assert PATHS.find_fixed("/v1/events/send") == "/v1/events/send"
    assert PATHS.find_fixed("/v1/events/receive") is None
