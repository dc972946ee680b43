"""Who a hit is made by: programs that look at email first, those that fetch for people, and people."""

from datetime import timedelta

import pytest

from loopwright.server.networks import Network, read_address
from loopwright.server.tracking.scanners import scanners
from loopwright.server.tracking.verdict import Request, judge

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"


def hit(
    agent: str = CHROME,
    *,
    method: str = "GET",
    address: str = "198.51.100.7",
    seconds: float | None = 600,
    links_lately: int = 0,
    is_picture: bool = False,
    is_hidden: bool = False,
    hidden_lately: bool = False,
    **headers: str,
) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(
        method=method,
        headers={"user-agent": agent, **named},
        address=read_address(address),
        delay=None if seconds is None else timedelta(seconds=seconds),
        links_lately=links_lately,
        is_picture=is_picture,
        is_hidden=is_hidden,
        hidden_lately=hidden_lately,
    )


@pytest.mark.parametrize(
    ("request_", "expected", "reason"),
    [
        pytest.param(hit(), "human", "nothing", id="somebody with a browser"),
        pytest.param(hit(links_lately=1), "human", "nothing", id="two links one after the other"),
        pytest.param(hit(seconds=None), "human", "nothing", id="an email whose delivery is not known"),
        pytest.param(
            hit(GMAIL, is_picture=True, seconds=1), "human", "fetched the picture", id="Gmail's proxy"
        ),
        pytest.param(hit(method="HEAD"), "machine", "head", id="HEAD"),
        pytest.param(hit(purpose="prefetch"), "machine", "purpose", id="prefetch"),
        pytest.param(hit(sec_purpose="prefetch;prerender"), "machine", "sec-purpose", id="prerender"),
        pytest.param(hit(x_purpose="preview"), "machine", "x-purpose", id="a preview"),
        pytest.param(hit(address="40.94.1.2"), "human", "nothing", id="beside a known network"),
        pytest.param(hit(address="104.47.12.9"), "machine", "Microsoft Defender", id="a known network"),
        pytest.param(
            hit("::ffff:104.47.12.9", address="::ffff:104.47.12.9"), "machine", "Defender", id="in IPv6"
        ),
        pytest.param(hit(f"{CHROME} Barracuda Sentinel"), "machine", "Barracuda", id="a scanner's name"),
        pytest.param(hit("Slackbot-LinkExpanding 1.0"), "machine", "looks at links", id="a bot's name"),
        pytest.param(
            hit("Mozilla/5.0 (Linux; Android 9; CUBOT_X18_Plus) Chrome/120.0 Mobile Safari/537.36"),
            "human",
            "nothing",
            id="a phone whose maker's name ends like a bot's",
        ),
        pytest.param(
            hit("Mozilla/5.0 (Linux; Android 9; CUBOT_X18_Plus) (compatible; Googlebot/2.1)"),
            "machine",
            "looks at links",
            id="a bot that calls itself such a phone",
        ),
        pytest.param(
            hit("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/120.0 Safari/537.36"),
            "machine",
            "looks at links",
            id="a browser without a screen",
        ),
        pytest.param(hit("Mozilla/5.0 (compatible; Zscaler)"), "machine", "malware", id="a filter's proxy"),
        pytest.param(hit(""), "unsure", "no user agent", id="no user agent"),
        pytest.param(hit("python-requests/2.32"), "unsure", "no browser's", id="a program"),
        pytest.param(hit("Mozilla/5.0", is_picture=True), "unsure", "no browser's", id="Apple's proxy"),
        pytest.param(hit(seconds=0.4), "unsure", "0.4 s after", id="at once"),
        pytest.param(hit(links_lately=2), "unsure", "3 links", id="many links at once"),
        pytest.param(hit(seconds=1, links_lately=4), "machine", "5 links", id="at once, and many links"),
        pytest.param(hit("", seconds=1), "machine", "no user agent", id="at once, and no user agent"),
        pytest.param(hit(is_hidden=True), "machine", "nobody sees", id="a link that nobody sees"),
        pytest.param(hit(hidden_lately=True), "machine", "all of the email's links", id="just after that"),
        pytest.param(
            hit(hidden_lately=True, is_picture=True), "human", "nothing", id="who opens it meanwhile"
        ),
        pytest.param(
            hit(f"{CHROME} Edg/142.0", seconds=40, links_lately=1), "human", "nothing", id="behind a scanner"
        ),
        pytest.param(
            hit("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", is_picture=True),
            "human",
            "fetched the picture",
            id="Yahoo's proxy",
        ),
        pytest.param(
            hit(f"{CHROME} GoogleImageProxy", seconds=1), "unsure", "after delivery", id="no proxy clicks"
        ),
        pytest.param(
            hit("Mozilla/5.0", is_picture=True, seconds=1), "machine", "after", id="Apple's, at once"
        ),
    ],
)
def test_verdicts(request_: Request, expected: str, reason: str) -> None:
    """One certain signal or two others make a machine; the reason says which."""
    verdict = judge(request_, scanners())
    assert verdict.who == expected
    assert reason in verdict.reason


@pytest.mark.parametrize("network", [network for network, _ in scanners().by_network], ids=str)
def test_networks_of_scanners(network: Network) -> None:
    """From the first address to the last, and whatever browser it says to be; its neighbours are people."""
    first, last = network[0], network[-1]
    for address in (first, last):
        assert judge(hit(address=str(address)), scanners()).who == "machine"
    for neighbour in (first - 1, last + 1):
        if scanners().at(neighbour) is None:
            assert judge(hit(address=str(neighbour)), scanners()).who == "human"


@pytest.mark.parametrize("word", [word for word, _ in scanners().by_agent])
def test_names_of_scanners(word: str) -> None:
    """In any letter case, wherever in a user agent."""
    assert judge(hit(f"{CHROME} (compatible; {word.upper()}/1.0)"), scanners()).who == "machine"


def test_the_file_says_as_of_when() -> None:
    """Networks change hands."""
    assert scanners().as_of.year >= 2026
