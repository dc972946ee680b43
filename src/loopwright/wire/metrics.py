"""What became of the emails that were sent, over all time. A send that is opened five times counts once."""

from __future__ import annotations

from loopwright.wire.answers import Answer


class EmailMetrics(Answer, frozen=True, kw_only=True):
    """Of a campaign, or of a workflow's email; somebody who got it twice counts for each send."""

    sends: int
    opens: int
    clicks: int
    unsubscribes: int
    spam_reports: int
    hard_bounces: int
    soft_bounces: int


class TransactionalMetrics(Answer, frozen=True, kw_only=True):
    """Of a transactional email, over every version that was ever published."""

    sends: int
    deliveries: int
    spam_reports: int
    hard_bounces: int
    soft_bounces: int
