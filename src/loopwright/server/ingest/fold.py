"""What a batch of commands comes to: the heart of ingest, and pure.

Commands are taken one after the other. Each sees what those before it have done, changes the state or is
refused, and a refused one leaves nothing behind. So the outcome is that of one command at a time, whatever
the batches were.

    Loaded + [command, ...]  ->  Folded: an outcome for each command, and the changes to save
"""

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from loopwright.server.refusal import Refusal

from .command import (
    AnswerOptIn,
    Command,
    CreateContact,
    DeleteContact,
    ImportContact,
    LiftSuppression,
    ReportEmail,
    SendEvent,
    SendTransactional,
    SetPreferences,
    SubmitForm,
    UpdateContact,
)
from .consent import answer_opt_in, set_preferences, submit_form
from .contact import create, delete, import_row, update
from .event import send_event
from .feedback import lift_suppression, report_email
from .state import BatchState, CommandResult, Folded, Loaded
from .transactional import send_transactional


def fold(loaded: Loaded, commands: Sequence[Command], *, now: datetime) -> Folded:
    """Apply `commands` in their order. Total: a command that cannot be is a `Refusal` among the outcomes."""
    state = BatchState(loaded, now)
    for command in commands:
        try:
            state.folded.outcomes.append(_apply(state, command))
        except Refusal as refusal:
            state.folded.outcomes.append(refusal)
    return state.close()


def _apply(state: BatchState, command: Command) -> CommandResult:
    match command:
        case SendEvent():
            return send_event(state, command)
        case UpdateContact():
            return update(state, command)
        case ImportContact():
            return import_row(state, command)
        case CreateContact():
            return create(state, command)
        case DeleteContact():
            return delete(state, command)
        case SendTransactional():
            return send_transactional(state, command)
        case SubmitForm():
            return submit_form(state, command)
        case AnswerOptIn():
            answer_opt_in(state, command)
            return None
        case SetPreferences():
            set_preferences(state, command)
            return None
        case ReportEmail():
            return report_email(state, command)
        case LiftSuppression():
            lift_suppression(state, command)
            return None
        case _:
            assert_never(command)
