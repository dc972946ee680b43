"""Servers for the client's tests, and an environment without settings of the machine's own."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from support.faulty import FaultyServer, Step

NOT_OURS = (
    "LOOPS_API_KEY", "LOOPS_BASE_URL", "LOOPS_ALLOWED_RECIPIENTS", "LOOPS_LOG",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
)  # fmt: skip


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NOT_OURS:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def serve() -> Iterator[Callable[..., FaultyServer]]:
    """Start servers that follow a script, and stop them at the end."""
    with ExitStack() as stack:

        def start(*script: Step) -> FaultyServer:
            return stack.enter_context(FaultyServer(*script))

        yield start


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificate of an authority that nobody else trusts; its server's files lie beside."""
    folder = tmp_path_factory.mktemp("authority")
    issuer_key, issuer = _certificate("Test authority", None)
    server_key, server = _certificate("127.0.0.1", (issuer_key, issuer))
    (folder / "authority.pem").write_bytes(issuer.public_bytes(serialization.Encoding.PEM))
    (folder / "server.pem").write_bytes(
        server_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + server.public_bytes(serialization.Encoding.PEM)
    )
    return folder / "authority.pem"


@pytest.fixture
def tls_server(authority: Path) -> Iterator[FaultyServer]:
    """A server at https://127.0.0.1 with a certificate of that authority."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority.with_name("server.pem"))
    with FaultyServer(tls=context) as server:
        yield server


Issuer = tuple[ec.EllipticCurvePrivateKey, x509.Certificate]


def _certificate(name: str, issuer: Issuer | None) -> Issuer:
    """A key and its certificate: an authority's when nobody issues it, else a server's at 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    issuer_key, issuer_name = (key, subject) if issuer is None else (issuer[0], issuer[1].subject)
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer is not None:
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(name))])
        builder = builder.add_extension(names, critical=False)
    return key, builder.sign(issuer_key, hashes.SHA256())
