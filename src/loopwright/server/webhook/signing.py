"""The secrets of endpoints: made here, kept sealed, and used to sign what is sent."""

import os
from base64 import b64encode
from datetime import datetime, timedelta

from loopwright.server.sealing import SealingKey
from loopwright.server.store.webhooks import EndpointRow

SECRET_BYTES = 24
BOTH_SIGN = timedelta(hours=24)
"""After a rotation the former secret signs beside the new one for so long."""


def new_secret() -> str:
    """A secret as receivers take it: `whsec_` and base64."""
    return f"whsec_{b64encode(os.urandom(SECRET_BYTES)).decode()}"


def seal_secret(sealing: SealingKey, endpoint_id: str, secret: str) -> bytes:
    """The secret as it is stored."""
    return sealing.seal(secret.encode(), _purpose(endpoint_id))


def secrets_of(sealing: SealingKey, endpoint: EndpointRow, now: datetime) -> list[str]:
    """The secrets that sign at `now`, the newest first. Raises `CannotUnseal`."""
    sealed = [endpoint.sealed_secret]
    if endpoint.former_secret and endpoint.former_until and now < endpoint.former_until:
        sealed.append(endpoint.former_secret)
    return [sealing.unseal(one, _purpose(endpoint.id)).decode() for one in sealed]


def _purpose(endpoint_id: str) -> str:
    return f"webhook secret of {endpoint_id}"
