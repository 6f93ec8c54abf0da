"""recent: the newest of what the readers may see."""

import re
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches

from bot.assertions import Assertion
from bot.chat import Ask, Command, Recent
from bot.errors import UsageError
from bot.indicators import Kind
from bot.lookups import as_of
from bot.services import Services
from bot.sharing import clear, may_release

SHOWN = 25
LONGEST_DAYS = 30
_PERIOD = re.compile(r"([0-9]{1,4})([a-z])", re.ASCII)
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1)}


@dataclass(frozen=True)
class Wanted:
    """What `recent` was asked for."""

    period: str = "24h"
    length: timedelta = timedelta(days=1)
    kind: Kind | None = None
    family: str | None = None

    def __str__(self) -> str:
        return " · ".join(filter(None, (self.period, self.kind, self.family)))


async def run(ask: Ask, services: Services) -> Recent:
    """The newest visible assertions. Hidden ones neither push others out nor change what is said of more."""
    wanted = wish(ask.text)
    kept: list[Assertion] = []
    since = ask.world.now - wanted.length
    store = services.store
    pages = store.newest(since=since, kind=wanted.kind, family=wanted.family, may_be_stale=True)
    async for page in pages:
        kept += [each for each in page if may_release(each, ask.audience, ask.world).release]
        if len(kept) > SHOWN:
            break
    cleared = clear(kept[:SHOWN], ask.audience, ask.world)
    known_at = as_of(store, ask.world.now)
    return Recent(period=str(wanted), cleared=cleared, more=len(kept) > SHOWN, as_of=known_at)


def wish(text: str) -> Wanted:
    """Read `[24h|7d] [kind] [family]`, in any order. Raises UsageError."""
    words = text.split()
    periods = [word for word in words if _PERIOD.fullmatch(word.lower())]
    kinds = [word for word in words if _kind(word)]
    if len(periods) > 1 or len(kinds) > 1:
        raise UsageError("One period and one kind at a time, for example “recent 7d domain”.")
    family = " ".join(word for word in words if word not in (*periods, *kinds))[:100]
    if meant := get_close_matches(family.lower(), Kind, n=1, cutoff=0.75):
        raise UsageError(f"If you mean the kind, type it in full, for example “recent 7d {meant[0]}”.")
    wanted = Wanted(kind=_kind(kinds[0]) if kinds else None, family=family or None)
    return _within(periods[0].lower(), wanted) if periods else wanted


def _within(period: str, wanted: Wanted) -> Wanted:
    number, unit = int(period[:-1]), _UNITS.get(period[-1])
    if unit is None or not timedelta() < number * unit <= timedelta(days=LONGEST_DAYS):
        raise UsageError(f"A period is 1h to {LONGEST_DAYS}d, for example “recent 24h” or “recent 7d”.")
    return Wanted(period=period, length=number * unit, kind=wanted.kind, family=wanted.family)


def _kind(word: str) -> Kind | None:
    """The kind of that name, also in the plural."""
    name = word.lower()
    return next((kind for kind in Kind if name in (kind.value, kind.value + "s")), None)


COMMAND = Command(
    verb="recent",
    usage="recent [24h|7d] [kind] [family]",
    summary=f"the newest indicators, at most {SHOWN}; kinds are {', '.join(Kind)}",
    run=run,
    examples=("recent", "recent 7d domain", "recent 24h sha256 Emotet"),
    needs_writes=False,
)
