"""Keys that the operator chooses: long enough, and such that a header can hold them."""

import pytest

from loopwright.cli.hosting_options import read_api_key
from loopwright.server.keys import is_demo, new_key, read_fixed_key


@pytest.mark.parametrize(
    ("text", "key"),
    [
        pytest.param("0123456789abcdef", "0123456789abcdef", id="sixteen"),
        pytest.param(" 0123456789abcdef\n", "0123456789abcdef", id="from a file"),
        pytest.param("Az09-._~+/Az09-._~+/==", "Az09-._~+/Az09-._~+/==", id="all that a bearer may be"),
        pytest.param("k" * 200, "k" * 200, id="the longest"),
    ],
)
def test_keys_that_can_be_fixed(text: str, key: str) -> None:
    """Blanks and line ends around it are forgiven."""
    assert read_fixed_key(text) == key


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("k", "a key of 1 characters", id="one letter"),
        pytest.param("", "at least 16", id="nothing"),
        pytest.param("0123456789abcde", "at least 16", id="fifteen"),
        pytest.param("0123456789 abcdef", "without blanks", id="blank"),
        pytest.param("0123456789abcdéf", "letters, digits", id="another letter"),
        pytest.param("0123456789\tabcdef", "letters, digits", id="tab"),
        pytest.param("k" * 201, "at most 200", id="too long"),
    ],
)
def test_keys_that_cannot(text: str, words: str) -> None:
    """They are refused, and the refusal says what to take, not what was given."""
    with pytest.raises(ValueError, match=words) as refused:
        read_fixed_key(text)
    assert len(text) < 2 or text not in str(refused.value)


def test_a_key_of_demonstrations_says_so() -> None:
    """By its beginning; keys that are made have another one."""
    assert is_demo("demo0000000000000000000000000000")
    assert is_demo("Demo-0000000000000000")
    assert not is_demo(new_key())


def test_the_command_line_tells(capsys: pytest.CaptureFixture[str]) -> None:
    """Of a key that others know, and of no other."""
    assert read_api_key(" demo0000000000000000\n") == "demo0000000000000000"
    assert "for demonstrations" in capsys.readouterr().err
    assert read_api_key("0123456789abcdef") == "0123456789abcdef"
    assert read_api_key(None) is None
    assert capsys.readouterr().err == ""
