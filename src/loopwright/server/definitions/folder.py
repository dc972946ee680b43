"""Reads the files of a definition folder."""

from collections.abc import Collection
from pathlib import Path

from .mistakes import InvalidDefinitions, Mistake

ENDINGS = (".toml", ".lmx")


def read_folder(folder: Path) -> dict[str, str]:
    """The text of every TOML and LMX file below `folder`, by its name from there with forward slashes.

    Hidden files and folders are passed over. Raises `NotADirectoryError`, and `InvalidDefinitions` for what
    is not UTF-8, and for links that lead out of the folder or nowhere: only what the folder holds is applied.
    """
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is not a folder")
    root = folder.resolve()
    texts: dict[str, str] = {}
    mistakes: list[Mistake] = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if any(part.startswith(".") for part in name.parts):
            continue
        problem = _link_problem(path, root)
        if problem:
            mistakes.append(Mistake(name.as_posix(), 1, problem))
        elif path.suffix not in ENDINGS and path.suffix.lower() in ENDINGS:
            ending = path.suffix.lower()
            mistakes.append(Mistake(name.as_posix(), 1, f"its ending is written {ending}, in small letters"))
        elif path.suffix in ENDINGS and path.is_file():
            raw = path.read_bytes()
            try:
                texts[name.as_posix()] = raw.decode("utf-8-sig")
            except UnicodeDecodeError as error:
                line = raw.count(b"\n", 0, error.start) + 1
                mistakes.append(Mistake(name.as_posix(), line, "not UTF-8; save the file in that encoding"))
    if mistakes:
        raise InvalidDefinitions(mistakes)
    return texts


def read_images(folder: Path) -> dict[str, bytes]:
    """The bytes of every file below `images/`, by its path from the folder with forward slashes.

    Hidden ones are passed over. Raises `InvalidDefinitions` for links that are not followed.
    """
    root = folder.resolve()
    found: dict[str, bytes] = {}
    for path in sorted((folder / "images").rglob("*")):
        name = path.relative_to(folder)
        if any(part.startswith(".") for part in name.parts) or path.suffix in ENDINGS:
            continue
        if problem := _link_problem(path, root, endings=(path.suffix,)):
            raise InvalidDefinitions([Mistake(name.as_posix(), 1, problem)])
        if path.is_file():
            found[name.as_posix()] = path.read_bytes()
    return found


def _link_problem(path: Path, root: Path, endings: Collection[str] = ENDINGS) -> str | None:
    """What is wrong with a link that would be read: a folder's, or a file's with one of these endings."""
    if not path.is_symlink() or not (path.suffix in endings or path.is_dir()):
        return None
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):  # a loop raises either, by the version of Python
        return "a link that leads nowhere; put the file itself here"
    if target.is_dir():
        return "a link to a folder, which is not followed; put the folder itself here"
    if not target.is_relative_to(root):
        return "a link that leads out of the folder, which is not followed; put the file itself here"
    return None
