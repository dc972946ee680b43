"""Postfix, Exim and postgrey of Debian's packages, as processes with config, spool and log in own folders."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from support.ports import free_port

POSTFIX_DAEMONS = Path("/usr/lib/postfix/sbin")
EXIM = Path("/opt/exim4/usr/sbin/exim4")
"""Debian's packages of Postfix and Exim exclude each other, so this one is unpacked beside."""
POSTGREY = Path("/usr/sbin/postgrey")
GREETING_SECONDS = 10.0
PATIENCE_SECONDS = 20
END_SECONDS = 5
QUEUES = (
    *("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming"),
    *("private", "saved", "trace", "pid"),
)

# `unix` services are what smtpd asks; everything that is taken goes to /dev/null.
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 discard
defer     unix - - n - 0 discard
trace     unix - - n - 0 discard
smtp      unix - - n - - smtp
error     unix - - n - - error
retry     unix - - n - - error
discard   unix - - n - - discard
proxymap  unix - - n - - proxymap
anvil     unix - - n - 1 anvil
tlsmgr    unix - - n 1000? 1 tlsmgr
scache    unix - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""
MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
daemon_directory = {daemons}
command_directory = /usr/sbin
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
mail_owner = postfix
setgid_group = postdrop
myhostname = relay.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
default_transport = discard
relay_transport = discard
local_transport = discard
virtual_transport = discard
alias_maps =
local_recipient_maps =
smtpd_peername_lookup = no
"""
EXIM_CONFIG = """
exim_user = Debian-exim
exim_group = Debian-exim
primary_hostname = relay.test
spool_directory = {folder}/spool
log_file_path = {folder}/%slog
pid_file_path = {folder}/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
queue_only = true
tls_advertise_hosts =
keep_environment =
exim_path = {program}
host_lookup =
rfc1413_hosts =
acl_smtp_rcpt = rcpt
acl_smtp_data = data

begin acl
rcpt:
{rcpt}
data:
{data}

begin routers
"""
NOWHERE = """
nowhere:
  driver = redirect
  data = :blackhole:
"""
# The password stands in a file that the server reads anew each time.
SIGNING_IN = """
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{apikey}}}}{{eq{{$auth3}}{{${{readfile{{{password}}}}}}}}}}}}}
"""
# Whatever is for another domain fails in the router's own words, and the notification goes to that port.
BOUNCING = """
back:
  driver = manualroute
  domains = {domain}
  route_list = * 127.0.0.1
  self = send
  transport = back
unknown:
  driver = redirect
  allow_fail
  data = :fail: Unknown user

begin transports
back:
  driver = smtp
  port = {port}
  allow_localhost
"""


class MailServer:
    """A server that listens; `log` is where it writes what it took."""

    def __init__(self, port: int, log: Path) -> None:
        self.port = port
        self.log = log

    @property
    def url(self) -> str:
        return f"smtp://localhost:{self.port}"

    def lines(self, mark: str) -> list[str]:
        """The lines of its log that hold `mark`."""
        return (
            [line for line in self.log.read_text().splitlines() if mark in line] if self.log.exists() else []
        )

    async def arrived(self, number: int) -> list[str]:
        """The recipients of what Postfix took and passed on, once there are so many of them."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while len(self._passed_on()) < number:
                    await asyncio.sleep(0.05)
        return self._passed_on()

    def _passed_on(self) -> list[str]:
        return [line.split("to=<")[1].split(">")[0] for line in self.lines("status=sent")]


@asynccontextmanager
async def postfix(
    folder: Path, settings: Mapping[str, str], *, bounces: bool = False
) -> AsyncIterator[MailServer]:
    """Postfix with these settings of main.cf beside those that a test needs; with `bounces` it sends some."""
    port = free_port()
    config = folder / "config"
    for name in ("config", "data", "spool"):
        (folder / name).mkdir(parents=True)
    shutil.chown(folder / "data", "postfix")
    own = "".join(f"{name} = {value}\n" for name, value in settings.items())
    (config / "main.cf").write_text(MAIN.format(folder=folder, daemons=POSTFIX_DAEMONS) + own)
    services = MASTER.format(port=port)
    if bounces:
        services = services.replace("bounce    unix - - n - 0 discard", "bounce    unix - - n - 0 bounce")
    (config / "master.cf").write_text(services)
    folder.chmod(0o755)
    _make_spool(folder / "spool")
    environment = {"PATH": os.environ["PATH"], "MAIL_CONFIG": str(config), "MAIL_LOGTAG": "postfix"}
    command = [POSTFIX_DAEMONS / "master", "-c", config, "-s"]
    start = partial(subprocess.Popen, command, env=environment)
    async with _running(start, MailServer(port, folder / "mail.log"), _greets) as server:
        yield server


