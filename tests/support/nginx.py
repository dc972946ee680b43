"""A real nginx, as a plain process of the test, with a folder and certificate of its own."""

import re
import ssl
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from support.certificate import make_certificate

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
        certificate, key = make_certificate(folder)
        for pattern, mine in (
            (r"server 127\.0\.0\.1:5667;", f"server {upstream};"),
            (r"listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
            (r"ssl_certificate +\S+;", f"ssl_certificate {certificate};"),
            (r"ssl_certificate_key +\S+;", f"ssl_certificate_key {key};"),
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
