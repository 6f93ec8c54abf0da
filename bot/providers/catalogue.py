"""The catalogue of providers: what each needs, and how those that are turned on are opened.

Nothing of a provider that is off is imported.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module

from bot.providers.options import Options
from bot.providers.remote import Remote, Service
from bot.providers.spec import Source
from bot.secret import Secret


@dataclass(frozen=True, kw_only=True)
class Listing:
    """One provider that an operator may turn on."""

    open: Callable[[Options], Source]
    key: str | None = None  # the environment variable of its key
    asks_nobody: bool = False  # answers from a list or a file that is held here
    reads_file: str = ""  # which file that is, "" for none
    place: str = ""  # the setting that chooses one of `places`
    places: Mapping[str, str] = field(default_factory=dict)  # word -> base address


def open_sources(options: Mapping[str, Options]) -> list[Source]:
    """Those that are on, in the order of the catalogue, not asked and not connected to yet.

    Raises ConfigError.
    """
    return [LISTINGS[name].open(options[name]) for name in NAMES if name in options]


def key_variables(names: Collection[str]) -> dict[str, str]:
    """Provider -> the environment variable that holds its key, for those of these that need one."""
    return {name: key for name in NAMES if name in names and (key := LISTINGS[name].key) is not None}


def with_keys(options: Mapping[str, Options], keys: Mapping[str, Secret]) -> dict[str, Options]:
    """The same with the keys of the providers, where there is one."""
    return {name: replace(each, key=keys.get(name, each.key)) for name, each in options.items()}


def _remote(module: str, service: str) -> Callable[[Options], Source]:
    """Joins a service, named by module and class, with a wire to its address."""

    def joined(options: Options) -> Source:
        from bot.providers.wire import HttpWire  # noqa: PLC0415 - aiohttp is slow to load

        provider = import_module(f"bot.providers.{module}")
        made: Service = getattr(provider, service)(options)
        wire = HttpWire(options.url or provider.BASE_URL, connections=made.spec.at_once)
        return Remote(made, wire)

    return joined


def _virustotal(options: Options) -> Source:
    from bot.providers import virustotal, vt_wire  # noqa: PLC0415 - see above

    service = virustotal.VirusTotal(options)
    url = options.url or virustotal.BASE_URL
    wire = vt_wire.VtWire(options.key or Secret(""), url, connections=service.spec.at_once)
    return Remote(service, wire)


def _hashlookup_offline(options: Options) -> Source:
    from bot.providers.hashlookup_offline import HashlookupOffline  # noqa: PLC0415 - see above

    return HashlookupOffline(options)


def _trend(options: Options) -> Source:
    from bot.providers import trend  # noqa: PLC0415 - see above
    from bot.providers.wire import HttpWire  # noqa: PLC0415 - see above

    return trend.Trend(options, HttpWire(options.url or trend.BASE_URL, connections=1))


LISTINGS: Mapping[str, Listing] = {
    "virustotal": Listing(open=_virustotal, key="VIRUSTOTAL_KEY"),
    "opentip": Listing(
        open=_remote("opentip", "service"),
        key="OPENTIP_KEY",
        place="portal",
        places={"opentip": "https://opentip.kaspersky.com", "tip": "https://tip.kaspersky.com"},
    ),
    "hashlookup": Listing(open=_remote("hashlookup", "Hashlookup")),
    "hashlookup-offline": Listing(
        open=_hashlookup_offline, asks_nobody=True, reads_file="hashlookup-full.bloom of CIRCL"
    ),
    "malwarebazaar": Listing(open=_remote("malwarebazaar", "MalwareBazaar"), key="ABUSECH_KEY"),
    "threatfox": Listing(open=_remote("threatfox", "ThreatFox"), key="ABUSECH_KEY"),
    "urlhaus": Listing(open=_remote("urlhaus", "URLhaus"), key="ABUSECH_KEY"),
    "trend": Listing(
        open=_trend,
        asks_nobody=True,
        key="VISION_ONE_KEY",
        place="region",
        places={
            "us": "https://api.xdr.trendmicro.com",
            "jp": "https://api.xdr.trendmicro.co.jp",
            "eu": "https://api.eu.xdr.trendmicro.com",
            "sg": "https://api.sg.xdr.trendmicro.com",
            "au": "https://api.au.xdr.trendmicro.com",
            "in": "https://api.in.xdr.trendmicro.com",
            "mea": "https://api.mea.xdr.trendmicro.com",
        },
    ),
}
NAMES = tuple(LISTINGS)
