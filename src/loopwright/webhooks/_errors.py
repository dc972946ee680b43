"""What is wrong with a delivery, or with a secret. Programs, and pickle, find them in the package."""


class WebhookError(ValueError):
    """A delivery not to be trusted, or a secret that cannot be used. Answer 400 and do nothing else."""

    __module__ = "loopwright.webhooks"


class SecretError(WebhookError):
    """The secret is not of the form `whsec_<base64>`; the fault is in the receiver's configuration."""

    __module__ = "loopwright.webhooks"


class SignatureError(WebhookError):
    """The delivery was not signed with any of the secrets, or a header for checking that is missing."""

    __module__ = "loopwright.webhooks"


class TimestampError(WebhookError):
    """The delivery is older or newer than the tolerance allows, or its timestamp is not a number."""

    __module__ = "loopwright.webhooks"


class PayloadError(WebhookError):
    """The body is not JSON, or a field has a type that the published payloads do not have."""

    __module__ = "loopwright.webhooks"
