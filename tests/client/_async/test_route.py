"""How requests get to a server: proxies and trust, by argument and environment, on each transport."""

import gc
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from loopwright import (
    AsyncLoops,
    ConfigurationError,
    HttpRequest,
    HttpResponse,
    Limits,
    LoopsConnectionError,
    LoopsError,
)
from loopwright.client.sync_async import TransportName
from support.faulty import FaultyServer, Handle
from support.socks import SocksProxy, answering

Serve = Callable[..., FaultyServer]

DESKTOPS = [
    pytest.param({"ALL_PROXY": "socks://127.0.0.1:1/"}, "ALL_PROXY", id="a desktop's SOCKS"),
    pytest.param({"all_proxy": "socks://127.0.0.1:1/"}, "all_proxy", id="in small letters"),
    pytest.param({"HTTP_PROXY": "socks4://127.0.0.1:1"}, "HTTP_PROXY", id="old SOCKS"),
    pytest.param({"http_proxy": "http://127.0.0.1:99999"}, "http_proxy", id="no such port"),
]
OURS = pytest.mark.parametrize("transport", ["httpx2", "pyreqwest"])


def set_all(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@OURS
@pytest.mark.parametrize(("environment", "name"), DESKTOPS)
def test_a_proxy_of_no_use_is_told_when_the_client_is_made(
    monkeypatch: pytest.MonkeyPatch, transport: TransportName, environment: dict[str, str], name: str
) -> None:
    """One error of ours that names the variable and what to do."""
    set_all(monkeypatch, environment)
    with pytest.raises(ConfigurationError, match=rf"^{name} .* name loops\.invalid in NO_PROXY"):
        AsyncLoops("key", base_url="http://loops.invalid/api", transport=transport)


@OURS
@pytest.mark.parametrize(("environment", "name"), DESKTOPS)
@pytest.mark.parametrize("rules", ["localhost,127.0.0.0/8,::1", "*", "127.0.0.1", "127.0.0.1/32"])
async def test_a_proxy_that_is_not_used_does_no_harm(
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    transport: TransportName,
    environment: dict[str, str],
    name: str,
    rules: str,
) -> None:
    """Whatever a desktop says, a server that `NO_PROXY` leaves out is reached."""
    server = serve()
    set_all(monkeypatch, {**environment, "NO_PROXY": rules})
    async with AsyncLoops("key", base_url=server.url, transport=transport) as loops:
        assert (await loops.events.send("e", user_id="u")).success
    assert (name in os.environ, len(server.effects)) == (True, 1)


@OURS
async def test_the_environments_proxy_is_used_by_each_transport(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, transport: TransportName
) -> None:
    """The same variables mean the same, names in capitals and proxies without a scheme among them."""
    proxy = serve()
    monkeypatch.setenv("HTTP_PROXY", proxy.url.removeprefix("http://").removesuffix("/api"))
    monkeypatch.setenv("NO_PROXY", "10.0.0.0/8")
    async with AsyncLoops("key", base_url="http://loops.invalid/api", transport=transport) as loops:
        await loops.events.send("e", user_id="u")
    assert proxy.requests[0].target == "http://loops.invalid/api/v1/events/send"


@OURS
async def test_a_socks_proxy(serve: Serve, monkeypatch: pytest.MonkeyPatch, transport: TransportName) -> None:
    """By argument or variable, and it is the proxy that knows the host."""
    server = serve()
    with SocksProxy(server.url) as proxy:
        url = "http://loops.invalid/api"
        async with AsyncLoops("key", base_url=url, transport=transport, proxy=proxy.url) as loops:
            await loops.events.send("e", user_id="u")
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        async with AsyncLoops("key", base_url=url, transport=transport) as loops:
            await loops.events.send("e", user_id="u")
        assert proxy.hosts == ["loops.invalid", "loops.invalid"]
    assert len(server.effects) == 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # httpcore drops its socket
async def test_a_proxy_that_speaks_no_socks() -> None:
    """What it answers instead is a connection that was not made, and nothing has arrived."""
    with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as address:
        proxy = f"socks5://{address}"
        async with AsyncLoops(
            "key", base_url="http://loops.invalid/api", proxy=proxy, max_retries=0
        ) as loops:
            with pytest.raises(LoopsConnectionError, match="cannot be reached") as caught:
                await loops.events.send("e", user_id="u")
    assert not caught.value.outcome_unknown
    del caught
    gc.collect()


@pytest.mark.parametrize(
    ("environment", "arguments", "name"),
    [
        pytest.param({"ALL_PROXY": "socks5://127.0.0.1:1"}, {}, "ALL_PROXY", id="variable"),
        pytest.param({}, {"proxy": "socks5h://127.0.0.1:1"}, "the argument proxy", id="argument"),
    ],
)
def test_a_socks_proxy_without_its_package(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], arguments: dict[str, str], name: str
) -> None:
    """The error says what to install, and a server that needs no proxy is none the worse."""
    set_all(monkeypatch, environment)
    monkeypatch.setitem(sys.modules, "socksio", None)
    with pytest.raises(ConfigurationError, match=rf"^{name} is a SOCKS proxy.*loopwright\[socks\]"):
        AsyncLoops("key", base_url="http://loops.invalid/api", proxy=arguments.get("proxy"))
    if not arguments:
        monkeypatch.setenv("NO_PROXY", "loops.invalid")
        AsyncLoops("key", base_url="http://loops.invalid/api")


