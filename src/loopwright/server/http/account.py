"""The key's own questions: whose it is, what lists there are, where mail comes from."""

from loopwright.server.store import audience
from loopwright.wire.account import ApiKeyInfo
from loopwright.wire.lists import MailingList

from .dispatch import ApiRequest


async def test_api_key(call: ApiRequest) -> ApiKeyInfo:
    """GET /v1/api-key."""
    return ApiKeyInfo(success=True, team_name=call.team.name)


async def list_mailing_lists(call: ApiRequest) -> list[MailingList]:
    """GET /v1/lists."""
    async with call.pool.acquire() as tx:
        lists = await audience.load_lists(tx, [call.team.id])
    return [
        MailingList(id=one.id, name=one.name, description=one.description, is_public=one.is_public)
        for one in lists
    ]


async def list_dedicated_sending_ips(_: ApiRequest) -> list[str]:
    """GET /v1/dedicated-sending-ips. The server sends from its operator's addresses and dedicates none."""
    return []
