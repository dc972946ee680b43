"""Resources by id, as the path names them."""

from loopwright.server.ingest.reading import check_id

from .endpoint import ApiRequest


def id_in_path(call: ApiRequest, parameter: str) -> str:
    """The id in the request's path. One that cannot be an id is a mistake; one that nobody has is unknown."""
    value: str = call.request.path_params[parameter]
    check_id(parameter, value)
    return value
