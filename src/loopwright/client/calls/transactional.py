"""Calls that send transactional email: keyed, so that repeating them doubles nothing. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from loopwright.client.answer import one
from loopwright.client.arguments import flag, required
from loopwright.client.body import check_key, variables_to_wire
from loopwright.client.call import Call, CallOptions
from loopwright.errors import mistyped
from loopwright.wire.operations import SEND_TRANSACTIONAL_EMAIL
from loopwright.wire.transactional import Attachment, TransactionalAccepted


def transactional_call(
    transactional_id: str,
    email: str,
    data_variables: Mapping[str, object] | None,
    add_to_audience: bool | None,
    attachments: Sequence[Attachment],
    key: str | None,
    options: CallOptions,
) -> Call[TransactionalAccepted]:
    """Raises `ArgumentError` for what the API would refuse."""
    body: dict[str, object] = {
        "transactionalId": required("transactional_id", transactional_id),
        "email": required("email", email),
    }
    if data_variables is not None and (variables := variables_to_wire(data_variables)):
        body["dataVariables"] = variables
    if add_to_audience is not None:
        body["addToAudience"] = flag("add_to_audience", add_to_audience)
    if attachments != () and (files := _files(attachments)):
        body["attachments"] = files
    operation = SEND_TRANSACTIONAL_EMAIL
    return Call(
        operation,
        operation.path,
        one(TransactionalAccepted),
        options,
        body,
        check_key(key),
        _transactional_replayed,
    )


def _files(attachments: object) -> list[Attachment]:
    if not isinstance(attachments, (list, tuple)):
        raise mistyped("attachments", "a list of Attachment", attachments)
    files = cast("list[object]", attachments)
    for number, file in enumerate(files):
        if not isinstance(file, Attachment):
            raise mistyped(f"attachments[{number}]", "an Attachment, as Attachment.from_path makes one", file)
        if not isinstance(file.data, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # untyped callers
            raise mistyped(
                f"attachments[{number}].data", "base64 text, as Attachment.from_bytes makes it", file.data
            )
    return cast("list[Attachment]", files)


def _transactional_replayed() -> TransactionalAccepted:
    return TransactionalAccepted(success=True, replayed=True)
