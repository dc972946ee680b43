"""What an SMTP URL says, and that what is wrong is refused without telling a secret."""

import ssl
from pathlib import Path

import pytest
from msgspec.structs import replace

from loopwright.server.mail.smtp_url import Server, read_url
from support.certificate import make_certificate


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.x.org", Server(host="mail.x.org", port=25)),
        ("smtp://mail.x.org:2525", Server(host="mail.x.org", port=2525)),
        ("smtp://mail.x.org?starttls", Server(host="mail.x.org", port=587, tls="required")),
        ("smtp://mail.x.org?tls=off", Server(host="mail.x.org", port=25, tls="off")),
        ("smtps://mail.x.org", Server(host="mail.x.org", port=465, tls="implicit")),
        (
            "smtp://a%40b:p%2Fw@mail.x.org:587",
            Server(host="mail.x.org", port=587, username="a@b", password="p/w", tls="required"),
        ),
        (
            "smtp://a:pw@mail.x.org:587?tls=off",
            Server(host="mail.x.org", port=587, username="a", password="pw", tls="off"),
        ),
        (
            "smtp://a:pw@127.0.0.1:1025",
            Server(host="127.0.0.1", port=1025, username="a", password="pw", tls="offered"),
        ),
        (
            "smtp://a:pw@localhost:1025",
            Server(host="localhost", port=1025, username="a", password="pw", tls="offered"),
        ),
        ("smtp://[::1]:1025", Server(host="::1", port=1025)),
    ],
)
def test_urls_are_read(url: str, server: Server) -> None:
    """A password asks for TLS, unless it stays on this machine or the URL says otherwise."""
    assert read_url(url) == server


@pytest.mark.parametrize("url", ["", "mail.x.org", "http://x.org", "smtp://", "smtp://x.org:port"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"SMTP URL|[Pp]ort"):
        read_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "smtp://apikey:42/Zx9@x.org",
        "smtp://apikey:Zx9?@x.org",
        "smtp://apikey:Zx9#1@x.org:587",
        "smtp://apikey:Zx9%2F@x.org?startls",
        "smtp://apikey:Zx9@x.org?starttls=1",
        "smtp://apikey:Zx9@x.org?starttls&starttls",
        "smtp://apikey:Zx9@x.org?tls=on",
        "smtp://apikey:Zx9@x.org?tls=off&starttls",
        "smtp://apikey:Zx9@x.org?ca=",
        "smtps://apikey:Zx9@x.org?starttls",
        "smtps://apikey:Zx9@x.org?tls=off",
        "smtp://apikey:Zx9@x.org?tls=off&ca=Zx9.pem",
        "smtp://:Zx9@x.org",
        "smtp://Zx9@x.org",
    ],
)
def test_what_would_not_be_used_is_refused_and_no_secret_told(url: str) -> None:
    with pytest.raises(ValueError, match=r"starttls|percent-encoded|missing|tls=off") as refusal:
        read_url(url)
    assert "Zx9" not in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "asks"),
    [
        ("smtp://x.org", False),
        ("smtp://x.org?tls=off", False),
        ("smtp://x.org?starttls", True),
        ("smtps://x.org", True),
    ],
)
def test_authorities_are_read_where_they_are_asked(url: str, asks: bool, tmp_path: Path) -> None:
    """A server that is not verified costs no reading of them."""
    server = replace(read_url(url), ca=str(make_certificate(tmp_path).certificate))
    context = server.tls_context()
    assert bool(context.cert_store_stats()["x509_ca"]) is asks
    assert context.check_hostname is asks
    assert context.verify_mode is (ssl.CERT_REQUIRED if asks else ssl.CERT_NONE)


def test_authorities_are_read_from_a_file(tmp_path: Path) -> None:
    """One that is missing or holds no certificate is told at once."""
    with pytest.raises(ValueError, match="cannot be read"):
        read_url(f"smtp://x.org?ca={tmp_path}/none.pem")
    (tmp_path / "empty.pem").write_text("")
    with pytest.raises(ValueError, match="no certificate"):
        read_url(f"smtps://x.org?ca={tmp_path}/empty.pem")
