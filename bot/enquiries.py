"""Enquiry: what one person wants to know of external services, and which of them may be asked. Pure."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from bot import tlp
from bot.assertions import Assertion, marking
from bot.errors import InputError, UsageError
from bot.implied import implied
from bot.indicators import Indicator
from bot.sharing import Audience, World, may_release, visible
from bot.telling import may_hear
from bot.tlp import Label, Pap, strictest

UNDECLARED = Label.GREEN  # of a question about something that the asker sees no claim about

# "tlp:amber", "TLP: AMBER STRICT", "pap=red", "TLP 2.0 AMBER", "#tlp-red": a marking that is overlooked lets
# the question out, so only what stands within an address is none.
_MARKING = re.compile(
    r"""(?<![^\W_])(?P<scheme>tlp|pap)(?:[\s_-]?v?2(?:\.0)?)?
      (?: \s{0,20} [:=] \s{0,20} (?P<said>[^\s,;|<>"'`*()\[\]{}~\u201c\u201d\u2018\u2019\xab\xbb]{0,40})
        | [\s_/>\u2192\u2013\u2014-]{1,20} (?P<bare>white|clear|green|amber|red)(?!\w|[.@]\w|-(?!strict)\w) )
      (?P<strict>[\s_+-]{1,3}strict(?!\w))?""",
    re.VERBOSE | re.IGNORECASE,
)
_TOKEN_END = re.compile(r"""[\s,;|<>"'`*_(\[{]|[^\x00-\x7f]""")
_OF_ADDRESS = re.compile(r"[./?@%\\]")
_LONGEST_START = 300  # characters of an address before something that looks like a marking
_WIDE = {0xFF01 + offset: 0x21 + offset for offset in range(0x5E)}  # as Japanese keyboards type


@dataclass(frozen=True)
class Declared:
    """How the asker marked the question: "tlp:amber", "pap:red"."""

    label: Label | None = None
    pap: Pap | None = None


NOTHING_DECLARED = Declared()


def declared(text: str) -> Declared:
    """The markings that stand in a text; the strictest of several counts. Raises UsageError."""
    labels, paps = [], []
    for found in _markings(text):
        said = (found["said"] or found["bare"] or "").rstrip(".:!?") + ("+strict" if found["strict"] else "")
        try:
            if found["scheme"].lower() == "tlp":
                labels.append(tlp.parse(said))
            else:
                paps.append(tlp.parse_pap(said))
        except InputError:
            raise UsageError(_unreadable(found["scheme"], said)) from None
    return Declared(max(labels, default=None), max(paps, default=None))


def unmarked(text: str) -> str:
    """The same text with spaces in the place of its markings: everything else stays where it is."""
    left, end = "", 0
    for found in _markings(text):
        left += text[end : found.start()] + " " * len(found[0])
        end = found.end()
    return left + text[end:]


def _markings(text: str) -> list[re.Match[str]]:
    found = _MARKING.finditer(text.translate(_WIDE))
    return [each for each in found if not _is_within_address(each)]


def _is_within_address(found: re.Match[str]) -> bool:
    before = found.string[max(0, found.start() - _LONGEST_START) : found.start()]
    start = _TOKEN_END.split(before)[-1]
    return len(start) == _LONGEST_START or _OF_ADDRESS.search(start) is not None


def _unreadable(scheme: str, said: str) -> str:
    levels = Label if scheme.lower() == "tlp" else Pap
    written = f"{scheme.lower()}:{said}"
    choice = ", ".join(map(str, levels))
    return f"“{written}” is no marking, so nobody was asked. Write one of {choice}, or none."


@dataclass(frozen=True, kw_only=True)
class Enquiry:
    """One question to all services that answer such kinds."""

    indicators: tuple[Indicator, ...]
    asker: Audience  # whoever asks, alone: one organisation, one person, ephemeral
    world: World
    stored: Sequence[Assertion]  # what the store holds about them, not cleared yet
    declared: Declared = NOTHING_DECLARED
    on_purpose: bool = False  # asked with `enrich`, so it may use what is held in reserve

    @property
    def org(self) -> str:
        """The organisation that asks."""
        [org] = self.asker.orgs
        return org


@dataclass(frozen=True)
class Permit:
    """Whether a service may be asked; `label` is the strictest one involved."""

    granted: bool
    reason: str  # for the host's eyes only
    label: Label
    may_hear: bool = True  # the service's terms let the asker know what it says


class Gate:
    """Judges from what the asker may see and declared, never from what is hidden from the asker."""

    def __init__(self, enquiry: Enquiry) -> None:
        self._enquiry = enquiry
        seen = _of_same_files(_seen(enquiry))
        self._claims = {each: _question(each, enquiry, seen) for each in enquiry.indicators}

    def judge(self, indicator: Indicator, provider: Audience, terms: Label = Label.CLEAR) -> Permit:
        """Whether this service may be asked about it; the strictest marking involved decides.

        `terms` is how far the service lets its answers travel.
        """
        hears = may_hear(terms, indicator, self._enquiry.asker, self._enquiry.world)
        reason = self._refusal(indicator, provider)
        if not reason and not hears:
            reason = "its terms do not let the asker know its answers"
        label = strictest(claim.label for claim in self._claims[indicator])
        return Permit(not reason, reason, label, hears)

    def _refusal(self, indicator: Indicator, provider: Audience) -> str:
        """Why the question may not leave; "" if it may."""
        world = self._enquiry.world
        if self._enquiry.org not in world.own_queries:
            return "its organisation did not agree that its questions go to services"
        judged = (may_release(claim, provider, world) for claim in self._claims[indicator])
        # of several reasons always the same one: the order of claims may come from what is hidden
        return min((decision.reason for decision in judged if not decision.release), default="")


def unread(enquiry: Enquiry, read: Collection[Indicator]) -> list[Indicator]:
    """What else the store must be asked about before the gate judges, beside what was read already.

    First what the question implies; then hashes that the asker sees are of the same file, of which other
    sources may have said more.
    """
    implications = [one for each in enquiry.indicators for one in (each, *implied(each))]
    hashes = [claim.indicator for claims in _seen(enquiry).values() for claim in claims]
    return [each for each in dict.fromkeys(implications + hashes) if each not in read]


def _seen(enquiry: Enquiry) -> dict[Indicator, list[Assertion]]:
    """What the asker sees of everything that the store said something about, and of the same files."""
    told_of = {claim.indicator for claim in enquiry.stored}
    return visible(enquiry.stored, enquiry.asker, enquiry.world, asked=told_of)


def _question(
    indicator: Indicator, enquiry: Enquiry, seen: Mapping[Indicator, Sequence[Assertion]]
) -> list[Assertion]:
    """The claims that the asker sees, and the question itself as a claim of whoever asks.

    What is said of a whole host, file or network does not make each thing in it as well known.
    """
    label = enquiry.declared.label
    if label is None:
        label = Label.CLEAR if seen.get(indicator) else UNDECLARED
    question = Assertion(indicator=indicator, source=enquiry.org, label=label, pap=enquiry.declared.pap)
    told = [indicator, *implied(indicator)]
    return [question, *{id(claim): claim for one in told for claim in seen.get(one, ())}.values()]


def _of_same_files(seen: Mapping[Indicator, Sequence[Assertion]]) -> dict[Indicator, Sequence[Assertion]]:
    """The same, also with hashes that others say are of the same file; of equal markings one.

    All hashes of a file have the same list, so that each is worked out once however many are asked about.
    """
    of_all: dict[Indicator, Sequence[Assertion]] = {}
    for first in seen:
        if first in of_all:
            continue
        told, waiting = {first}, [first]
        claims: dict[tuple[object, ...], Assertion] = {}
        while waiting:
            for claim in seen.get(waiting.pop(), ()):
                claims.setdefault(marking(claim), claim)
                if claim.indicator not in told:
                    told.add(claim.indicator)
                    waiting.append(claim.indicator)
        of_all |= dict.fromkeys(told, tuple(claims.values()))
    return of_all
