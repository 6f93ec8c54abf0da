"""Digests as parts of a message: gist, groups, top entries, what changed; and the complete list."""

from collections.abc import Iterable, Iterator, Sequence

from bot import well_known
from bot.answers import verdict
from bot.digests import LISTED, TOP, Changed, Digest, Group, What
from bot.indicators import HASH_BY_LENGTH, Indicator, Kind
from bot.layout import Bullets, Footnote, Line, Paragraph, Part, Table, Words, when, words
from bot.service_lines import SEVERITY
from bot.sharing import Shown
from bot.subscriptions import Attach, Filters

UNNAMED = "no family"
_NOTHING = "nothing new"
_CHOSEN = (
    "Malicious before suspicious, then the most confident (the number behind the verdict, of 100), "
    "then the latest."
)
_UNVERIFIED = "Each line is the claim of its source; look it up before you block it."
_FIRST_FAMILIES = 3  # in the gist
_MAX_VALUE = 100  # characters of an indicator in the message
_MAX_LISTED_VALUE = 300  # and in the list
_MAX_NAME = 40
_MAX_FILTER = 300
_FORMS = {Attach.CSV: "CSV", Attach.STIX: "STIX 2.1"}
_HASHES = frozenset(HASH_BY_LENGTH.values())
_PLURALS = {
    Kind.IPV4: ("address", "addresses"),
    Kind.IPV6: ("address", "addresses"),
    Kind.CIDR: ("network", "networks"),
    Kind.DOMAIN: ("domain", "domains"),
    Kind.URL: ("URL", "URLs"),
    Kind.EMAIL: ("e-mail address", "e-mail addresses"),
    Kind.CVE: ("CVE", "CVEs"),
    Kind.BTC: ("bitcoin address", "bitcoin addresses"),
}
_EXACTLY = _PLURALS | {
    Kind.MD5: ("MD5 hash", "MD5 hashes"),
    Kind.SHA1: ("SHA-1 hash", "SHA-1 hashes"),
    Kind.SHA224: ("SHA-224 hash", "SHA-224 hashes"),
    Kind.SHA256: ("SHA-256 hash", "SHA-256 hashes"),
    Kind.SHA384: ("SHA-384 hash", "SHA-384 hashes"),
    Kind.SHA512: ("SHA-512 hash", "SHA-512 hashes"),
    Kind.IPV4: ("IPv4 address", "IPv4 addresses"),
    Kind.IPV6: ("IPv6 address", "IPv6 addresses"),
}


def title(digest: Digest) -> str:
    """What it is about, in a few words."""
    changes = sum(number for _, number in digest.changes)
    told = [
        counted(digest.indicators, "new indicator") if digest.indicators else "",
        counted(changes, "change") if changes else "",
    ]
    return f"digest: {', '.join(filter(None, told)) or _NOTHING}"


def gist(digest: Digest) -> str:
    """The new indicators in one line: by family, then by kind."""
    if not digest.indicators:
        return _NOTHING
    return f"{counted(digest.indicators, 'new indicator')}: {_families(digest)}; {kinds(digest.kinds)}"


def file_title(digest: Digest) -> str:
    """What stands beside the file."""
    return f"complete list of the digest, {counted(digest.claims, 'row')}"


def body(digest: Digest) -> list[Part]:
    """The message itself: readable at once, however much is new."""
    if digest.is_empty:
        return [_paragraph(_silence(digest)), *_small_print(digest)]
    return [
        _paragraph(_gist(digest), _period(digest)),
        *_groups(digest),
        *_top(digest),
        *_changed(digest),
        *_small_print(digest),
    ]


def named(digest: Digest) -> Iterator[Indicator]:
    """What the message itself shows."""
    for shown in _best(digest):
        yield shown.indicator
    for change in digest.changed:
        if change.shown is not None:
            yield change.shown.indicator


def complete(digest: Digest) -> Iterator[Part]:
    """What stands in the thread: every claim, or the first of them where no file can be put."""
    if digest.is_filed and not digest.files_refused:
        return
    if digest.is_filed:
        yield Footnote(Words(_refused(digest)))
    elif digest.claims <= TOP:
        return
    yield table(digest.listed, _MAX_LISTED_VALUE)


