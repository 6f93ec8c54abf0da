"""What external services said, told to those who may know: by the marking of the question, and by the terms
under which the service tells us. Pure.
"""

from collections.abc import Iterable
from dataclasses import replace

import msgspec

from bot.assertions import NOBODY, Assertion
from bot.findings import Finding, Outcome
from bot.indicators import Indicator
from bot.sharing import Audience, Cleared, World, may_release
from bot.tlp import Label


def tell(cleared: Cleared, findings: Iterable[Finding], asker: str, world: World) -> Cleared:
    """The same with those findings its audience may see; `asker` is the organisation that had them fetched.

    A finding is treated as two claims of the host: that somebody asked, addressed to whoever asked, and what
    the service said, under its terms and addressed to nobody. Why a service was not asked, and that it does
    not take the host's key, is for the host alone to read.
    """
    told = (each for each in findings if _may_tell(each, cleared.audience, asker, world))
    is_for_host = _is_for_host(cleared.audience, world)
    return replace(cleared, findings=tuple(each if is_for_host else _as_partners_read(each) for each in told))


def may_hear(terms: Label, indicator: Indicator, audience: Audience, world: World) -> bool:
    """Whether this audience may be told what a service with such terms says."""
    return may_release(_claim(indicator, terms, world), audience, world).release


def _may_tell(finding: Finding, audience: Audience, asker: str, world: World) -> bool:
    question = _claim(finding.indicator, finding.label, world, to=frozenset({asker}))
    hears = may_hear(finding.terms, finding.indicator, audience, world)
    return hears and may_release(question, audience, world).release


def _claim(indicator: Indicator, label: Label, world: World, *, to: frozenset[str] = NOBODY) -> Assertion:
    return Assertion(indicator=indicator, source=world.host, label=label, addressed_to=to)


def _is_for_host(audience: Audience, world: World) -> bool:
    is_uncertain = audience.public or audience.pending_invite or not audience.fresh
    return audience.orgs == {world.host} and not is_uncertain


def _as_partners_read(finding: Finding) -> Finding:
    outcome = Outcome.UNAVAILABLE if finding.outcome is Outcome.AUTH else finding.outcome
    return msgspec.structs.replace(finding, outcome=outcome, reason="")
