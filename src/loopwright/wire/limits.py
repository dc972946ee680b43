"""The published limits, in one place. Sizes are bytes unless a name says characters."""

KEY_CHARACTERS = 100
"""Longest idempotency key."""

PROPERTY_KEY_CHARACTERS = 500
"""Longest key of a contact, event or transactional body; the API gives no number of its own for keys."""

VALUE_CHARACTERS = 498
"""Longest string value in such a body: 500 with the two quotes."""

TRANSACTIONAL_BYTES = 4_000_000
"""A whole transactional request, attachments included, stays below this."""

ATTACHMENTS = 50
"""Files of one transactional email; the API gives no number."""

EVENT_PROPERTIES = 200
"""Properties of one event; the API gives no number."""

PATTERN_PROPERTIES = 500
"""Properties that all events of one name have together; the API gives no number."""

KEYS = 1_000
"""Keys of a contact, event or transactional body, lists of a contact, data variables; none is given."""

LMX_BYTES = 100_000
IMAGE_BYTES = 4_000_000
IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")

PER_PAGE_LEAST = 10
PER_PAGE_MOST = 50
PER_PAGE = 20

NAME_CHARACTERS = 500
"""Longest name of what people make; the API gives no number of its own."""

SEGMENT_NAME_CHARACTERS = 255
SEGMENT_DESCRIPTION_CHARACTERS = 1000
FILTER_CONDITIONS = 100
WORKFLOW_NODES = 400

REQUESTS_PER_SECOND = 10
CONTENT_REQUESTS_PER_MINUTE = 60
PREVIEWS_PER_DAY = 100
UPLOADS_PER_DAY = 50
UPLOAD_WINDOW_HOURS = 24
SUPPRESSION_REMOVALS = 100
"""Suppression removals in a rolling window of 30 days."""

IDEMPOTENCY_HOURS = 24