async def test_what_goes_elsewhere_has_a_way_of_its_own(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The server is excluded from the proxy, the place that an upload's bytes go to is not."""
    proxy = serve()
    created = b'{"success":true,"emailAssetId":"a1","presignedUrl":"http://bytes.invalid/a1"}'
    completed = b'{"success":true,"emailAssetId":"a1","finalUrl":"http://bytes.invalid/a1"}'
    server = serve(Handle(body=created), Handle(body=completed))
    monkeypatch.setenv("http_proxy", proxy.url.removesuffix("/api"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (tmp_path / "one.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(8))
    async with AsyncLoops("key", base_url=server.url) as loops:
        await loops.uploads.upload(tmp_path / "one.png")
    assert [request.target for request in proxy.requests] == ["http://bytes.invalid/a1"]
    assert len(server.requests) == 2


@OURS
@pytest.mark.parametrize("named_by", ["verify", "SSL_CERT_FILE", "SSL_CERT_DIR"])
@pytest.mark.parametrize("what", ["nothing", "no certificate", "a broken certificate"])
def test_authorities_of_no_use_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, transport: TransportName, named_by: str, what: str
) -> None:
    """A missing or empty file or folder is one sentence, when the client is made; http needs none of it."""
    path = authorities(tmp_path, what, in_folder=named_by == "SSL_CERT_DIR")
    if named_by == "verify":
        with pytest.raises(ConfigurationError, match=r"^verify names .*none"):
            AsyncLoops("key", base_url="https://h.invalid/api", transport=transport, verify=path)
        with pytest.raises(ConfigurationError, match=r"^verify names .*none"):
            AsyncLoops("key", base_url="https://h.invalid/api", transport=transport, verify=str(path))
        return
    monkeypatch.setenv(named_by, str(path))
    with pytest.raises(ConfigurationError, match=rf"^{named_by} names .*none"):
        AsyncLoops("key", base_url="https://h.invalid/api", transport=transport)
    AsyncLoops("key", base_url="http://h.invalid/api", transport=transport)
    AsyncLoops("key", base_url="https://h.invalid/api", transport=transport, verify=False)


def authorities(folder: Path, what: str, *, in_folder: bool) -> Path:
    path = folder / "none"
    content = {
        "no certificate": "here was one",
        "a broken certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    }.get(what)
    if in_folder:
        path.mkdir()
    if content is not None:
        file = path / ("0a1b2c3d.0" if what == "a broken certificate" else "one.txt") if in_folder else path
        file.write_text(content)
    elif in_folder:
        path.rmdir()
    return path


@OURS
async def test_authorities_in_a_folder(
    tls_server: FaultyServer, authority: Path, tmp_path: Path, transport: TransportName
) -> None:
    """A folder as OpenSSL has them, given as a path."""
    (tmp_path / "authority.pem").write_bytes(authority.read_bytes())
    subprocess.run(["openssl", "rehash", tmp_path], check=True, capture_output=True)
    async with AsyncLoops("key", base_url=tls_server.url, transport=transport, verify=tmp_path) as loops:
        await loops.events.send("e", user_id="u")
    assert len(tls_server.effects) == 1


@OURS
@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
async def test_authorities_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
    tls_server: FaultyServer,
    authority: Path,
    tmp_path: Path,
    transport: TransportName,
    name: str,
) -> None:
    (tmp_path / "authority.pem").write_bytes(authority.read_bytes())
    subprocess.run(["openssl", "rehash", tmp_path], check=True, capture_output=True)
    monkeypatch.setenv(name, str(authority if name == "SSL_CERT_FILE" else tmp_path))
    async with AsyncLoops("key", base_url=tls_server.url, transport=transport) as loops:
        await loops.events.send("e", user_id="u")
    assert len(tls_server.effects) == 1


@pytest.mark.parametrize("verify", [None, 0, 1, "", object(), ["a.pem"]])
@OURS
def test_trust_that_says_nothing_is_refused(verify: object, transport: TransportName) -> None:
    """`None` above all must not mean to trust everybody."""
    with pytest.raises(ConfigurationError, match=r"^verify "):
        AsyncLoops("key", base_url="https://h.invalid/api", transport=transport, verify=verify)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "argument", [{"proxy": "http://p:1"}, {"verify": False}, {"limits": Limits(max_connections=1)}]
)
async def test_a_transport_of_the_users_own_has_its_own_way(argument: dict[str, object]) -> None:
    """What it would never hear of is refused."""

    class Canned:
        async def send(self, request: HttpRequest) -> HttpResponse:
            return HttpResponse(200, {}, b'{"success":true}')

    async with httpx2.AsyncClient() as client:
        for transport in (client, Canned()):
            with pytest.raises(LoopsError, match="set them on the one you give"):
                AsyncLoops("key", transport=transport, **argument)  # type: ignore[arg-type]
