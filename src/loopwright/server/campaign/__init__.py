"""Campaigns under way.

Reads what people ask of a campaign and who is in its audience, writes recipients and, of them, emails by the
batch. The mailer sends those in a lane of their own, and asks each contact's consent again.
"""
