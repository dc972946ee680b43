"""GET /icons/<name>-<colour>.png: the images of icons in emails, for anybody, as long as they like."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from loopwright.server.mail.icon_names import COLORS, FOLDER, ICONS, file_name

_FILES = {file_name(name, color) for name in ICONS for color in COLORS}
_HEADERS = {
    "cache-control": "public, max-age=31536000, immutable",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "cross-origin",
}


def routes() -> Sequence[BaseRoute]:
    """Where the images are."""
    return [Route("/icons/{file}", _show, methods=["GET"])]


async def _show(request: Request) -> Response:
    file: str = request.path_params["file"]
    if file not in _FILES:
        return Response("There is no such icon.", 404)
    return FileResponse(FOLDER / file, headers=_HEADERS, media_type="image/png")
