"""What became of an event in each workflow that waits for it: a run, or why there is none. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from loopwright.server.dashboard.timeline import RunStory
from loopwright.server.store.pages.events import EventDetail
from loopwright.server.store.pages.workflows import EarlierRun, Listener
from loopwright.server.store.workflows import Hindrance

LONGEST_COMPARED = 60
"""Characters of names that are compared for likeness; longer ones would take long."""
_AGAIN = "then send the event again"


@dataclass(frozen=True)
class Verdict:
    """A workflow that did not start: `why`, what to do about it, and the earlier run, if that is why."""

    workflow: Listener
    why: str
    remedy: str
    earlier: EarlierRun | None = None


def judge(
    event: EventDetail,
    listeners: Iterable[Listener],
    runs: Iterable[RunStory],
    earlier: Iterable[EarlierRun],
) -> list[Verdict]:
    """Why each workflow that waits for the event did not start, in their order.

    What was recorded with the event counts, since things may have changed: then what its runs tell.
    """
    started = {story.run.workflow_id for story in runs}
    before = {run.workflow_id: run for run in earlier}
    return [
        _verdict(event, one, before.get(one.id))
        for one in listeners
        if one.trigger_event == event.name and one.id not in started
    ]


def close_names(name: str, names: Iterable[str]) -> Sequence[str]:
    """Those of `names` that are nearly `name`: in other letters' case, with other signs, or misspelled."""
    others = sorted({one for one in names if one != name})
    alike = [one for one in others if _plain(one) == _plain(name)]
    if len(name) <= LONGEST_COMPARED:
        short = {one.casefold(): one for one in others if len(one) <= LONGEST_COMPARED}
        found = get_close_matches(name.casefold(), list(short), n=3, cutoff=0.75)
        alike += [short[one] for one in found if short[one] not in alike]
    return alike


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _verdict(event: EventDetail, workflow: Listener, earlier: EarlierRun | None) -> Verdict:
    why = event.kept_out.get(workflow.id)
    if why is not None:
        sentence, remedy = _SENTENCES[why]
        listed = f"“{workflow.list_name}”" if workflow.list_name else "its mailing list"
        return Verdict(workflow, sentence.format(list=listed), remedy)
    if earlier is not None:
        return Verdict(
            workflow,
            "The contact was in it before, and it takes each contact once.",
            "To have it take contacts again, leave once = true out of its trigger.",
            earlier,
        )
    if workflow.updated_at > event.received_at:
        return Verdict(
            workflow,
            "It was made or changed after this event came, and events start what waits for them then.",
            "If it is right now, send the event again.",
        )
    return Verdict(
        workflow, "Nothing was recorded: the event came before the server kept reasons.", "Send it again."
    )


_SENTENCES: Mapping[Hindrance, tuple[str, str]] = {
    "draft": (
        "It was a draft when the event came, and drafts start for nobody.",
        f'Set its status to "sending", {_AGAIN}.',
    ),
    "paused": (
        "It was paused when the event came, and what comes meanwhile starts nothing.",
        f'Set its status to "sending", {_AGAIN}.',
    ),
    "unconfirmed": (
        "The contact had not confirmed its address when the event came (double opt-in).",
        "Once it has, by the link in the email that asked it, its next event starts this workflow.",
    ),
    "not_on_list": (
        "The contact was not subscribed to {list} when the event came.",
        f"Add it to the list, which the event itself may do with mailingLists, {_AGAIN}.",
    ),
}
