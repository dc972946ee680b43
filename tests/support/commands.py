"""Random commands that often meet the same few contacts."""

from hypothesis import strategies as st

from loopwright.server.ingest.command import (
    Command,
    ContactInput,
    CreateContact,
    DeleteContact,
    Identity,
    SendEvent,
    UpdateContact,
)
from loopwright.server.store.events import UsedKey

EMAILS = st.sampled_from([f"{letter}@example.com" for letter in "abcd"])
USER_IDS = st.sampled_from(["u1", "u2", "u3"])

_inputs = st.builds(
    ContactInput,
    fields=st.fixed_dictionaries(
        {}, optional={"first_name": st.sampled_from(["Ada", "Bob", None]), "subscribed": st.booleans()}
    ),
    custom=st.fixed_dictionaries(
        {},
        optional={
            "plan": st.sampled_from(["pro", "free", None]),
            "seats": st.sampled_from([1, 2.5, None, "many"]),
            "unknown": st.just("x"),
        },
    ),
    lists=st.dictionaries(st.sampled_from(["list1", "list2", "nowhere"]), st.booleans(), max_size=2),
)


def commands(team_id: str) -> st.SearchStrategy[list[Command]]:
    """Lists of commands of one team."""
    team = st.just(team_id)
    either = st.builds(Identity, st.none() | EMAILS, st.none() | USER_IDS).filter(
        lambda one: one.email is not None or one.user_id is not None
    )
    one_of_two = st.builds(Identity, EMAILS, st.none()) | st.builds(Identity, st.none(), USER_IDS)
    keys = st.none() | st.builds(UsedKey, team, st.just("events/send"), st.sampled_from(["k1", "k2", "k3"]))
    return st.lists(
        st.one_of(
            st.builds(
                CreateContact,
                team_id=team,
                identity=st.builds(Identity, EMAILS, st.none() | USER_IDS),
                input=_inputs,
            ),
            st.builds(UpdateContact, team_id=team, identity=either, input=_inputs),
            st.builds(DeleteContact, team_id=team, identity=one_of_two),
            st.builds(
                SendEvent,
                team_id=team,
                identity=either,
                name=st.sampled_from(["signup", "paid"]),
                input=_inputs,
                key=keys,
            ),
        ),
        max_size=30,
    )
