"""What an error says of its row: that it is rejected, or that the import cannot go on."""

import pytest

from loopwright.cli.importing.run import verdict_on
from loopwright.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    AuthenticationError,
    BadRequestError,
    LoopsConnectionError,
    LoopsError,
)


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (None, None),
        (BadRequestError("no such property", status=400), "400: no such property"),
        (ArgumentValueError("name is empty"), "name is empty"),
        (ArgumentTypeError("email is text, not int"), "email is text, not int"),
        (ValueError("is blank"), "is blank"),
    ],
)
def test_a_row_by_itself_is_rejected(error: LoopsError | ValueError | None, verdict: str | None) -> None:
    """What is wrong with it is wrong with no other."""
    assert verdict_on(error) == verdict


@pytest.mark.parametrize(
    "error", [AuthenticationError("wrong key", status=401), LoopsConnectionError("gone")]
)
def test_what_ends_an_import(error: LoopsError) -> None:
    """It would happen to every row."""
    assert verdict_on(error) is error
