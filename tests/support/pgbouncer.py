"""PgBouncer as a process of its own, between a test and its database."""

import socket
import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlsplit

from loopwright.server.store.wheel import account_for

PROGRAM = "/usr/sbin/pgbouncer"
PATIENCE_SECONDS = 20


@contextmanager
def pgbouncer(database_url: str, settings: Mapping[str, object]) -> Generator[str]:
    """Run PgBouncer in front of `database_url` while the context lasts; yields its own URL.

    `settings` are PgBouncer's, `pool_mode` first of all; nothing is forgiven that it does not know by itself.
    """
    parts = urlsplit(database_url)
    socket_folder = parse_qs(parts.query)["host"][0]
    with TemporaryDirectory(prefix="lw-pgbouncer-") as name, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        given = {
            "listen_addr": "127.0.0.1",
            "listen_port": port,
            "unix_socket_dir": "",
            "auth_type": "any",
            "logfile": f"{name}/log",
            "default_pool_size": 40,
            **settings,
        }
        configuration = Path(name, "pgbouncer.ini")
        lines = [f"[databases]\n* = host={socket_folder} port=5432 user=postgres\n[pgbouncer]"]
        configuration.write_text("\n".join([*lines, *(f"{key} = {value}" for key, value in given.items())]))
        account = account_for(Path(socket_folder))
        for path in (Path(name), *Path(name).iterdir()):
            account.owns(path)
        free.close()
        process = subprocess.Popen([PROGRAM, "--quiet", configuration], **account.switch())
        try:
            _wait_for(port, process)
            yield f"postgresql://postgres@127.0.0.1:{port}{parts.path}"
        finally:
            process.kill()
            process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    while True:
        assert process.poll() is None, "PgBouncer did not start"
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
