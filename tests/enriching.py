"""External services that answer when a test says so, behind the real gate's interface."""

import asyncio
from collections.abc import Iterable

import msgspec

from bot.enquiries import Enquiry
from bot.findings import Finding, Outcome, Report
from bot.indicators import Indicator
from bot.services import Standing
from bot.tlp import Label
from bot.verdicts import Verdict

SERVICES = ("VirusTotal", "OpenTIP", "MalwareBazaar", "ThreatFox", "URLhaus", "Hashlookup")


class Script:
    """An `Enrichment` whose services stay silent until `answer`; `remembered` is what was heard before."""

    def __init__(self, *services: str, is_on: bool = True) -> None:
        self.services = services or SERVICES[:2]
        self.is_on = is_on
        self.enquiries: list[Enquiry] = []
        self.inquiries: list[Asked] = []
        self.known: list[Finding] = []
        self.standings: list[Standing] = []
        self.is_closed = False
        self.asked = asyncio.Event()

    async def enquire(self, enquiry: Enquiry) -> "Asked":
        self.enquiries.append(enquiry)
        asked = Asked(enquiry.indicators, self.services)
        self.inquiries.append(asked)
        self.asked.set()
        return asked

    async def remembered(self, enquiry: Enquiry) -> tuple[Finding, ...]:
        return tuple(self.known)

    async def standing(self, org: str) -> list[Standing]:
        return self.standings or [
            Standing(provider=service.lower(), title=service, is_on=self.is_on) for service in self.services
        ]

    async def close(self) -> None:
        self.is_closed = True

    def answer(self, *services: str, outcome: Outcome = Outcome.FOUND) -> None:
        """Let these services of the last enquiry answer."""
        self.inquiries[-1].answer(services or self.services, outcome)


class Asked:
    """An `Inquiry`."""

    def __init__(self, indicators: Iterable[Indicator], services: Iterable[str]) -> None:
        pending = [
            Finding(indicator=each, provider=service.lower(), title=service, outcome=Outcome.PENDING)
            for each in indicators
            for service in services
        ]
        self.findings: tuple[Finding, ...] = tuple(pending)
        self._news = asyncio.Event()

    @property
    def is_done(self) -> bool:
        return all(finding.outcome is not Outcome.PENDING for finding in self.findings)

    async def changed(self) -> None:
        await self._news.wait()
        self._news.clear()

    def answer(self, services: Iterable[str], outcome: Outcome) -> None:
        said = set(services)
        self.findings = tuple(
            _answered(finding, outcome) if finding.title in said else finding for finding in self.findings
        )
        self._news.set()


def _answered(finding: Finding, outcome: Outcome) -> Finding:
    report = Report(verdict=Verdict.MALICIOUS, score="47/65") if outcome is Outcome.FOUND else None
    return msgspec.structs.replace(finding, outcome=outcome, report=report, label=Label.GREEN)


class Beat:
    """A pause that lasts until the test beats; it writes down how long it should have been."""

    def __init__(self) -> None:
        self.wanted: list[float] = []
        self._next = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.wanted.append(seconds)
        await self._next.wait()

    def beat(self) -> None:
        """End the pauses under way."""
        self._next.set()
        self._next = asyncio.Event()


async def at_once(seconds: float) -> None:
    """A pause for tests in which time does not matter."""
    await asyncio.sleep(0)
