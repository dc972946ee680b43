"""Reads the files of a definition folder."""

from pathlib import Path

from .mistakes import InvalidDefinitions, Mistake

ENDINGS = (".toml", ".lmx")


def read_folder(folder: Path) -> dict[str, str]:
    """The text of every TOML and LMX file below `folder`, by its name from there with forward slashes.

    Hidden files and folders are passed over. Raises `NotADirectoryError`, and `InvalidDefinitions` for what
    is not UTF-8.
    """
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is not a folder")
    texts: dict[str, str] = {}
    mistakes: list[Mistake] = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if (
            path.suffix not in ENDINGS
            or not path.is_file()
            or any(part.startswith(".") for part in name.parts)
        ):
            continue
        raw = path.read_bytes()
        try:
            texts[name.as_posix()] = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            mistakes.append(Mistake(name.as_posix(), line, "not UTF-8; save the file in that encoding"))
    if mistakes:
        raise InvalidDefinitions(mistakes)
    return texts
