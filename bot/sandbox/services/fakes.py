"""All fake services together."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.sandbox.services import knowledge
from bot.sandbox.services.fake import Fake
from bot.sandbox.services.hashlookup import HashLookup
from bot.sandbox.services.malwarebazaar import MalwareBazaar
from bot.sandbox.services.opentip import OpenTip
from bot.sandbox.services.threatfox import ThreatFox
from bot.sandbox.services.trap import Trap
from bot.sandbox.services.trend import TrendVisionOne
from bot.sandbox.services.urlhaus import UrlHaus
from bot.sandbox.services.virustotal import VirusTotal


@dataclass(frozen=True)
class Fakes:
    """One of each, with what the demo's cast may ask about; `trap` is where redirects lead."""

    virustotal: VirusTotal = field(default_factory=lambda: VirusTotal(knowledge.VIRUSTOTAL))
    opentip: OpenTip = field(default_factory=lambda: OpenTip(knowledge.OPENTIP))
    hashlookup: HashLookup = field(default_factory=lambda: HashLookup(knowledge.HASHLOOKUP))
    malwarebazaar: MalwareBazaar = field(default_factory=lambda: MalwareBazaar(knowledge.MALWAREBAZAAR))
    threatfox: ThreatFox = field(default_factory=lambda: ThreatFox(knowledge.THREATFOX))
    urlhaus: UrlHaus = field(default_factory=lambda: UrlHaus(knowledge.URLHAUS))
    trend: TrendVisionOne = field(default_factory=lambda: TrendVisionOne(knowledge.TREND))
    trap: Trap = field(default_factory=Trap)

    @property
    def all(self) -> tuple[Fake, ...]:
        """Every service, without the trap."""
        abusech = (self.malwarebazaar, self.threatfox, self.urlhaus)
        return (self.virustotal, self.opentip, self.hashlookup, *abusech, self.trend)

    def __getitem__(self, name: str) -> Fake:
        """The service with that slug. Raises KeyError."""
        return {fake.name: fake for fake in self.all}[name]

    @property
    def mistakes(self) -> list[str]:
        """What was asked in a wrong way, of any of them; and every redirect that was followed."""
        return [mistake for fake in (*self.all, self.trap) for mistake in fake.mistakes]

    def watch(self, changed: Callable[[], object]) -> None:
        """Have it called after each question."""
        for fake in self.all:
            fake.changed = changed

    async def stop(self) -> None:
        """Stop all of them."""
        for fake in (*self.all, self.trap):
            await fake.stop()


async def start_all(fakes: Fakes | None = None) -> Fakes:
    """One of each, started. The three of abuse.ch share a key, as the real ones do."""
    fakes = fakes or Fakes()
    await fakes.trap.start()
    for fake in fakes.all:
        await fake.start()
        fake.elsewhere = fakes.trap.url
    fakes.threatfox.key = fakes.urlhaus.key = fakes.malwarebazaar.key
    return fakes
