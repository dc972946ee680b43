"""Which proxy a request goes through, by argument and environment."""

import pytest

from loopwright import ConfigurationError
from loopwright.client.proxies import proxy_for


@pytest.mark.parametrize(
    ("environment", "url", "proxy"),
    [
        pytest.param({"http_proxy": "http://p:1"}, "http://h/", "http://p:1", id="http"),
        pytest.param({"http_proxy": "http://p:1"}, "https://h/", None, id="not for https"),
        pytest.param({"HTTPS_PROXY": "p:1"}, "https://h/", "http://p:1", id="capitals, no scheme"),
        pytest.param({"all_proxy": "socks5://p"}, "https://h/", "socks5://p", id="all"),
        pytest.param(
            {"ALL_PROXY": " SOCKS5H://p:1 \n"}, "https://h/", "socks5h://p:1", id="blanks, capitals"
        ),
        pytest.param({"https_proxy": "a", "HTTPS_PROXY": "b"}, "https://h/", "http://a", id="lower case"),
        pytest.param({"https_proxy": "", "HTTPS_PROXY": "b"}, "https://h/", None, id="lower case, empty"),
        pytest.param({"HTTP_PROXY": "evil", "REQUEST_METHOD": "GET"}, "http://h/", None, id="CGI"),
        pytest.param({"http_proxy": "a", "REQUEST_METHOD": "GET"}, "http://h/", "http://a", id="CGI's own"),
        pytest.param({"ALL_PROXY": "socks://x:1", "https_proxy": "a"}, "https://h", "http://a", id="desktop"),
        pytest.param({"HTTP_PROXY": "socks://x:1"}, "https://h/", None, id="one that is not for this URL"),
        pytest.param({}, "http://h/", None, id="none"),
    ],
)
def test_the_environments_proxy(environment: dict[str, str], url: str, proxy: str | None) -> None:
    """As curl and everybody else read it."""
    found = proxy_for(url, None, environment)
    assert (found and found.url) == proxy


