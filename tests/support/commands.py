"""Random commands that often meet the same few contacts."""

from collections.abc import Mapping

from hypothesis import strategies as st
from msgspec.structs import replace

from loopwright.server.ingest.command import (
    AnswerOptIn,
    Command,
    ContactInput,
    CreateContact,
    DeleteContact,
    Identity,
    ImportContact,
    SendEvent,
    SendTransactional,
    SetPreferences,
    SubmitForm,
    UpdateContact,
)
from loopwright.server.store.events import UsedKey
from support.sequential import AS_TEXT, CONFIRM, DRAFT, FITTING, LISTS, PUBLISHED, TEAM

_team = st.just(TEAM)
_custom = st.fixed_dictionaries(
    {},
    optional={
        "plan": st.sampled_from(["pro", "free", None]),
        "seats": st.sampled_from([1, 2.5, 3, 4, None, "many"]),
        "unknown": st.just("x"),
    },
)
# Most commands are sound, so that what they lead to is met too.
_list_ids = st.sampled_from([*LISTS, *LISTS, *LISTS, "nowhere"])
_memberships = st.dictionaries(_list_ids, st.booleans(), max_size=2)
_inputs = st.builds(
    ContactInput,
    fields=st.fixed_dictionaries(
        {}, optional={"first_name": st.sampled_from(["Ada", "Bob", None]), "subscribed": st.booleans()}
    ),
    custom=_custom,
    lists=_memberships,
)
_forms = st.builds(
    ContactInput,
    fields=st.fixed_dictionaries(
        {},
        optional={
            "first_name": st.sampled_from(["Ada", "Eve"]),
            "user_group": st.sampled_from(["blue", "red"]),
            "source": st.just("Footer"),
        },
    ),
    custom=_custom,
    lists=st.dictionaries(_list_ids, st.just(True), max_size=2),
)
_values = st.sampled_from(["many", *AS_TEXT, *(value for kind in FITTING.values() for value in kind)])
_event_properties = st.fixed_dictionaries(
    {}, optional={"size": _values, "goods": _values | st.just([{"sku": "x"}])}
)


def batches(prefix: str = "") -> st.SearchStrategy[list[list[Command]]]:
    """Lists of commands; those of one prefix never speak of contacts, keys and events of another."""
    emails = st.sampled_from([f"{prefix}{letter}@example.com" for letter in "abcd"])
    user_ids = st.sampled_from([f"{prefix}u{number}" for number in (1, 2, 3)])
    address, user_id = st.builds(Identity, emails, st.none()), st.builds(Identity, st.none(), user_ids)
    both = st.builds(Identity, emails, user_ids)
    keys = st.sampled_from([f"{prefix}k{number}" for number in (1, 2, 3)])
    command = st.one_of(
        st.builds(
            CreateContact,
            team_id=_team,
            identity=address | both,
            input=_inputs,
            starts_workflows=st.booleans(),
        ),
        st.builds(
            UpdateContact,
            team_id=_team,
            identity=address | user_id | both,
            input=_inputs,
            starts_workflows=st.booleans(),
        ),
        st.builds(
            ImportContact,
            team_id=_team,
            identity=address | user_id | both,
            input=_inputs | _forms,
            starts_workflows=st.booleans(),
        ),
        st.builds(DeleteContact, team_id=_team, identity=address | user_id),
        st.builds(
            SendEvent,
            team_id=_team,
            identity=address | user_id | both,
            name=st.sampled_from([f"{prefix}signup", f"{prefix}paid"]),
            properties=_event_properties,
            input=_inputs,
            key=st.none() | st.builds(UsedKey, _team, st.just("events/send"), keys),
        ),
        st.builds(
            SendTransactional,
            team_id=_team,
            email=emails,
            transactional_id=st.sampled_from([PUBLISHED, DRAFT, "nothing"]),
            data_variables=st.sampled_from([{"total": 9}, {}]),
            add_to_audience=st.booleans(),
            key=st.none() | st.builds(UsedKey, _team, st.just("transactional"), keys),
        ),
        st.builds(
            SubmitForm, team_id=_team, identity=address, input=_forms, opt_in=st.sampled_from([CONFIRM, None])
        ),
        st.builds(AnswerOptIn, team_id=_team, contact_id=emails, accepted=st.booleans()),
        st.builds(
            SetPreferences,
            team_id=_team,
            contact_id=emails,
            subscribed=st.none() | st.booleans(),
            lists=_memberships,
        ),
    )
    return st.lists(st.lists(command, min_size=1, max_size=8))


def follow(command: Command, links: Mapping[str, str]) -> Command:
    """The command with the id of the contact to whom its link leads; `links` maps address -> contact id."""
    if isinstance(command, AnswerOptIn | SetPreferences):
        return replace(command, contact_id=links.get(command.contact_id, "nobody"))
    return command