@asynccontextmanager
async def postgrey(folder: Path, *, delay_seconds: int) -> AsyncGenerator[str]:
    """Greylisting, as the restriction that Postfix is to have: whom it knows for so long may pass."""
    port = free_port()
    folder.mkdir()
    folder.chmod(0o755)
    shutil.chown(folder, "postgrey", "postgrey")
    command = [str(POSTGREY), f"--inet=127.0.0.1:{port}", f"--delay={delay_seconds}", f"--dbdir={folder}"]
    command += ["--whitelist-clients=/dev/null", "--whitelist-recipients=/dev/null"]
    command += ["--auto-whitelist-clients=0", "--user=postgrey", "--group=postgrey"]
    start = partial(subprocess.Popen, command, cwd="/", stderr=subprocess.DEVNULL)
    async with _running(start, MailServer(port, folder / "log"), _listens):
        yield f"check_policy_service inet:127.0.0.1:{port}"


@asynccontextmanager
async def exim(
    folder: Path,
    *,
    rcpt: str = "accept",
    data: str = "accept",
    bounces_to: tuple[str, int] | None = None,
    password: Path | None = None,
) -> AsyncIterator[MailServer]:
    """Exim with these rules for recipients and for data; with a domain and a port, all else bounces there.

    `password` is a file with what `apikey` may sign in with.
    """
    port = free_port()
    (folder / "spool").mkdir(parents=True)
    rules = EXIM_CONFIG.format(
        folder=folder, port=port, program=EXIM, rcpt=_indented(rcpt), data=_indented(data)
    )
    if bounces_to:
        rules = rules.replace("queue_only = true", "queue_only = false")
        rules += BOUNCING.format(domain=bounces_to[0], port=bounces_to[1])
    else:
        rules += NOWHERE
    if password:
        rules += SIGNING_IN.format(password=password)
    (folder / "exim.conf").write_text(rules)
    folder.chmod(0o755)
    (folder / "mainlog").touch()  # two processes that make it at once get in each other's way
    for path in (folder, folder / "spool", folder / "mainlog"):
        shutil.chown(path, "Debian-exim", "Debian-exim")
    start = partial(subprocess.Popen, [EXIM, "-bdf", "-C", folder / "exim.conf"], cwd="/")
    async with _running(start, MailServer(port, folder / "mainlog"), _greets) as server:
        yield server


@asynccontextmanager
async def _running(
    start: Callable[[], subprocess.Popen[Any]], server: MailServer, is_up: Callable[[int], Awaitable[bool]]
) -> AsyncIterator[MailServer]:
    process = start()
    try:
        if not await _comes_up(process, server.port, is_up):
            # On a busy machine Postfix ends now and then before it has begun, without a word.
            process = start()
            told = server.log.read_text() if server.log.exists() else "it ended"
            assert await _comes_up(process, server.port, is_up), told
        yield server
    finally:
        process.terminate()
        try:
            await asyncio.to_thread(process.wait, END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()  # postgrey can lose a signal that comes just before it waits
            process.wait()


async def _comes_up(
    process: subprocess.Popen[Any], port: int, is_up: Callable[[int], Awaitable[bool]]
) -> bool:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while process.poll() is None:
            if await is_up(port):
                return True
            await asyncio.sleep(0.05)
    return False


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def _greets(port: int) -> bool:
    """Whether a mail server says a word: on a busy machine it listens long before."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    try:
        async with asyncio.timeout(GREETING_SECONDS):
            return bool(await reader.readline())
    except (OSError, TimeoutError):
        return False
    finally:
        writer.close()


def _make_spool(spool: Path) -> None:
    """The folders of a queue, with the owners that Postfix wants."""
    for name in QUEUES:
        (spool / name).mkdir(mode=0o700)
        if name != "pid":
            shutil.chown(spool / name, "postfix")
    for name, mode in (("public", 0o710), ("maildrop", 0o730)):
        (spool / name).mkdir()
        shutil.chown(spool / name, "postfix", "postdrop")
        (spool / name).chmod(mode)


def _indented(rules: str) -> str:
    return "\n".join(f"  {line}" for line in rules.splitlines())
