"""What an SMTP URL says."""

import pytest

from loopwright.server.mail.transport import Server, read_url


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.x.org", Server(host="mail.x.org", port=25)),
        ("smtp://mail.x.org:2525", Server(host="mail.x.org", port=2525)),
        ("smtp://mail.x.org?starttls", Server(host="mail.x.org", port=587, start_tls=True)),
        ("smtps://mail.x.org", Server(host="mail.x.org", port=465, use_tls=True, start_tls=False)),
        (
            "smtp://a%40b:p%2Fw@mail.x.org:587",
            Server(host="mail.x.org", port=587, username="a@b", password="p/w"),
        ),
        ("smtp://[::1]:1025", Server(host="::1", port=1025)),
    ],
)
def test_urls_are_read(url: str, server: Server) -> None:
    assert read_url(url) == server


@pytest.mark.parametrize("url", ["", "mail.x.org", "http://x.org", "smtp://", "smtp://x.org:port"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"SMTP URL|[Pp]ort"):
        read_url(url)
