"""`loopwright check`: advice on a folder, without a server."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from loopwright.cli.program import program
from loopwright.server.definitions.folder import read_folder
from loopwright.server.definitions.lint import advice
from loopwright.server.definitions.parse import parse
from support.examples import WELCOME

TOML = 'name = "A"\nsubject = "S"\nfrom = "a"\nbody = "a.lmx"\n'
LMX = '<H1>x</H1>\n<Image src="http://x.org/a.png"/>\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "transactional").mkdir()
    (tmp_path / "transactional" / "a.toml").write_text(TOML)
    (tmp_path / "transactional" / "a.lmx").write_text(LMX)
    return tmp_path


def test_advice_has_its_file_and_line(folder: Path) -> None:
    done = CliRunner().invoke(program, ["check", str(folder)])
    assert done.exit_code == 0, done.output
    assert "transactional/a.lmx:2: alt: the image has no text" in done.stdout
    assert "transactional/a.lmx:2: link: src is not encrypted" in done.stdout
    assert "2 findings." in done.stdout
    assert CliRunner().invoke(program, ["check", str(folder), "--strict"]).exit_code == 1
    answer = json.loads(CliRunner().invoke(program, ["check", str(folder), "--json"]).stdout)
    assert [one["line"] for one in answer["findings"]] == [2, 2]


def test_warnings_of_apply_are_among_it(folder: Path) -> None:
    (folder / "transactional" / "a.lmx").write_text("<Divider/>\n" * 400)
    done = CliRunner().invoke(program, ["check", str(folder)])
    assert "Gmail hides what comes after 102 KB" in done.stdout


def test_a_mistake_is_refused(folder: Path) -> None:
    (folder / "transactional" / "a.lmx").write_text("<Oops/>")
    done = CliRunner().invoke(program, ["check", str(folder)])
    assert done.exit_code == 1
    assert "transactional/a.lmx:1: <Oops> is not a tag" in done.output
    assert CliRunner().invoke(program, ["check", str(folder / "none")]).exit_code == 2


def test_nothing_is_found_in_our_own_emails() -> None:
    """Those that are installed with the package."""
    files = read_folder(WELCOME)
    assert parse(files).warnings == ()
    assert list(advice(files)) == []
    assert "Nothing found." in CliRunner().invoke(program, ["check", str(WELCOME)]).stdout
