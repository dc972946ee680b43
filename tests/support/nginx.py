"""A real nginx, as a plain process of the test, with a folder and certificate of its own."""

import re
import ssl
import subprocess
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

AROUND = """
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 200; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{site}
}}
"""


class Nginx:
    """nginx with a site in front of `upstream`, `host:port`; use it as a context manager.

    The site is what people copy; only its addresses, port and certificate are the test's. `trust` is an SSL
    context that knows the certificate.
    """

    def __init__(self, folder: Path, site: str, *, port: int, upstream: str) -> None:
        certificate = _certificate(folder)
        for pattern, mine in (
            (r"server 127\.0\.0\.1:5667;", f"server {upstream};"),
            (r"listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
            (r"ssl_certificate +\S+;", f"ssl_certificate {certificate};"),
            (r"ssl_certificate_key +\S+;", f"ssl_certificate_key {certificate};"),
        ):
            site, found = re.subn(pattern, mine, site)
            assert found == 1, f"the site has no {pattern}"
        self._conf = folder / "nginx.conf"
        self._conf.write_text(AROUND.format(folder=folder, site=site))
        self._folder = folder
        self.address = f"https://127.0.0.1:{port}"
        self.trust = ssl.create_default_context(cafile=str(certificate))

    def __enter__(self) -> Self:
        command = [
            "nginx",
            "-p",
            str(self._folder),
            "-c",
            str(self._conf),
            "-e",
            str(self._folder / "error.log"),
        ]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        while not (self._folder / "pid").exists():
            if self._process.poll() is not None:
                raise RuntimeError(self._process.communicate()[1])
            time.sleep(0.01)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.communicate()


def _certificate(folder: Path) -> Path:
    """A key and its self-signed certificate for 127.0.0.1, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
