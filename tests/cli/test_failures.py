"""How commands fail: one sentence or one JSON object, the right code, and nothing half done."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from loopwright.cli.program import program
from loopwright.server.store.postmaster import find_postmaster

SECRET = "s3cret"


def run(*arguments: str) -> Result:
    """Run a command in an environment that names no server."""
    names = ("LOOPS_API_KEY", "LOOPS_BASE_URL", "LOOPWRIGHT_DATA_DIR", "LOOPWRIGHT_DATABASE_URL")
    return CliRunner(env=dict.fromkeys(names)).invoke(program, arguments)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(f"smtp://user:{SECRET}/Zx9@mail.example:587", id="slash in the password"),
        pytest.param(f"smtp://apikey:42/{SECRET}@mail.example", id="slash after a number"),
        pytest.param(f"smtp://user:{SECRET}#x@mail.example", id="hash in the password"),
        pytest.param(f"smtp://user:{SECRET}?x@mail.example", id="question mark in the password"),
        pytest.param(f"smtp://user:[{SECRET}@mail.example", id="bracket in the password"),
        pytest.param(f"smtp://user:{SECRET}@mail.example:port", id="port that is no number"),
        pytest.param(f"smtp://user:{SECRET}@mail.example:99999", id="port too high"),
        pytest.param(f"smtp://user:{SECRET}@mail.example:0", id="port 0"),
        pytest.param(f"smtp://user:{SECRET}@mail example", id="blank in the host"),
        pytest.param(f"smtp://user:{SECRET}@mail.example/inbox", id="a path"),
        pytest.param(f"smtp://user:{SECRET}@mail.example?tsl=off", id="unknown option"),
        pytest.param(f"http://user:{SECRET}@mail.example", id="another scheme"),
        pytest.param(f"smtp://user:{SECRET}@", id="no host"),
        pytest.param(SECRET, id="no URL"),
        pytest.param("", id="nothing"),
    ],
)
@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_bad_smtp_url_is_one_sentence_without_the_secret(command: str, url: str, tmp_path: Path) -> None:
    """It is refused before anything starts, and nothing of the URL is shown."""
    result = run(command, "--smtp-url", url, "--data-dir", str(tmp_path / "data"))
    assert result.exit_code == 2
    assert result.stderr.startswith("--smtp-url: ")
    assert SECRET not in result.output
    assert "Traceback" not in result.output
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_that_is_taken(workers: str, tmp_path: Path) -> None:
    """The sentence says which option helps, and no PostgreSQL is left behind."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-c", "from loopwright.cli import main; main()", "serve", "--port", port]
        options = ["--workers", workers, "--data-dir", str(tmp_path / "data")]
        ended = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "--port" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert find_postmaster(tmp_path / "data" / "postgres") is None


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["team", "show", "--json"], id="team"),
        pytest.param(["apply", ".", "--json"], id="apply"),
        pytest.param(["contacts", "find", "--json"], id="no identifier"),
        pytest.param(["contacts", "find", "--email", "ada@example.com", "--json"], id="no key"),
        pytest.param(["contacts", "find", "--no-such-option", "--json"], id="unknown option"),
        pytest.param(["lists", "list", "--json", "surplus"], id="surplus argument"),
        pytest.param(["no-such-command", "--json"], id="unknown command"),
        pytest.param(["events", "send", "--json"], id="missing argument"),
    ],
)
def test_errors_are_json_where_answers_are(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that asked for JSON gets JSON on stdout, whatever went wrong."""
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    error = json.loads(result.stdout)
    assert result.exit_code != 0
    assert (error["success"], error["exitCode"]) == (False, result.exit_code)
    assert error["message"]
    assert result.stderr == ""


@pytest.mark.parametrize(
    "command", [["apply", "definitions"], ["team", "show"], ["team", "keys", "create", "CI"]]
)
def test_no_second_database_is_made_in_silence(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no database is, a command that was not told to make one says where to look, and makes none."""
    monkeypatch.chdir(tmp_path)
    run("init", "definitions")
    result = run(*command)
    assert result.exit_code == 2
    assert "--data-dir" in result.stderr
    assert str(tmp_path / ".loopwright") in result.stderr
    assert not (tmp_path / ".loopwright").exists()


def test_a_named_folder_is_made_and_told(tmp_path: Path) -> None:
    """Whoever names the folder means it; that it was empty is said all the same."""
    result = run("team", "show", "--json", "--data-dir", str(tmp_path / "new"))
    assert result.exit_code == 0, result.output
    assert "a new one is made" in result.stderr
    assert json.loads(result.stdout)["name"]


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    """Whichever command it is of, it is named."""
    (tmp_path / "taken").write_text("")
    result = run("init", str(tmp_path / "taken" / "emails"))
    assert result.exit_code == 2
    assert result.stderr == f"{tmp_path / 'taken' / 'emails'}: Not a directory\n"


def test_definitions_stay_in_their_folder(tmp_path: Path) -> None:
    """Links that lead out of the folder, or nowhere, are told by name, and not read."""
    folder = tmp_path / "definitions"
    (folder / "transactional").mkdir(parents=True)
    (tmp_path / "outside.toml").write_text('name = "outside"')
    (tmp_path / "elsewhere").mkdir()
    (folder / "lists.toml").symlink_to(tmp_path / "outside.toml")
    (folder / "gone.lmx").symlink_to(tmp_path / "nowhere.lmx")
    (folder / "loop.lmx").symlink_to(folder / "loop.lmx")
    (folder / "workflows").symlink_to(tmp_path / "elsewhere")
    (folder / "README.md").symlink_to(tmp_path / "outside.toml")  # not one of ours, so nobody reads it
    result = run("apply", str(folder), "--dry-run", "--json")
    assert result.exit_code == 1
    told = {mistake["file"]: mistake["message"] for mistake in json.loads(result.stdout)["mistakes"]}
    assert set(told) == {"lists.toml", "gone.lmx", "loop.lmx", "workflows"}
    assert "leads out of the folder" in told["lists.toml"]


def test_a_link_within_the_folder_is_followed(tmp_path: Path) -> None:
    """One text may serve two emails."""
    run("init", str(tmp_path / "a"))
    welcome = next((tmp_path / "a").rglob("receipt.lmx"))
    copy = welcome.rename(welcome.with_name("shared.lmx"))
    welcome.symlink_to(copy)
    result = run("apply", str(tmp_path / "a"), "--dry-run", "--data-dir", str(tmp_path / "none"))
    assert "leads" not in result.output


def test_init_writes_files_that_apply_takes(tmp_path: Path) -> None:
    """The starter folder is sound, and a second `init` overwrites nothing."""
    folder = tmp_path / "my emails"
    result = run("init", str(folder))
    assert result.exit_code == 0, result.output
    assert f"loopwright apply '{folder}'" in result.stdout
    checked = run("apply", str(folder), "--dry-run", "--json", "--data-dir", str(tmp_path / "none"))
    assert checked.exit_code == 0, checked.output
    assert len(json.loads(checked.stdout)["changes"]) >= 3
    (folder / "lists.toml").write_text("# mine\n")
    again = run("init", str(folder))
    assert again.exit_code == 2
    assert "lists.toml" in again.stderr
    assert (folder / "lists.toml").read_text() == "# mine\n"


def _commands(command: Any, *words: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command there is, with the words that call it."""
    if not hasattr(command, "commands"):
        yield words, command
        return
    for name in command.commands:
        yield from _commands(command.commands[name], *words, name)


READERS = ("folder_path", "file_path", "existing_file_path")
PATHS = [
    (words, command, parameter)
    for words, command in _commands(get_command(program))
    for parameter in command.params
    if parameter.type.name in (*READERS, "path", "file", "directory", "filename")
]


@pytest.mark.parametrize("named", ["", " ", "-"])
@pytest.mark.parametrize(
    ("words", "command", "parameter"),
    [pytest.param(*one, id=f"{' '.join(one[0])} {one[2].name}") for one in PATHS],
)
def test_a_path_that_names_nothing(
    words: tuple[str, ...],
    command: Any,
    parameter: Any,
    named: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One sentence says so, and nothing is made in the folder that one is in."""
    monkeypatch.chdir(tmp_path)
    others = [one for one in command.params if one.required and one is not parameter]
    given = [word for one in others for word in [*one.opts[:1], "x"][one.param_type_name == "argument" :]]
    option = parameter.opts[:1] if parameter.param_type_name == "option" else []
    result = run(*words, *given, *option, named)
    assert result.exit_code == 2
    assert "- is no f" in result.stderr if named == "-" else " is named; give one" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_every_path_is_looked_at() -> None:
    """Those of files and folders alike; who adds one takes a reader of these."""
    assert len(PATHS) >= 30
    assert {parameter.type.name for _, _, parameter in PATHS} == set(READERS)


CLIENTS = [
    pytest.param(words, command, id=" ".join(words))
    for words, command in _commands(get_command(program))
    if not {"data_dir", "folder"} & {one.name for one in command.params} and words != ("sealing", "new")
]


@pytest.mark.parametrize(("words", "command"), CLIENTS)
def test_a_command_without_a_key(
    words: tuple[str, ...], command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says where the key is to be, or what else it lacks, and is no traceback."""
    monkeypatch.chdir(tmp_path)
    required = [one for one in command.params if one.required]
    given = [word for one in required for word in [*one.opts[:1], "x"][one.param_type_name == "argument" :]]
    result = run(*words, *given)
    assert isinstance(result.exception, SystemExit), result.exc_info
    assert result.exit_code in (2, 3)
    assert ("LOOPS_API_KEY" in result.stderr) == (result.exit_code == 3)
