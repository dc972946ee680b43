"""What a transactional email needs before it is accepted. Pure."""

from loopwright.ids import new_id
from loopwright.server.refusal import BadRequest, NotFound
from loopwright.server.store.emails import NewEmail
from loopwright.wire import failures
from loopwright.wire.transactional import TransactionalAccepted

from .command import Identity, SendTransactional
from .contact import new_contact
from .state import BatchState


def send_transactional(state: BatchState, command: SendTransactional) -> TransactionalAccepted:
    """Queue an email of the published content. Raises `NotFound`, `BadRequest` and `Conflict`."""
    state.check_key(command.key)
    transactional = state.transactionals.get((command.team_id, command.transactional_id))
    if transactional is None:
        raise NotFound(
            failures.TRANSACTIONAL_NOT_FOUND, code="transactional_not_found", path="transactionalId"
        )
    if transactional.published_message_id is None:
        raise BadRequest(
            "This transactional email is not published yet; publish it, then send again.",
            code="transactional_not_published",
        )
    missing = [name for name in transactional.required_variables if name not in command.data_variables]
    if missing:
        raise BadRequest(
            failures.MISSING_DATA_VARIABLES.format(names=", ".join(missing)), code="variables_missing"
        )
    contact = state.find_by_email(command.team_id, command.email)
    if contact is None and command.add_to_audience:
        contact = new_contact(state, command.team_id, Identity(command.email, None))
        state.put(contact)
    state.folded.emails.append(
        NewEmail(
            team_id=command.team_id,
            cause=f"transactional:{new_id(state.now)}",
            kind="transactional",
            message_id=transactional.published_message_id,
            revision_id=transactional.published_revision_id,
            contact_id=contact.id if contact else None,
            to_email=command.email,
            transactional_id=transactional.id,
            data_variables=command.data_variables,
            attachments=command.attachments,
        )
    )
    state.use_key(command.key)
    return TransactionalAccepted(success=True)
