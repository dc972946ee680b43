"""`loopwright lists`: mailing lists."""

from __future__ import annotations

import typer

from loopwright.cli.session import AsJson, client, show_json, show_table
from loopwright.wire.lists import MailingList

app = typer.Typer(no_args_is_help=True, help="See mailing lists.")


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List mailing lists with the ids that --list wants."""
    with client() as loops:
        answer = loops.mailing_lists.list()
    if as_json:
        show_json(answer.raw.body)
    else:
        rows = [(item.id, item.name, _shown(item), item.description) for item in answer]
        show_table(("id", "name", "shown", "description"), rows)


def _shown(mailing_list: MailingList) -> str:
    return "public" if mailing_list.is_public else "private"
