"""MISP tags and galaxies: the family, the ATT&CK techniques, and the tags worth keeping."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.assertions import MAX_TAGS
from bot.feeds import marking
from bot.feeds.parsed import name, names

_GALAXY = re.compile(r'misp-galaxy:(?P<galaxy>[a-z0-9-]{1,80})="(?P<cluster>[^"]{1,200})"', re.IGNORECASE)
_TECHNIQUE = re.compile(r"\b(TA?[0-9]{4}(?:\.[0-9]{3})?)$", re.ASCII)
_SOFTWARE_ID = re.compile(r" - [SG][0-9]{4}$", re.ASCII)  # "Emotet - S0367"

# Galaxies whose clusters are a family, best first: the malware says more than the actor behind it.
_FAMILIES = (
    "malpedia",
    "mitre-malware",
    "mitre-enterprise-attack-malware",
    "mitre-mobile-attack-malware",
    "ransomware",
    "banker",
    "stealer",
    "rat",
    "botnet",
    "backdoor",
    "android",
    "cryptominers",
    "exploit-kit",
    "tool",
    "mitre-tool",
    "mitre-enterprise-attack-tool",
    "mitre-campaign",
    "threat-actor",
    "mitre-intrusion-set",
    "mitre-enterprise-attack-intrusion-set",
    "microsoft-activity-group",
    "360net-threat-actor",
)
_RANKS = {galaxy: rank for rank, galaxy in enumerate(_FAMILIES)}


def tag_names(thing: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of all tags on an event or attribute, galaxies as tags; unreadable ones quarantine."""
    return (*_tags(thing.get("Tag")), *_clusters(thing.get("Galaxy")))


def family_and_tags(*levels: Iterable[str]) -> tuple[str | None, tuple[str, ...]]:
    """The best family of the nearest level that names one, and all other tags without the markings."""
    family: str | None = None
    kept: list[str] = []
    for tags in levels:
        ranked: list[tuple[int, str]] = []
        for tag in tags:
            found = _GALAXY.fullmatch(tag)
            if found is None:
                kept.extend([tag] if marking.of_tag(tag) is None else [])
            elif found["galaxy"].lower() in _RANKS:
                cluster = _SOFTWARE_ID.sub("", found["cluster"])
                ranked.append((_RANKS[found["galaxy"].lower()], cluster))
            else:
                technique = _TECHNIQUE.search(found["cluster"])
                kept.append(technique[1] if technique else found["cluster"])
        ranked.sort()
        clusters = [cluster for _, cluster in ranked]
        if family is None and clusters:
            family = name(clusters.pop(0))
        kept.extend(clusters)
    return family, names(kept)[:MAX_TAGS]


def _tags(listed: object) -> Iterator[str]:
    if listed is None:
        return
    for tag in listed if isinstance(listed, list) else (listed,):
        text = tag.get("name") if isinstance(tag, dict) else tag
        yield text if isinstance(text, str) else marking.UNREADABLE_TAG


def _clusters(listed: object) -> Iterator[str]:
    """Galaxies as the tags they stand for; newer events carry both."""
    for galaxy in listed if isinstance(listed, list) else ():
        clusters = galaxy.get("GalaxyCluster") if isinstance(galaxy, dict) else None
        for cluster in clusters if isinstance(clusters, list) else ():
            if isinstance(cluster, dict):
                yield f'misp-galaxy:{cluster.get("type")}="{cluster.get("value")}"'
