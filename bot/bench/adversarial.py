"""Texts made to hang an extractor: one token repeated, alone or behind the beginning of an address."""

import time
from typing import NamedTuple

from bot.extraction import extract

SHORT, LONG = 100_000, 1_000_000  # bytes
LONG_FORMS = 70  # so many of the slowest are tried at the long length

# Every class of character that some pattern repeats, every opener without its closer, every beginning of an
# address without its end. What cannot be seen is written as an escape.
_TOKENS = r"""
a A 0 f . - _ @ : / \ [ ( { < ] ) } > | & % + = ' " ` * ~ , ; ! ? # $ ^ \x20 \n \t \r\n \u00e9 \u0430.
\u200b \u200ba \uff0e a\u3002 \ufeff. \U0001f600 \ue000 a\ue000
a. a- -a a_ _a a@ a+ a= a: a/ a| a, a; ..a a.. .- -. ._ 1. 1.1.1.1 1.1.1.1. 1.1.1.1/ 1.1.1.1/2 1.1.1.1:
255. 1: f: :: f:: :1 [::1 [.] (.) {.} [. .] \. a[.] a[. a.] a\. [dot] \x20[dot]\x20 a\x20(dot)\x20 [at] a[at]
a\x20[at]\x20 [:] [://] [/] [\x20 (\x20.\x20) <.> [http]: h**p hxxp hxxp:// hxxp[:]// h\u200bxxp \/ a\/
http:// http:/ :// a:// http://a. http://a.com/ http://a.com, http://a.com/( http://a.com/[ http://[ http://a@
http://a.com?a[ http://\u00e9. hxxp://<http:// 'http://a.com/ +http://a.com+ <http:// <http://a| <http://a|b>
<mailto: <@ <! <#a| &amp; &amp &lt; evil.com evil.com\x20 evil.com/ evil.com@ evil.com: evil.com:8 evil.com?a=
evil.com/b.com/ a@b. a@b.com a@b.com, @a. %40 xn-- xn--a. x.py\n \nx.py\n _a.com_ com.a. a.b.java\x20 //a.com
CVE- CVE-2024- CVE-2024-1111 0x deadbeef deadbeef. d41d8cd98f00b204e9800998ecf8427e
d41d8cd98f00b204e9800998ecf8427e. d41d8cd98f00b204e9800998ecf8427e/ 1BoatSLRHtKNngkdXEeobR76b53LETtpyT
1A1z\x20 bc1q version\x20 ja3:\x20 version\x201.2.3.4\x20 v1.2.3.4 hash- a\b C:\a.com\ (a.com) a.com(
"""
_BEGINNINGS = ("http://a.com/", "a.com/", "a@", "<http://a.com|", "(http://a.com/", "hxxp://", "evil[.")
_ESCAPES = {r"\x20": " ", r"\n": "\n", r"\t": "\t", r"\r": "\r"}


class Timing(NamedTuple):
    """A form and the seconds that it took at both lengths."""

    name: str
    short_seconds: float
    long_seconds: float

    @property
    def growth(self) -> float:
        """How many times longer ten times the text took: 10 is linear."""
        return self.long_seconds / self.short_seconds


def forms() -> list[tuple[str, str, str]]:
    """A name, a beginning and the token that is repeated after it, for each form."""
    tokens = [(written, _unescaped(written)) for written in _TOKENS.split()]
    alone = [(written, "", token) for written, token in tokens]
    behind = [
        (f"{beginning} + {written}", beginning, token)
        for beginning in _BEGINNINGS
        for written, token in tokens
        if len(token) == 1
    ]
    return alone + behind


def text(beginning: str, token: str, size_bytes: int) -> str:
    """A text of at most `size_bytes` in UTF-8."""
    return beginning + token * ((size_bytes - len(beginning)) // len(token.encode()))


def timings() -> list[Timing]:
    """Time every form at the short length and the slowest of them at the long one, slowest first."""
    short = sorted(
        (
            (_seconds(text(beginning, token, SHORT)), name, beginning, token)
            for name, beginning, token in forms()
        ),
        reverse=True,
    )
    return [
        Timing(name, seconds, _seconds(text(beginning, token, LONG)))
        for seconds, name, beginning, token in short[:LONG_FORMS]
    ]


def _seconds(text: str) -> float:
    """Processor time, so that other work on the machine does not count."""
    begin = time.process_time()
    extract(text)
    return time.process_time() - begin


def _unescaped(written: str) -> str:
    if r"\u" in written or r"\U" in written:
        return written.encode("ascii").decode("unicode_escape")
    for escape, character in _ESCAPES.items():
        written = written.replace(escape, character)
    return written
