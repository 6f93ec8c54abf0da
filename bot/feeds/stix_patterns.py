"""STIX patterns: the exact values one names, and whether each of them condemns on its own.

https://docs.oasis-open.org/cti/stix/v2.1/os/stix-v2.1-os.html#_e8slinrhxcc9
A tokenizer and a small recursive parser; anything negated is refused as a whole, because a value that
must NOT be there would otherwise read as an indicator.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from bot.errors import InputError
from bot.indicators import Kind

_Item = TypeVar("_Item")

MAX_LENGTH = 1_000_000  # characters
_MAX_DEPTH = 64


@dataclass(frozen=True)
class Named:
    """One exact value in a pattern."""

    kind: Kind  # as the pattern says; any hash is said to be a SHA-256
    value: str
    alone: bool = True  # False: it is only one of several things that must be seen together
    file: int | None = None  # equal for the hashes of one file


def read(pattern: str) -> list[Named]:
    """The exact values a pattern names, in order. Raises InputError if it has none or is negated."""
    if len(pattern) > MAX_LENGTH:
        raise InputError(f"a pattern longer than {MAX_LENGTH:,} characters")
    parser = _Parser(_tokens(pattern))
    alternatives = parser.pattern()
    if not alternatives:
        raise InputError(f"no exact value of a kind that is kept ({', '.join(parser.passed) or 'empty'})")
    return [
        replace(named, file=number if group.is_one_file else None)
        for number, group in enumerate(alternatives)
        for named in group.values
    ]


@dataclass(frozen=True)
class _Group:
    """Values that must be met together; `roots` are the types of object they belong to."""

    values: tuple[Named, ...]
    roots: frozenset[str]

    @property
    def is_one_file(self) -> bool:
        return len(self.values) > 1 and self.roots <= {"file", "artifact"} and len(self.roots) == 1


_TOKEN = re.compile(
    r"""\s*+(?:
      (?P<path>[A-Za-z0-9-]++:(?:[\w-]++|'(?:[^'\\]|\\.)*+')
          (?:\.(?:[\w-]++|'(?:[^'\\]|\\.)*+'|"[^"]*+")|\[(?:\*|[0-9]++)\])*+)
    | (?P<text>'(?:[^'\\]|\\.)*+')
    | (?P<other>[tbh]'(?:[^'\\]|\\.)*+'|[+-]?[0-9]++(?:\.[0-9]++)?)
    | (?P<word>[A-Za-z]++)
    | (?P<sign><=|>=|!=|==|<>|[=<>\[\](),])
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True)
class _Token:
    kind: str  # path, text, other, word, sign, end
    text: str


_END = _Token("end", "")


def _tokens(pattern: str) -> Iterator[_Token]:
    position, end = 0, len(pattern.rstrip())
    while position < end:
        found = _TOKEN.match(pattern, position, end)
        if found is None or found.lastgroup is None:
            raise InputError(f"not a STIX pattern at character {position + 1}")
        text = found[found.lastgroup]
        yield _Token(found.lastgroup, text.upper() if found.lastgroup == "word" else text)
        position = found.end()


