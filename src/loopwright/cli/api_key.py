"""`loopwright api-key`: does the key work, and whose is it?"""

from __future__ import annotations

import typer

from loopwright.cli.session import AsJson, client, say, show_json

app = typer.Typer()


@app.callback(invoke_without_command=True)
def api_key(*, as_json: AsJson = False) -> None:
    """Check the API key in LOOPS_API_KEY, and name its team.

    Ends with 3 when the key is missing or wrong.
    """
    with client() as loops:
        answer = loops.api_key.test()
    if as_json:
        show_json(answer.raw.body)
    else:
        say(f"The key works. Team: {answer.team_name or 'unnamed'}")
