"""External services as strict fakes on loopback ports, one each, with switchable troubles.

fakes = await start_all()
fakes.virustotal.trouble = Trouble.QUOTA
...
assert fakes.mistakes == []
await fakes.stop()
"""

from bot.sandbox.services.asked import Answer, Call
from bot.sandbox.services.fake import Fake
from bot.sandbox.services.fakes import Fakes, start_all
from bot.sandbox.services.hashlookup import HashLookup
from bot.sandbox.services.malwarebazaar import MalwareBazaar
from bot.sandbox.services.opentip import OpenTip
from bot.sandbox.services.threatfox import ThreatFox
from bot.sandbox.services.trap import Trap
from bot.sandbox.services.trend import TrendVisionOne
from bot.sandbox.services.troubles import HOSTILE, MAX_ANSWER, Trouble
from bot.sandbox.services.urlhaus import UrlHaus
from bot.sandbox.services.virustotal import VirusTotal

__all__ = [
    "HOSTILE",
    "MAX_ANSWER",
    "Answer",
    "Call",
    "Fake",
    "Fakes",
    "HashLookup",
    "MalwareBazaar",
    "OpenTip",
    "ThreatFox",
    "Trap",
    "TrendVisionOne",
    "Trouble",
    "UrlHaus",
    "VirusTotal",
    "start_all",
]
