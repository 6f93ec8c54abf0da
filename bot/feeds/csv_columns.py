"""What the columns of a CSV file hold, from the names that vendors give them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.feeds.values import HASHES
from bot.indicators import Kind

_ANY_HASH = Kind.SHA256  # a hash is read by its length, whatever the name says

_WORDS: dict[Kind, str] = {
    _ANY_HASH: "hash hashes filehash file sample sampleid malwaresample "
    + " ".join(f"{kind} {kind}hash hash{kind} filehash{kind}" for kind in HASHES),
    Kind.IPV4: "ip ips ipaddress ipaddr ipv4 ipv6 ipv4addr ipv6addr ipv4address ipv6address address ipport"
    " ipdst ipsrc dstip srcip destip ipdstport ipsrcport destinationip sourceip host c2ip serverip",
    Kind.CIDR: "cidr network subnet netblock iprange",
    Kind.DOMAIN: "domain domains domainname hostname hostnames fqdn c2domain dns",
    Kind.URL: "url urls uri c2url fullurl",
    Kind.EMAIL: "email emails emailaddress emailaddr emailsender emailsrc emaildst sender senderemail mail",
    Kind.CVE: "cve cves cveid vulnerability",
    Kind.BTC: "btc bitcoin btcaddress bitcoinaddress",
}
_KINDS = {word: kind for kind, words in _WORDS.items() for word in words.split()}

_FIELDS = {
    word: name
    for name, words in {
        "value": "value indicator indicators indicatorvalue ioc iocs iocvalue observable observablevalue",
        "type": "type entitytype indicatortype ioctype kind observabletype attributetype",
        "label": "label tlp tlplabel marking tlpmarking",
        "context": "context description notes note comment comments details",
        "family": "family malwarefamily malware malwarename threat actor threatactor campaign",
        "first_seen": "firstseen firstseenutc",
        "last_seen": "lastseen lastseenutc",
        "confidence": "confidence confidencelevel",
        "tags": "tags tag",
        "pap": "pap",
        "to_ids": "toids",
        "revoked": "revoked",
    }.items()
    for word in words.split()
}


@dataclass(frozen=True)
class Columns:
    """Where things stand in a row."""

    fields: Mapping[str, int] = field(default_factory=dict)
    kinds: Mapping[int, Kind] = field(default_factory=dict)  # columns that hold one kind of indicator

    def of(self, name: str, row: Sequence[str]) -> str:
        """The cell of a named field, "" if there is none."""
        place = self.fields.get(name)
        return row[place] if place is not None and place < len(row) else ""


def kind_named(text: str) -> Kind | None:
    """The kind a type column means: `sha256_hash`, `FileHash-MD5`, `email-sender`. None for other things."""
    return _KINDS.get(_word(text))


def columns(row: Sequence[str]) -> Columns | None:
    """The columns a header row names; None if it is no header."""
    words = [_word(cell) for cell in row]
    fields: dict[str, int] = {}
    for place, word in enumerate(words):
        if word in _FIELDS:
            fields.setdefault(_FIELDS[word], place)
    kinds = {place: _KINDS[word] for place, word in enumerate(words) if word in _KINDS}
    return Columns(fields, kinds) if "value" in fields or kinds else None


def _word(text: str) -> str:
    return "".join(letter for letter in text[:60].lower() if letter.isalnum())
