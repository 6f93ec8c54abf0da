"""Enquiry: what one person wants to know of external services, and which of them may be asked. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot import tlp
from bot.assertions import Assertion
from bot.errors import InputError, UsageError
from bot.extraction import host_of
from bot.indicators import Indicator, Kind
from bot.sharing import Audience, World, may_release, visible
from bot.tlp import Label, Pap, strictest

UNDECLARED = Label.GREEN  # of a question about something that the asker sees no claim about

# "tlp:amber", "TLP: AMBER STRICT", "pap=red", and "TLP AMBER", but nothing within an address.
_MARKING = re.compile(
    r"""(?<![^\s,;|<>"'`*_(\[])(?P<scheme>tlp|pap)
      (?: \s{0,3} [:=\uff1a] \s{0,3} (?P<said>[^\s,;|<>"'`*()\[\]]{0,40})
        | \s{1,3} (?P<bare>white|clear|green|amber|red)(?!\w) )
      (?P<strict>[\s_+-]{1,3}strict(?!\w))?""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True)
class Declared:
    """How the asker marked the question: "tlp:amber", "pap:red"."""

    label: Label | None = None
    pap: Pap | None = None


NOTHING_DECLARED = Declared()


def declared(text: str) -> Declared:
    """The markings that stand in a text; the strictest of several counts. Raises UsageError."""
    labels, paps = [], []
    for found in _MARKING.finditer(text):
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
    return _MARKING.sub(lambda found: " " * len(found[0]), text)


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


class Gate:
    """Judges from what the asker may see and declared, never from what is hidden from the asker."""

    def __init__(self, enquiry: Enquiry) -> None:
        self._enquiry = enquiry
        about = {each: _and_host(each) for each in enquiry.indicators}
        asked = {one for each in about.values() for one in each}
        seen = visible(enquiry.stored, enquiry.asker, enquiry.world, asked=asked)
        self._claims = {
            each: _question(each, enquiry, [c for one in about[each] for c in seen[one]]) for each in about
        }

    def judge(self, indicator: Indicator, provider: Audience) -> Permit:
        """Whether this service may be asked about it; the strictest marking involved decides."""
        claims, world = self._claims[indicator], self._enquiry.world
        label = strictest(claim.label for claim in claims)
        if self._enquiry.org not in world.own_queries:
            return Permit(False, "its organisation did not agree that its questions go to services", label)
        refused = (may_release(claim, provider, world) for claim in claims)
        reason = next((decision.reason for decision in refused if not decision.release), "")
        return Permit(not reason, reason, label)

    def label(self, indicator: Indicator) -> Label:
        """The strictest label involved."""
        return strictest(claim.label for claim in self._claims[indicator])


def _and_host(indicator: Indicator) -> list[Indicator]:
    """A question about a URL tells of its host, too."""
    host = host_of(indicator) if indicator.kind is Kind.URL else None
    return [indicator, *([host] if host is not None else [])]


def _question(indicator: Indicator, enquiry: Enquiry, claims: Iterable[Assertion]) -> list[Assertion]:
    """The claims that the asker sees, and the question itself as a claim of whoever asks."""
    claims = list(claims)
    label = enquiry.declared.label
    if label is None:
        label = Label.CLEAR if claims else UNDECLARED
    question = Assertion(indicator=indicator, source=enquiry.org, label=label, pap=enquiry.declared.pap)
    return [question, *claims]
