"""Policy: who may be told a claim, written a second time for the judge of simulated days. Pure.

It shares no line with the bot's own, and knows organisations by the script alone.
"""

from collections.abc import Iterable
from datetime import datetime

from bot.simulation.world import HOST, LABELS, STRICT, UNREADABLE, Claim, Party

# Which part an organisation must play to be told.
_TOLD = {
    "TLP:CLEAR": {"stranger", "registered", "community", "constituent", "addressed"},
    "TLP:GREEN": {"community", "constituent", "addressed"},
    "TLP:AMBER": {"constituent", "addressed"},
    "TLP:AMBER+STRICT": {"addressed"},
    "TLP:RED": {"addressed"},
}


class Policy:
    """Who may be told a claim, by the script's own world."""

    def __init__(self, parties: Iterable[Party]) -> None:
        self._parties = {party.slug: party for party in parties}

    def reaches(self, org: str, claim: Claim, at: datetime, *, revoked: bool, narrowed: bool) -> bool:
        """Whether that organisation may know of it."""
        if org in (HOST, claim.source) and (org == HOST or self._is_in_force(org, at)):
            return True
        if revoked or claim.label == UNREADABLE or org in claim.never_to:
            return False
        parts = self._parts(org, claim, at)
        if claim.only_orgs is not None and org not in claim.only_orgs:
            return False
        if parts == {"stranger"} and claim.never_to:
            return False
        return bool(parts & _TOLD[self.label(claim, narrowed=narrowed)])

    def label(self, claim: Claim, *, narrowed: bool = False) -> str:
        """The label that counts; one that nobody wrote is the source's default, or the strictest."""
        if claim.label == UNREADABLE:  # for source and host alone
            return STRICT
        label = claim.label or self._parties[claim.source].default_label or STRICT
        return max(label, STRICT, key=LABELS.index) if narrowed else label

    def _parts(self, org: str, claim: Claim, at: datetime) -> set[str]:
        party = self._parties.get(org)
        if party is None or not self._is_in_force(org, at):
            return {"stranger"}
        parts = {"registered", "stranger"}
        if party.in_community:
            parts.add("community")
        if party.is_constituent:
            parts.add("constituent")
        if org in claim.addressed_to:
            parts.add("addressed")
        return parts

    def _is_in_force(self, org: str, at: datetime) -> bool:
        party, day = self._parties[org], at.date()
        began = party.since is None or party.since <= day
        return began and (party.until is None or day <= party.until)
