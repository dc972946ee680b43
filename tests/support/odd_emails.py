"""Messages in states that no mail program should send, by what is odd about them."""

import random
from collections.abc import Iterator

from support.dashboard_rows import letter

_HTML = b"Content-Type: text/html; charset=%s\r\n\r\n<p>Zo\xc3\xab</p>"
_PART = b'--x\r\nContent-Disposition: attachment; filename="a.txt"\r\n\r\nabc\r\n'
_MIXED = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"

ODD: dict[str, bytes] = {
    "nothing": b"",
    "no header": b"hello",
    "unknown charset": _HTML % b"nonsense",
    "charset of domain names": _HTML % b"punycode",
    "charset that always fails": _HTML % b"undefined",
    "charset that is no text": _HTML % b"base64",
    "charset with a NUL": _HTML % b"utf-8\0",
    "charset without an end": _HTML % (b'"' + b"x" * 100_000),
    "charset in RFC 2231 of nothing": b"Content-Type: text/html; charset*=a\0b''%ff\r\n\r\n<p>x",
    "half a surrogate pair": b"Content-Type: text/html; charset=utf-7\r\n\r\n+2AA-",
    "NULs": b"Subject: a\0b\r\nContent-Type: text/html\r\n\r\n<p>a\0b",
    "base64 that is none": b"Content-Transfer-Encoding: base64\r\n\r\n!!!",
    "base64 cut off": b"Content-Transfer-Encoding: base64\r\n\r\nQUJDR",
    "wrong transfer encoding": b"Content-Transfer-Encoding: quoted-printable\r\n\r\n=\xff=ZZ=",
    "unknown transfer encoding": b"Content-Transfer-Encoding: rot13\r\n\r\nuryyb",
    "uuencoded": b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 x\r\nM" + b"A" * 50,
    "8-bit headers": b"Subject: \xff\xfe\r\nFrom: \x80 <a@\xe9>\r\nX-\xff: y\r\n\r\nhello",
    "broken encoded words": b"Subject: =?utf-8?b?A?= =?martian?q?x?= =?utf-8?q?=ff?=\r\n\r\nhello",
    "no boundary": b"Content-Type: multipart/mixed; boundary=\r\n\r\n--\r\nhello",
    "a boundary that never comes": b"Content-Type: multipart/mixed; boundary=y\r\n\r\nhello",
    "cut off within a part": _MIXED + b"--x\r\nContent-Type: text/html\r\n\r\n<p>hel",
    "parts without anything": _MIXED + b"--x\r\n--x\r\n--x--\r\n",
    "a file name without end": _MIXED
    + b"--x\r\nContent-Disposition: attachment; filename*9999999999=a\r\n\r\n",
    "a huge number of a piece": b"Content-Type: text/plain; a*" + b"9" * 5000 + b"=b\r\n\r\nhello",
    "multiparts in each other": b"".join(
        b"Content-Type: multipart/mixed; boundary=x%d\r\n\r\n--x%d\r\n" % (depth, depth)
        for depth in range(3000)
    ),
    "one line of a megabyte": b"Subject: x\r\n\r\n" + b"x" * 1_000_000,
    "a header of a megabyte": b"Subject: " + b"=?a?q?" * 160_000 + b"\r\n\r\nhello",
    "parameters without end": b'Content-Type: text/plain; a="' + b";" * 60_000 + b'"\r\n\r\nhello',
    "80,000 files": _MIXED + _PART * 80_000 + b"--x--\r\n",
    "heads without an end": b"Content-Type: text/html\r\n\r\n" + b"<head " * 20_000,
}


def mutated(count: int, seed: int) -> Iterator[bytes]:
    """A sound message with pieces of it lost, doubled, swapped or replaced."""
    chance = random.Random(seed)
    sound = letter("Größe", "ada@example.com")
    for _ in range(count):
        raw = bytearray(sound)
        for _ in range(chance.randint(1, 6)):
            at, length = chance.randrange(len(raw)), chance.randint(1, 40)
            piece = bytes(raw[at : at + length])
            match chance.randrange(4):
                case 0:
                    del raw[at : at + length]
                case 1:
                    raw[at:at] = piece * chance.randint(1, 3)
                case 2:
                    raw[at : at + length] = chance.randbytes(length)
                case _:
                    other = chance.randrange(len(raw))
                    raw[other:other] = piece
        yield bytes(raw)
