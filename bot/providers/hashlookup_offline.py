"""CIRCL hashlookup without asking anybody: a Bloom filter of all files that it knows."""

import asyncio
from pathlib import Path

from bot.errors import ConfigError
from bot.findings import Outcome, Report
from bot.indicators import Indicator, Kind
from bot.providers.bloom import BloomFilter
from bot.providers.options import Options, as_run
from bot.providers.spec import NoAnswerError, Spec
from bot.tlp import Label

# A name of its own: both forms can be on, and whatever may not be asked online is still looked for here.
SPEC = Spec(
    name="hashlookup-offline",
    title="CIRCL hashlookup (offline)",
    kinds=frozenset({Kind.SHA1}),  # CIRCL's filter holds no other hashes
    ceiling=Label.RED,
    asks_nobody=True,
    label=Label.CLEAR,
)


class HashlookupOffline:
    """A `spec.Source` over https://cra.circl.lu/hashlookup/hashlookup-full.bloom, or any filter like it.

    Replace the file by moving a new one into its place, then start Liaison again.
    """

    def __init__(self, options: Options) -> None:
        self.spec = as_run(SPEC, options)
        self._path: Path | None = options.file
        self._filter: BloomFilter | None = None

    async def open(self) -> None:
        """Open the file. Raises ConfigError."""
        if self._path is None:
            raise ConfigError(
                [f'[provider.{SPEC.name}] needs file = "...", the path of hashlookup-full.bloom of CIRCL.']
            )
        self._filter = await asyncio.to_thread(BloomFilter, self._path)

    async def ask(self, indicator: Indicator) -> Report | None:
        """Whether the file is probably a known one. Raises NoAnswerError."""
        known = self._filter
        if known is None:
            raise NoAnswerError(Outcome.UNAVAILABLE)
        try:
            # In a thread: each of its reads may have to wait for a disk.
            is_known = await asyncio.to_thread(known.__contains__, indicator.value.upper().encode())
        except (OSError, ValueError):  # the file was shortened or closed meanwhile
            raise NoAnswerError(Outcome.UNAVAILABLE) from None
        return _report(known.header.false_positives) if is_known else None

    async def close(self) -> None:
        """Close the file."""
        if self._filter is not None:
            self._filter.close()


def _report(false_positives: float) -> Report:
    """A hit says "seen before" and no more, so nobody is vouched for.

    The collection holds malicious files too, trust is not in the filter, and a few hits are by chance.
    """
    return Report(
        facts=(
            ("known file", "in the collection of CIRCL hashlookup, good or bad"),
            ("wrong by chance", f"for {100 * false_positives:.2g} % of unknown files"),
        )
    )
