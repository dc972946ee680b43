"""What the columns of a whole file come to, before anything is sent."""

from pathlib import Path

import pytest

from loopwright.cli.importing.headings import Column, Headings
from loopwright.cli.importing.plan import Plan, plan_of, survey, unknown_columns
from loopwright.cli.importing.table import open_table
from loopwright.cli.importing.text import FileError
from loopwright.wire.contacts import ContactProperty

TEAM = Headings([ContactProperty(key="favoriteColor", label="Favorite color", type="string")])


def planned(folder: Path, content: str, name: str = "a.csv") -> Plan:
    path = folder / name
    path.write_text(content)
    table = open_table(path, "jsonl" if name.endswith("jsonl") else "csv")
    return plan_of(survey(table), TEAM, table)


@pytest.mark.parametrize(
    ("headings", "says"),
    [
        ("mail,firstName", "line 1: a column Email or User ID is needed.*'mail', 'firstName'"),
        ("2024,firstName", "line 1: a column Email or User ID is needed"),
        ("email,2024", "line 1: column '2024' cannot become a property"),
        ("email,Favorite color,favoriteColor", r"columns 2 \('Favorite color'\) and 3 \('favoriteColor'\)"),
        ("email,plan,contact.plan", r"columns 2 \('plan'\) and 3 \('contact.plan'\) mean the same"),
        ("email,First name,first_name", "mean the same"),
        ("email,list.l1,mailingLists.l1", "mean the same"),
        ("email,eventProperties,properties", "mean the same"),
        ("email,Subscribed,subscribed:boolean", "mean the same"),
    ],
)
def test_columns_that_cannot_be(tmp_path: Path, headings: str, says: str) -> None:
    """They are refused with their places, whatever the rows hold."""
    with pytest.raises(FileError, match=says):
        planned(tmp_path, f"{headings}\n{'x,' * headings.count(',')}x\n")


def test_columns_that_only_look_alike(tmp_path: Path) -> None:
    """An event's properties are told by every letter, and what is not imported may be there twice."""
    plan = planned(tmp_path, "email,event.plan,event.Plan,notes,Notes,,\na,b,c,d,e,f,g\n")
    assert plan.headings("event") == ["event.plan", "event.Plan"]
    assert plan.undeclared == {}


def test_rows_of_json_may_write_their_keys_in_different_ways(tmp_path: Path) -> None:
    """Each row by itself says everything once."""
    plan = planned(tmp_path, '{"email": "a"}\n{"E-mail": "b"}\n', "a.jsonl")
    assert plan.headings("email") == ["email", "E-mail"]


def test_unknown_properties_and_their_types(tmp_path: Path) -> None:
    """By the heading, else by the values where these have types; inside of objects too, on whichever line."""
    rows = '{"email": "a"}\n' * 1000
    plan = planned(
        tmp_path,
        rows + '{"email": "a", "seats": 3, "contactProperties": {"vip": true, "Favorite color": null}}\n',
        "a.jsonl",
    )
    assert plan.undeclared == {"seats": "number", "vip": "boolean"}
    assert plan.columns["contact.Favorite color"] == Column("contact", "favoriteColor", "string")
    assert "'seats', 'contact.vip'" in unknown_columns(plan)
    assert "loopwright properties create vip --type boolean" in unknown_columns(plan)
    assert planned(tmp_path, "email,since:date,plan\na,,\n").undeclared == {"since": "date", "plan": "string"}


@pytest.mark.parametrize("objects", ["", ",contactProperties"])
def test_guarded_cells_are_counted(tmp_path: Path, objects: str) -> None:
    """Whichever way the rows are looked at."""
    path = tmp_path / "a.csv"
    path.write_text(f"email,text{objects}\n'+a@example.com,'=1{objects and ','}\n,,\nb,'c{objects and ','}\n")
    found = survey(open_table(path, "csv"))
    assert (found.rows, found.guarded) == (2, 2)
    assert survey(open_table(path, "csv", raw=True)).guarded == 0