def kinds(numbers: Iterable[tuple[Kind, int]]) -> str:
    """How many of each kind in words; hashes and addresses are told together."""
    sums: dict[tuple[str, str], int] = {}
    for kind, number in numbers:
        name = ("hash", "hashes") if kind in _HASHES else _PLURALS[kind]
        sums[name] = sums.get(name, 0) + number
    ordered = sorted(sums.items(), key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{number:,} {name[number != 1]}" for name, number in ordered)


def counted(number: int, thing: str) -> str:
    """`1 change`, `2 changes`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def _families(digest: Digest) -> str:
    first = digest.groups[:_FIRST_FAMILIES]
    told = [f"{_family(group, at_most=_MAX_NAME)} {group.indicators:,}" for group in first]
    more = digest.families - len(first)
    rest = f" and {more:,} more {'family' if more == 1 else 'families'}" if more else ""
    return ", ".join(told) + rest


def _gist(digest: Digest) -> Line:
    """What the title has not told yet."""
    if not digest.indicators:
        return ()
    return (words(f"{_families(digest)}; {kinds(digest.kinds)}", "bold", at_most=1_000),)


def _silence(digest: Digest) -> Line:
    if digest.since is None:
        return (Words("Nothing new for those who read this channel."),)
    return (Words("Nothing new for those who read this channel since "), when(digest.since), Words("."))


def _period(digest: Digest) -> Line:
    start = (Words("From "), when(digest.since), Words(" to ")) if digest.since else (Words("Up to "),)
    return (*start, when(digest.until))


def _groups(digest: Digest) -> list[Part]:
    """Families and their kinds; if there is one only, the gist has told it."""
    if digest.families < 2:
        return []
    lines: list[Line] = [
        (_bold(group), Words(f" {group.indicators:,}: "), words(_exact(group), at_most=200))
        for group in digest.groups
    ]
    more = digest.families - len(digest.groups)
    if more:
        lines.append((Words(_more_families(more)),))
    return [Bullets(tuple(lines))]


def _more_families(number: int) -> str:
    return "1 more family, not larger" if number == 1 else f"{number:,} more families, none of them larger"


def _bold(group: Group) -> Words:
    return words(_family(group, at_most=80), "bold", at_most=80)


def _family(group: Group, *, at_most: int) -> str:
    return words(group.family, at_most=at_most).text if group.family else UNNAMED


def _exact(group: Group) -> str:
    return ", ".join(f"{number:,} {_EXACTLY[kind][number != 1]}" for kind, number in group.kinds)


def _top(digest: Digest) -> list[Part]:
    """The best entries: all claims if they are few, else each indicator once."""
    best = _best(digest)
    if digest.claims <= TOP:
        return [table(best, _MAX_VALUE)] if best else []
    head = (Words(f"Top {len(best)}", "bold"), Words(f" of {digest.claims:,}"))
    return [_paragraph(head), table(best, _MAX_VALUE), Footnote(Words(_CHOSEN))]


def _best(digest: Digest) -> Sequence[Shown]:
    if digest.claims <= TOP:
        return digest.listed
    first = {shown.indicator: shown for shown in reversed(digest.listed)}
    return [shown for shown in digest.listed if first[shown.indicator] is shown][:TOP]


def table(claims: Sequence[Shown], at_most: int = _MAX_VALUE) -> Table:
    """A row a claim; of an indicator at most so many characters."""
    head = ("Verdict", "Indicator", "Family", "First seen", "Source", "Label")
    return Table(tuple(map(Words, head)), tuple(_row(shown, at_most) for shown in claims))


def _row(shown: Shown, at_most: int) -> tuple[Line, ...]:
    first = when(shown.first_seen) if shown.first_seen else Words("–")
    return (
        (Words(_verdict(shown)),),
        _value(shown.indicator, at_most),
        (words(shown.family or "", at_most=_MAX_NAME),),
        (first,),
        (_source(shown),),
        (Words(str(shown.label)),),
    )


def _verdict(shown: Shown) -> str:
    if shown.revoked:
        return "⚪ withdrawn"
    told = SEVERITY[verdict([shown])]
    return f"{told} {shown.confidence}" if shown.confidence is not None and shown.to_ids else told


def _value(indicator: Indicator, at_most: int) -> Line:
    """With a word about what everybody meets, before somebody blocks it."""
    known = well_known.labels(indicator)
    note = (Words(" "), words(f"ℹ️ {', '.join(known)}", at_most=60)) if known else ()
    return (words(indicator.value, "code", at_most=at_most), *note)


def _changed(digest: Digest) -> list[Part]:
    if not digest.changes:
        return []
    lines = [line for what, number in digest.changes for line in _changes(digest, what, number)]
    return [_paragraph((Words("What changed", "bold"),)), Bullets(tuple(lines))]


def _changes(digest: Digest, what: What, number: int) -> Iterator[Line]:
    named = [each for each in digest.changed if each.what is what and each.shown is not None]
    yield from map(_change, named)
    if number > len(named):
        yield (Words(_unnamed(what, number - len(named), bool(named))),)


def _change(change: Changed) -> Line:
    shown = change.shown
    if shown is None:
        return ()
    value, source = words(shown.indicator.value, "code", at_most=_MAX_VALUE), _source(shown)
    match change.what:
        case What.RAISED:
            told = Words(f"Label raised from {change.was} to {shown.label}: ")
            return (told, value, Words(" by "), source)
        case What.CONFIRMED:
            return (Words("Known here, now also reported by "), source, Words(": "), value)
        case _:
            return (Words("Withdrawn by "), source, Words(": "), value)


def _source(shown: Shown) -> Words:
    return words(shown.source_name, at_most=_MAX_NAME)


def _unnamed(what: What, number: int, is_rest: bool) -> str:
    entries = "1 entry" if number == 1 else f"{number:,} entries"
    told = f"{number:,} more" if is_rest else f"{entries} shown here before"
    return f"{what.value.capitalize()}: {told}"


def _small_print(digest: Digest) -> list[Part]:
    told = [_where(digest), _UNVERIFIED if digest.listed else "", _wanted(digest.filters)]
    return [Footnote(words(each, at_most=600)) for each in told if each]


def _where(digest: Digest) -> str:
    """Where the complete list is; the same whether it is there already or follows."""
    if digest.files_refused and digest.claims > LISTED:
        first = f"The first {len(digest.listed)} of {digest.claims:,} rows"
        return f"{first} are in the thread: no file can be put here."
    if digest.is_filed and not digest.files_refused:
        form = _FORMS[digest.attach or Attach.CSV]
        return f"The complete list ({counted(digest.claims, 'row')}, {form}) is in the thread."
    is_long = digest.is_filed or digest.claims > TOP
    return f"The complete list ({counted(digest.claims, 'row')}) is in the thread." if is_long else ""


def _refused(digest: Digest) -> str:
    if digest.claims <= len(digest.listed):
        return "No file can be put into this channel, so this is the list as text."
    return (
        f"No file can be put into this channel. These are the first {len(digest.listed)} of "
        f"{digest.claims:,} rows: malicious before suspicious, then the most confident, then the latest. "
        "Narrow the digest down by kind, family or source to have all of it here."
    )


def _wanted(filters: Filters) -> str:
    """So that nobody takes a filtered digest for everything."""
    told = [
        ", ".join(kind.value for kind in Kind if kind in filters.kinds),
        f"families {', '.join(sorted(filters.families))}" if filters.families else "",
        f"sources {', '.join(sorted(filters.sources))}" if filters.sources else "",
        f"confidence {filters.min_confidence} or more, or none given" if filters.min_confidence else "",
    ]
    wanted = " · ".join(filter(None, told))
    return f"This digest is about: {words(wanted, at_most=_MAX_FILTER).text}" if wanted else ""


def _paragraph(*lines: Line) -> Paragraph:
    return Paragraph(tuple(filter(None, lines)))