@pytest.mark.parametrize(
    ("rules", "url", "excluded"),
    [
        pytest.param("*", "http://h/", True, id="everything"),
        pytest.param("x, *", "http://h/", True, id="everything, at the end"),
        pytest.param("x, loops.so", "http://app.loops.so", True, id="a domain above it"),
        pytest.param("x app.loops.so", "http://app.loops.so", True, id="blanks between"),
        pytest.param(".loops.so", "http://app.loops.so", True, id="a dot before"),
        pytest.param(".loops.so", "http://loops.so", True, id="a dot before, and the domain itself"),
        pytest.param("*.loops.so", "http://app.loops.so", True, id="a star before"),
        pytest.param("Loops.SO.", "http://APP.loops.so", True, id="capitals, and a dot at the end"),
        pytest.param("loops.so", "http://myloops.so", False, id="only the end of a name"),
        pytest.param("app.loops.so", "http://loops.so", False, id="a domain below it"),
        pytest.param("h:8080", "http://h:8080/x", True, id="port"),
        pytest.param("h:8080", "http://h:81/x", False, id="other port"),
        pytest.param("h:443", "https://h/x", True, id="the port that goes without saying"),
        pytest.param("h:80", "https://h/x", False, id="not that port"),
        pytest.param("10.0.0.0/8", "http://10.1.2.3/", True, id="a network"),
        pytest.param("10.1.2.3/8", "http://10.200.2.3/", True, id="a network by one of its hosts"),
        pytest.param("10.0.0.0/8", "http://11.1.2.3/", False, id="another network"),
        pytest.param("10.0.0.0/8:8080", "http://10.1.2.3:8080/", True, id="a network and a port"),
        pytest.param("10.0.0.0/8:8080", "http://10.1.2.3/", False, id="a network and another port"),
        pytest.param("10.0.0.0/8", "http://ten.example/", False, id="a name is not looked up"),
        pytest.param("127.0.0.0/8", "http://localhost:5667", True, id="localhost is known"),
        pytest.param("::1", "http://localhost:5667", True, id="localhost is known by IPv6"),
        pytest.param("localhost", "http://localhost:5667", True, id="localhost by name"),
        pytest.param("127.0.0.1", "http://127.0.0.1:5667", True, id="an address"),
        pytest.param("127.0.0.1:5667", "http://127.0.0.1:5667", True, id="an address and a port"),
        pytest.param("::1", "http://[::1]:8/x", True, id="IPv6"),
        pytest.param("[::1]", "http://[::1]:8/x", True, id="IPv6 in brackets"),
        pytest.param("[::1]:8", "http://[::1]:8/x", True, id="IPv6 and a port"),
        pytest.param("[::1]:9", "http://[::1]:8/x", False, id="IPv6 and another port"),
        pytest.param("0:0:0:0:0:0:0:1", "http://[::1]/", True, id="IPv6 written otherwise"),
        pytest.param("fe80::/10", "http://[fe80::1%25eth0]/", True, id="an IPv6 network, and a zone"),
        pytest.param("fd00::/8", "http://[fe80::1]/", False, id="another IPv6 network"),
        pytest.param("10.0.0.0/8", "http://[::ffff:10.0.0.1]/", True, id="IPv4 in IPv6"),
        pytest.param("10.0.0.0/8", "http://[::1]/", False, id="IPv6 in no IPv4 network"),
        pytest.param("http://h", "http://h/", True, id="a URL"),
        pytest.param("10.0.0.0/99, x/y, [, :, ., *.", "http://h/", False, id="nonsense"),
        pytest.param(" , ,", "http://h/", False, id="nothing"),
    ],
)
def test_no_proxy(rules: str, url: str, excluded: bool) -> None:
    """Names with all below them, addresses and networks, with a port or without."""
    for name in ("no_proxy", "NO_PROXY"):
        assert (proxy_for(url, None, {"all_proxy": "p", name: rules}) is None) is excluded


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("socks://h:1", id="a desktop's"),
        pytest.param("socks4://h:1", id="an old one"),
        pytest.param("ftp://h:1", id="no proxy at all"),
        pytest.param("http://", id="no host"),
        pytest.param("http://h:99999", id="no such port"),
        pytest.param("http://h:0", id="port 0"),
        pytest.param("http://h:port", id="no number"),
        pytest.param("http://[::1", id="half a bracket"),
        pytest.param("http://pröxy:1", id="letters that no URL has"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named(address: str) -> None:
    """By variable or argument, with a remedy, without its password; not where it would not be used."""
    secret = address.replace("://", "://ada:secret@")
    for name in ("ALL_PROXY", "all_proxy", "HTTPS_PROXY"):
        with pytest.raises(
            ConfigurationError, match=f"^{name} .* or name app.loops.so in NO_PROXY"
        ) as caught:
            proxy_for("https://app.loops.so/api", None, {name: secret})
        assert "secret" not in str(caught.value)
        assert proxy_for("http://127.0.0.1/", None, {name: secret, "no_proxy": "127.0.0.0/8"}) is None
    with pytest.raises(ConfigurationError, match=r"^the argument proxy .* or leave it out"):
        proxy_for("https://app.loops.so/api", address, {})


@pytest.mark.parametrize("given", [{"http": "http://p:1"}, 3128, b"http://p:1", ""])
def test_an_argument_that_is_no_address(given: object) -> None:
    with pytest.raises(ConfigurationError, match="the argument proxy is"):
        proxy_for("https://app.loops.so/api", given, {})  # type: ignore[arg-type]


def test_an_argument_wins_over_the_environment() -> None:
    found = proxy_for("http://h/", "p:1", {"http_proxy": "q", "no_proxy": "*"})
    assert found is not None
    assert found.url == "http://p:1"
