"""What refusals mean, by replies of the kinds that servers give."""

import pytest

from loopwright.server.mail.reply import Meaning, Moment, Reply, meaning_of

CASES: list[tuple[Meaning, Moment, int, str]] = [
    # the recipient, and nobody else
    ("recipient", "RCPT", 550, "5.1.1 <x@peer.test>: Recipient address rejected: User unknown in a table"),
    ("recipient", "RCPT", 550, "5.1.1 The account does not exist.\n5.1.1 See https://help.test/NoSuchUser"),
    ("recipient", "RCPT", 553, "5.1.2 no mail exchanger for this domain"),
    ("recipient", "RCPT", 501, "5.1.3 Bad recipient address syntax"),
    ("recipient", "RCPT", 551, "5.1.6 mailbox has moved, no forwarding address"),
    ("recipient", "RCPT", 556, "5.1.10 Recipient address has null MX"),
    ("recipient", "RCPT", 550, "5.2.1 This mailbox is disabled"),
    ("recipient", "RCPT", 550, "No such user here"),
    ("recipient", "RCPT", 550, "Unknown user"),
    ("recipient", "RCPT", 550, "unknown recipient x@peer.test"),
    ("recipient", "RCPT", 550, "<x@peer.test>... user unknown"),
    ("recipient", "RCPT", 550, "sorry, no mailbox here by that name. (#5.1.1)"),
    ("recipient", "RCPT", 554, "This user doesn't exist"),
    ("recipient", "RCPT", 550, "Recipient not found"),
    ("recipient", "RCPT", 550, "Invalid recipient"),
    ("recipient", "RCPT", 550, "Unrouteable address"),
    ("recipient", "RCPT", 550, "mailbox x@peer.test does not exist"),
    ("recipient", "RCPT", 553, "no such mailbox"),
    ("recipient", "RCPT", 550, "5.1.1 <x@blocked.example>: no such user at relay.example"),
    ("recipient", "DATA end", 550, "5.1.1 unknown mailbox"),
    ("recipient", "DATA end", 554, "delivery error: user not found"),
    ("recipient", "RCPT", 554, "delivery error: This user doesn't have a peer.test account"),
    ("soft", "RCPT", 550, "5.0.0 <x@peer.test>... User unknown"),
    ("soft", "RCPT", 550, "5.5.0 Unknown user"),
    ("soft", "RCPT", 550, "5.2.0 No such mailbox"),
    ("soft", "RCPT", 550, "#5.1.0 Address rejected."),
    ("soft", "RCPT", 550, "5.1.351 Remote server returned unknown recipient or mailbox unavailable"),
    ("soft", "RCPT", 550, "5.4.1 Recipient address rejected: Access denied. [x.outlook.test]"),
    ("recipient", "RCPT", 551, "User not local; please try <forward-path>"),
    ("recipient", "DATA end", 554, "This account has been disabled or discontinued [#102]"),
    ("recipient", "RCPT", 550, "this address no longer accepts mail"),
    ("recipient", "RCPT", 550, "Utilisateur inconnu"),
    ("recipient", "RCPT", 550, "Empfänger unbekannt"),
    ("soft", "RCPT", 550, "mailbox temporarily disabled"),
    ("soft", "RCPT", 550, "5.4.1 no answer from host"),
    ("relay", "RCPT", 550, "5.0.0 your account has been suspended, user unknown"),
    ("relay", "RCPT", 550, "5.7.1 Recipient address rejected: Access denied"),
    ("relay", "RCPT", 550, "5.1.0 bad sender address"),
    ("recipient", "RCPT", 550, "5.1.1 user blocked@peer.test not listed in the directory"),
    ("recipient", "RCPT", 550, "cannot find user x"),
    ("recipient", "RCPT", 550, "that user does not live here"),
    # codes of the recipient's, and words of something else
    ("soft", "RCPT", 552, "5.1.1 Recipient overquota"),
    ("soft", "RCPT", 550, "5.1.1 too many messages for this recipient, try tomorrow"),
    ("relay", "RCPT", 550, "5.1.1 blocked, see https://list.test/"),
    ("relay", "RCPT", 521, "5.2.1 Blocked"),
    ("relay", "RCPT", 550, "5.2.1 your account is disabled"),
    ("soft", "RCPT", 550, "5.2.1 mailbox temporarily disabled"),
    ("soft", "RCPT", 550, "5.7.1 No such user!"),
    ("soft", "RCPT", 550, "5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required"),
    ("soft", "RCPT", 550, "5.7.124 Sender not in allowed-senders list"),
    ("soft", "DATA end", 550, "5.2.121 RecipientRateLimitExceeded"),
    # us
    ("relay", "RCPT", 550, "Anti-Spoofing policy - Inbound not allowed"),
    ("relay", "RCPT", 553, "Submitting domain not found"),
    ("relay", "RCPT", 550, "permanent failure for one or more recipients (x@peer.test:blocked)"),
    ("relay", "RCPT", 550, "Ip frequency limited [A1 IP: 192.0.2.7]"),
    ("relay", "RCPT", 550, "Suspected bounce attacks"),
    ("relay", "RCPT", 554, "mx1 192.0.2.7 block for spam"),
    ("relay", "RCPT", 550, "Domain m.example has exceeded the max emails per hour (100/100) allowed"),
    ("relay", "DATA end", 550, "Your account is over its sending limits"),
    ("relay", "RCPT", 452, "Requested action not taken: insufficient system storage"),
    ("relay", "DATA end", 550, "5.7.1 unusual rate of unsolicited mail originating from your IP address"),
    ("relay", "DATA end", 550, "5.7.1 low reputation of the sending IP; our users hate spam"),
    ("relay", "DATA end", 554, "Message rejected: Email address is not verified"),
    ("relay", "DATA end", 554, "Sending paused for this account."),
    ("relay", "RCPT", 550, "your account has been suspended"),
    ("relay", "RCPT", 550, "5.3.2 system not accepting network messages"),
    ("relay", "DATA end", 454, "Throttling failure: maximum sending rate exceeded"),
    ("relay", "RCPT", 454, "4.7.1 <x@peer.test>: Relay access denied"),
    # the message
    ("message", "DATA end", 552, "5.7.0 This message was blocked because its content is a security risk"),
    ("message", "DATA end", 550, "5.7.1 attachment type blocked"),
    ("message", "DATA end", 550, "5.7.1 [192.0.2.7 12] this message is likely unsolicited mail, and blocked"),
    ("message", "DATA end", 550, "5.7.1 Blocked by the filter: spam score 12"),
    ("message", "DATA end", 554, "5.7.1 URL in this message is blacklisted (SURBL)"),
    # this mailbox, for now
    ("soft", "RCPT", 550, "5.5.0 Requested action not taken: mailbox unavailable"),
    ("soft", "RCPT", 550, "Requested action not taken: mailbox unavailable"),
    ("relay", "connect", 554, "client host rejected"),
    ("relay", "connect", 421, "4.7.0 Too many connections from your host"),
    ("relay", "connect", 521, "this host takes no mail"),
    ("relay", "EHLO", 501, "5.5.2 invalid HELO name"),
    ("relay", "AUTH", 535, "5.7.8 authentication failed"),
    ("relay", "AUTH", 534, "5.7.9 mechanism too weak"),
    ("relay", "AUTH", 454, "4.7.0 temporary authentication failure"),
    ("relay", "STARTTLS", 454, "TLS not available"),
    ("relay", "MAIL", 450, "4.7.1 Error: too much mail from 127.0.0.1"),
    ("relay", "MAIL", 530, "5.7.0 Authentication required"),
    ("relay", "MAIL", 538, "5.7.11 encryption required"),
    ("relay", "MAIL", 550, "5.1.1 sender unknown"),
    ("relay", "MAIL", 452, "4.3.1 Insufficient system storage"),
    ("relay", "MAIL", 451, "local error"),
    ("relay", "RCPT", 550, "relay not permitted"),
    ("relay", "RCPT", 550, "relaying denied"),
    ("relay", "RCPT", 554, "5.7.1 <x@peer.test>: Relay access denied"),
    ("relay", "RCPT", 550, "5.1.8 <ada@m.example>: Sender address rejected: Domain not found"),
    ("relay", "RCPT", 550, "5.1.0 <ada@m.example>: Sender address rejected: User unknown"),
    ("relay", "RCPT", 550, "5.1.7 bad sender address"),
    ("relay", "RCPT", 550, "5.1.1 Sender address rejected: not found"),
    ("relay", "RCPT", 550, "Sender verify failed: no such user"),
    ("relay", "RCPT", 550, "blocked using zen.spamhaus.org"),
    ("relay", "RCPT", 550, "your IP is on a blacklist, ask the recipient if this user is not found"),
    ("relay", "RCPT", 550, "SPF check failed"),
    ("relay", "RCPT", 550, "5.7.23 SPF validation failed"),
    ("relay", "RCPT", 550, "5.7.25 no PTR record"),
    ("relay", "RCPT", 550, "5.7.606 access denied, banned sending IP"),
    ("relay", "RCPT", 554, "client host rejected: access denied"),
    ("relay", "RCPT", 501, "5.5.2 HELO requires a domain"),
    ("relay", "RCPT", 500, "command not recognised"),
    ("relay", "RCPT", 503, "bad sequence of commands"),
    ("relay", "RCPT", 521, "no mail here"),
    ("relay", "RCPT", 530, "authentication required"),
    ("relay", "RCPT", 550, "5.4.5 Daily user sending quota exceeded"),
    ("relay", "RCPT", 550, "sending rate limit reached"),
    ("relay", "RCPT", 450, "4.1.8 <ada@mail.example.com>: Sender address rejected: Domain not found"),
    ("relay", "RCPT", 450, "4.7.25 Client host rejected: cannot find your reverse hostname"),
    ("relay", "RCPT", 451, "4.7.0 too many messages from your network, slow down"),
    ("relay", "RCPT", 452, "4.3.1 Insufficient system storage"),
    ("relay", "RCPT", 421, "4.4.2 closing"),
    ("relay", "DATA end", 421, "shutting down"),
    ("relay", "DATA end", 550, "5.7.26 unauthenticated email is not accepted, DMARC policy of the domain"),
    ("relay", "DATA end", 550, "5.7.1 mail from your IP has a poor reputation"),
    ("relay", "DATA end", 451, "4.7.28 unusual rate of mail from your network"),
    # this mailbox, later
    ("soft", "RCPT", 552, "5.2.2 Mailbox full"),
    ("soft", "RCPT", 552, "Requested mail action aborted: exceeded storage allocation"),
    ("soft", "RCPT", 550, "mailbox is full"),
    ("soft", "RCPT", 552, "user over quota"),
    ("soft", "RCPT", 450, "4.2.0 <x@peer.test>: Recipient address rejected: Greylisted, see https://grey.test/"),
    ("soft", "RCPT", 451, "4.7.1 Greylisting in action, please come back later"),
    ("soft", "RCPT", 450, "4.2.1 the user you are writing to is receiving mail at a rate too high"),
    ("soft", "RCPT", 550, "5.2.1 the user you are writing to is receiving mail too quickly"),
    ("soft", "RCPT", 450, "mailbox busy"),
    ("soft", "RCPT", 450, "4.1.1 unverified address"),
    ("soft", "RCPT", 550, "Requested action not taken: mailbox unavailable"),
    ("soft", "RCPT", 553, "mailbox name not allowed"),
    ("soft", "RCPT", 550, "5.3.0 something is wrong"),
    ("soft", "RCPT", 550, "access denied"),
    ("soft", "RCPT", 550, ""),
    ("soft", "DATA end", 451, "4.3.0 temporary failure of the filter, try again"),
    ("soft", "DATA end", 552, "5.2.2 over quota"),
    # this message
    ("message", "MAIL", 552, "5.3.4 message size exceeds the fixed limit"),
    ("message", "MAIL", 552, "message too large"),
    ("message", "RCPT", 553, "5.6.7 internationalized address needs SMTPUTF8"),
    ("message", "RCPT", 552, "5.2.3 message length exceeds administrative limit"),
    ("message", "DATA end", 552, "5.3.4 Message size exceeds fixed limit"),
    ("message", "DATA end", 554, "5.7.1 Message contains spam or malware"),
    ("message", "DATA end", 554, "5.6.0 malformed message"),
    ("message", "DATA end", 550, "content rejected"),
    ("message", "DATA end", 554, "transaction failed"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("meaning", "moment", "code", "text"),
    [pytest.param(*case, id=f"{case[1]} {case[2]} {case[3][:40]}") for case in CASES],
)
def test_meaning(meaning: Meaning, moment: Moment, code: int, text: str) -> None:
    """Whoever is to wait, to pay or to leave is the one the server spoke of."""
    assert meaning_of(moment, Reply(code, text)) == meaning


@pytest.mark.parametrize("moment", ["connect", "EHLO", "STARTTLS", "AUTH", "MAIL"])
@pytest.mark.parametrize("code", [421, 450, 451, 454, 500, 530, 535, 550, 554])
def test_nobody_is_blamed_before_they_are_named(moment: Moment, code: int) -> None:
    """Until RCPT no recipient has been spoken of, whatever the text says."""
    assert meaning_of(moment, Reply(code, "5.1.1 No such user")) == "relay"


@pytest.mark.parametrize("moment", ["RCPT", "DATA", "DATA end"])
@pytest.mark.parametrize("code", [421, 450, 451, 452, 454])
def test_a_temporary_reply_is_never_a_bounce(moment: Moment, code: int) -> None:
    """Whoever says later means later."""
    assert meaning_of(moment, Reply(code, "4.1.1 No such user")) in ("soft", "relay")
