"""What may be written into an email.

Reads a draft and the message as it is, writes revisions. The API, the definition files and the team's own
setup come through here; an email that is accepted names the revision.
"""
