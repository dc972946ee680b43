"""The options that several commands share, named as in the published command line where that has them."""

from __future__ import annotations

from typing import Annotated

import typer

Email = Annotated[str | None, typer.Option("--email", "-e", help="The contact's email address.")]
UserId = Annotated[str | None, typer.Option("--user-id", "-u", help="The contact's id in your own system.")]
Lists = Annotated[
    list[str] | None,
    typer.Option(
        "--list", metavar="ID=true|false", help="Subscribe to a mailing list, or leave it. Repeatable."
    ),
]
ContactProps = Annotated[
    list[str] | None,
    typer.Option(
        "--contact-props",
        "--prop",
        metavar="KEY=VALUE",
        help="A contact property; also a JSON object, or a file with one. Repeatable.",
    ),
]
IdempotencyKey = Annotated[
    str | None,
    typer.Option(
        "--idempotency-key",
        help="At most 100 characters. The API takes a key once in 24 hours; again is refused.",
    ),
]
PerPage = Annotated[int | None, typer.Option("--per-page", min=10, max=50, help="Results per page.")]
Cursor = Annotated[str | None, typer.Option("--cursor", help="Start at the page this cursor names.")]
