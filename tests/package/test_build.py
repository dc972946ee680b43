"""What a release would upload: its files, and what the package index is told."""

import re
import tarfile
from email.message import Message
from email.parser import BytesParser
from pathlib import Path
from zipfile import ZipFile

import pytest

from support.installed import PROJECT, ROOT, Built

pytestmark = pytest.mark.package

SOURCE = ROOT / "src"
LINK = re.compile(r"\]\(([^)\s]+)")


def files(wheel: Path) -> set[str]:
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def metadata(built: Built) -> Message:
    with ZipFile(built.wheel) as archive:
        (name,) = (one for one in archive.namelist() if one.endswith(".dist-info/METADATA"))
        return BytesParser().parsebytes(archive.read(name))


def test_the_wheel_holds_the_package_and_nothing_else(built: Built) -> None:
    """Templates, static files, migrations, examples and `py.typed` are files like others; tests are not."""
    ours = {
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    inside = {name for name in files(built.wheel) if ".dist-info/" not in name}
    assert inside == ours
    for name in (
        "loopwright/py.typed",
        "loopwright/examples/welcome/workflows/welcome.toml",
        "loopwright/server/dashboard/templates/layout.html",
        "loopwright/server/mail/icons/LICENSE",
        "loopwright/server/mail/icons/square-x-twitter-black.png",
        "loopwright/server/store/migrations/versions/0001_first.py",
    ):
        assert name in inside
    assert any(name.startswith("loopwright/server/dashboard/static/") for name in inside)


def test_the_sdist_is_enough_to_build_from(built: Built) -> None:
    """The wheel that is made from it is the one that is made from the repository."""
    assert files(built.wheel) == files(built.direct)
    with tarfile.open(built.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"README.md", "LICENSE", "pyproject.toml", "docs/architecture.md"} <= names


def test_the_readmes_links_lead_somewhere_from_a_package_page(metadata: Message) -> None:
    """There is no folder beside a package page, so links are whole, and lead to what the repository has."""
    home = PROJECT["urls"]["Source"]
    links = LINK.findall(str(metadata.get_payload()))
    assert links
    for link in links:
        assert link.startswith(("https://", "http://", "#")), link
        if link.startswith(home):
            assert (ROOT / link.removeprefix(home).lstrip("/").partition("#")[0]).exists(), link


def test_the_index_is_told_who_and_where(metadata: Message) -> None:
    assert metadata["Author"] == "The Loopwright authors"
    places = dict(one.split(", ") for one in metadata.get_all("Project-URL", []))
    assert {"Documentation", "Source"} <= set(places)
    systems = {one for one in metadata.get_all("Classifier", []) if one.startswith("Operating System")}
    assert systems == {"Operating System :: POSIX :: Linux", "Operating System :: MacOS"}
    for notice in PROJECT["license-files"]:
        assert notice in metadata.get_all("License-File", [])
    assert metadata["Description-Content-Type"] == "text/markdown"
