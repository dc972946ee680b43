"""The floor: the server's HTTP stack, reading each request and answering a constant."""

import sys

import uvicorn
from starlette.responses import Response
from starlette.types import Receive, Scope, Send


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the body, answer `{"success": true}`, and do nothing else."""
    while (await receive()).get("more_body"):
        pass
    await Response(b'{"success":true}', media_type="application/json")(scope, receive, send)


if __name__ == "__main__":
    uvicorn.run(
        application, port=int(sys.argv[1]), loop="uvloop", access_log=False, log_config=None, lifespan="off"
    )
