"""What the queries of Contact updated mean."""

import pytest

from loopwright.server.store.contacts import Value
from loopwright.server.store.facts import Change
from loopwright.server.workflow.change import MEANINGS, OPERATORS, exact_values, exact_wanted, fits
from loopwright.wire.filters import DateRange
from loopwright.wire.workflow_nodes import Comparison, ContactPropertyQuery

ANY = Comparison(operator="any")
MAY, JUNE = "2026-05-01T00:00:00.000Z", "2026-06-01T00:00:00.000Z"
SPRING = DateRange(from_="2026-03-01", to="2026-05-01")

TABLE: list[tuple[str, object, list[Value | None], list[Value | None]]] = [
    ("any", "", ["a", 0, None], []),
    ("empty", "", [None, ""], ["a", 0, False]),
    ("not_empty", "", ["a", 0, False], [None, ""]),
    ("equal", "Pro", ["pro", "PRO"], ["prof", "", None]),
    ("not_equal", "pro", ["free", "", None], ["Pro"]),
    ("contains", "RO", ["pro", "ro"], ["free", "", None]),
    ("not_contains", "ro", ["free", "", None], ["PRO"]),
    ("true", "", [True], [False, None, "true", 1]),
    ("false", "", [False], [True, None, 0]),
    ("numeric_equal", 3, [3, 3.0], [4, None, True, "x"]),
    ("numeric_equal", "3", [3], [30]),
    ("numeric_equal", 2**53 + 1, [2**53 + 1], [2**53, 2**53 + 2]),
    ("greater_than", 2**53, [2**53 + 1], [2**53]),
    ("numeric_not_equal", 3, [4, None], [3]),
    ("greater_than", 3, [3.5, 4], [3, 2, None]),
    ("less_than", 3, [2, -1], [3, 4, None]),
    ("greater_than", "many", [], [1, None]),
    ("after", "2026-05-15", [JUNE], [MAY, None, "soon"]),
    ("before", "2026-05-15", [MAY], [JUNE, None]),
    ("between", SPRING, ["2026-03-01T00:00:00.000Z", MAY], [JUNE, None]),
    ("between", "2026-05-15", [], [MAY]),
    ("of_a_later_version", "x", [], ["x", None]),
]


@pytest.mark.parametrize(
    ("operator", "given", "fitting", "others"), [pytest.param(*row, id=f"{row[0]} {row[1]}") for row in TABLE]
)
def test_an_operator(
    operator: str, given: object, fitting: list[Value | None], others: list[Value | None]
) -> None:
    """New and old values are asked alike; what is missing or of another type is no error."""
    comparison = Comparison(operator=operator, value=given)  # type: ignore[arg-type]
    for side in ("is_", "was"):
        query = ContactPropertyQuery(key="plan", **{"is_": ANY, "was": ANY, side: comparison})
        for value in [*fitting, *others]:
            change = Change(**{"is_": "x", "was": "y", side: value})
            assert fits(query, change) is (value in fitting and type(value) in map(type, fitting)), value


@pytest.mark.parametrize(
    ("operator", "given", "fitting", "others"), [pytest.param(*row, id=f"{row[0]} {row[1]}") for row in TABLE]
)
def test_comparisons_that_one_value_fits_are_found_by_it(
    operator: str, given: object, fitting: list[Value | None], others: list[Value | None]
) -> None:
    """By all values that fit, and by no others."""
    comparison = Comparison(operator=operator, value=given)  # type: ignore[arg-type]
    wanted = exact_wanted(comparison)
    assert (wanted is not None) is (operator in ("equal", "numeric_equal") and bool(fitting))
    query = ContactPropertyQuery(key="plan", is_=comparison, was=ANY)
    for value in [*fitting, *others] if wanted is not None else ():
        assert (wanted in exact_values(value)) is fits(query, Change(was=None, is_=value)), value


def test_both_sides_have_to_fit() -> None:
    """From free to pro is not from nothing to pro."""
    query = ContactPropertyQuery(
        key="plan",
        is_=Comparison(operator="equal", value="pro"),
        was=Comparison(operator="equal", value="free"),
    )
    assert fits(query, Change(was="free", is_="pro"))
    assert not fits(query, Change(was=None, is_="pro"))
    assert not fits(query, Change(was="free", is_="team"))


@pytest.mark.parametrize(("was", "is_"), [(None, ""), ("", None)])
def test_no_value_instead_of_no_value_is_no_change(was: Value | None, is_: Value | None) -> None:
    """Whatever is asked; a value that goes is one."""
    for operator in ("any", "empty", "not_equal"):
        query = ContactPropertyQuery(key="plan", is_=Comparison(operator=operator, value="pro"), was=ANY)
        assert not fits(query, Change(was=was, is_=is_))
        assert fits(query, Change(was="team", is_=is_))


def test_every_operator_of_the_api_has_a_meaning() -> None:
    """And no other has one."""
    assert MEANINGS.keys() == frozenset().union(*OPERATORS.values())