class _Parser:
    """One pass over the tokens; each method reads one rule of the grammar and gives its alternatives."""

    def __init__(self, tokens: Iterator[_Token]) -> None:
        self._tokens = tokens
        self._next = next(tokens, _END)
        self._depth = 0
        self.passed: dict[str, None] = {}  # what was compared but is not kept, for the reason of a refusal

    def pattern(self) -> list[_Group]:
        alternatives = self._observations()
        if self._next is not _END:
            raise InputError("not a STIX pattern: something stands behind its end")
        return alternatives

    def _observations(self) -> list[_Group]:
        """Observations joined by OR stand alone; AND and FOLLOWEDBY need them all."""
        alternatives, together = [*self._observation()], False
        while self._next.kind == "word":
            word = self._take().text
            if word in ("AND", "FOLLOWEDBY"):
                together = True
            elif word != "OR":
                self._qualifier(word)
                continue
            alternatives.extend(self._observation())
        return _context(alternatives) if together and len(alternatives) > 1 else alternatives

    def _qualifier(self, word: str) -> None:
        """WITHIN 5 SECONDS, REPEATS 3 TIMES, START t'...' STOP t'...': when, not what."""
        if word not in ("WITHIN", "REPEATS", "START", "STOP", "SECONDS", "TIMES"):
            raise InputError(f"{word} is not known in a STIX pattern")
        if self._next.kind in ("other", "text"):
            self._take()

    def _observation(self) -> list[_Group]:
        if self._is_sign("("):
            return self._nested("(", self._observations, ")")
        return self._nested("[", self._any_of, "]")

    def _any_of(self) -> list[_Group]:
        alternatives = [*self._all_of()]
        while self._is_word("OR"):
            self._take()
            alternatives.extend(self._all_of())
        return alternatives

    def _all_of(self) -> list[_Group]:
        parts = [self._comparison()]
        while self._is_word("AND"):
            self._take()
            parts.append(self._comparison())
        return _together([part for part in parts if part])

    def _comparison(self) -> list[_Group]:
        if self._is_word("NOT"):
            raise InputError("a negated pattern names what is not there")
        if self._is_sign("("):
            return self._nested("(", self._any_of, ")")
        if self._is_word("EXISTS"):
            self._take()
            self.passed[self._expect("path").text[:80]] = None
            return []
        path = self._expect("path").text
        return self._compared(path, self._take())

    def _compared(self, path: str, operator: _Token) -> list[_Group]:
        if operator.text in ("NOT", "!=", "<>"):
            raise InputError("a negated pattern names what is not there")
        if operator.text in ("=", "==", "ISSUBSET"):
            return self._kept(path, [self._literal()], operator.text)
        if operator.text == "IN":
            return self._kept(path, self._nested("(", self._literals, ")"), "")
        if operator.text in ("LIKE", "MATCHES", "ISSUPERSET", "<", ">", "<=", ">="):
            self._literal()
            self.passed[f"{path[:80]} {operator.text}"] = None
            return []
        raise InputError("not a STIX pattern: a comparison is expected behind the object path")

    def _kept(self, path: str, literals: list[str | None], operator: str) -> list[_Group]:
        kind = Kind.CIDR if operator == "ISSUBSET" else kept(path)
        if kind is None:
            self.passed[path[:80]] = None
            return []
        root = path.partition(":")[0].lower()
        return [
            _Group((Named(kind, literal),), frozenset((root,))) for literal in literals if literal is not None
        ]

    def _literals(self) -> list[str | None]:
        found = [self._literal()]
        while self._is_sign(","):
            self._take()
            found.append(self._literal())
        return found

    def _literal(self) -> str | None:
        """The text of a string literal; None for a number, a time or the like."""
        token = self._take()
        if token.kind == "text":
            return _ESCAPE.sub(r"\1", token.text[1:-1])
        if token.kind == "other" or token.text in ("TRUE", "FALSE"):
            return None
        raise InputError("not a STIX pattern: a value is missing")

    def _nested(self, opening: str, rule: Callable[[], list[_Item]], closing: str) -> list[_Item]:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise InputError(f"nested deeper than {_MAX_DEPTH} levels")
        self._skip(opening)
        found = rule()
        self._skip(closing)
        self._depth -= 1
        return found

    def _skip(self, sign: str) -> None:
        if not self._is_sign(sign):
            raise InputError(f"not a STIX pattern: {sign} is expected")
        self._take()

    def _is_sign(self, text: str) -> bool:
        return self._next.kind == "sign" and self._next.text == text

    def _is_word(self, text: str) -> bool:
        return self._next.kind == "word" and self._next.text == text

    def _expect(self, kind: str) -> _Token:
        if self._next.kind != kind:
            raise InputError("not a STIX pattern: an object path such as url:value is expected")
        return self._take()

    def _take(self) -> _Token:
        token, self._next = self._next, next(self._tokens, _END)
        return token


def _together(parts: list[list[_Group]]) -> list[_Group]:
    """AND: hashes of a file and a domain with its address are one thing; else each is only context."""
    if len(parts) < 2:
        return parts[0] if parts else []
    groups = [group for part in parts for group in part]
    roots = frozenset(root for group in groups for root in group.roots)
    if len(roots) > 1:
        return _context(groups)
    if all(len(part) == 1 for part in parts):
        return [_Group(tuple(named for group in groups for named in group.values), roots)]
    return groups


def _context(groups: list[_Group]) -> list[_Group]:
    return [
        replace(group, values=tuple(replace(named, alone=False) for named in group.values))
        for group in groups
    ]


_PATHS = {
    "ipv4-addr:value": Kind.IPV4,
    "ipv6-addr:value": Kind.IPV6,
    "domain-name:value": Kind.DOMAIN,
    "hostname:value": Kind.DOMAIN,  # OpenCTI's own types, here and below
    "x-opencti-hostname:value": Kind.DOMAIN,
    "cryptocurrency-wallet:value": Kind.BTC,
    "url:value": Kind.URL,
    "email-addr:value": Kind.EMAIL,
    "vulnerability:name": Kind.CVE,
    "domain-name:resolves_to_refs.value": Kind.IPV4,
    "network-traffic:src_ref.value": Kind.IPV4,
    "network-traffic:dst_ref.value": Kind.IPV4,
    "email-message:from_ref.value": Kind.EMAIL,
    "email-message:sender_ref.value": Kind.EMAIL,
    "email-message:to_refs.value": Kind.EMAIL,
    "email-message:cc_refs.value": Kind.EMAIL,
}
_INDEX = re.compile(r"\[(?:\*|[0-9]+)\]")
_HASH_PATH = re.compile(r"[a-z-]+:(?:(?:[a-z_]+\.)*[a-z_]+_refs?\.)?hashes\.(?P<algorithm>.+)")
_HASHED = ("file", "artifact", "process", "email-message")
ALGORITHMS = frozenset(("md5", "sha1", "sha224", "sha256", "sha384", "sha512"))


def algorithm(text: str) -> str:
    """The name of a hash algorithm in one spelling: SHA-256, sha256, 'SHA256' are one."""
    return "".join(letter for letter in text.lower() if letter.isalnum())


def kept(path: str) -> Kind | None:
    """The kind of indicator an object path holds; None for what is not kept."""
    plain = _INDEX.sub("", path).lower()
    found = _HASH_PATH.fullmatch(plain)
    if found is None:
        return _PATHS.get(plain)
    known = plain.partition(":")[0] in _HASHED and algorithm(found["algorithm"]) in ALGORITHMS
    return Kind.SHA256 if known else None
