"""who: which organisations read this conversation, and what may be said to them."""

from bot.assertions import Assertion
from bot.chat import Ask, Command, Notice, Row
from bot.indicators import Indicator, Kind
from bot.services import Services
from bot.sharing import UNKNOWN, Audience, Reach, World, may_release
from bot.tlp import Label

NAMED = 30  # organisations that are listed
_NOBODY = "?NOBODY"  # the source of the claims that the policy is tried with


async def run(ask: Ask, services: Services) -> Notice:
    """Explain the readers and what the policy says about them."""
    readers = ask.channel or ask.audience
    rows = (
        Row(text=f"{_place(readers)} {_names(readers, ask.world)}."),
        *(Row(text=warning) for warning in _warnings(readers, ask.world)),
        *_cap(readers),
        Row(text="What may be said here:"),
        *(Row(code=str(label), text=_verdict(label, readers, ask.world)) for label in Label),
        *([] if _is_alone(readers) else [Row(text=_alone(ask))]),
    )
    footer = (
        "A source may limit its data further: name recipients, exclude some, set dates or a sharing group."
    )
    return Notice(title="who reads this", rows=rows, footer=footer, label=_label(ask))


def _place(readers: Audience) -> str:
    match readers.reach:
        case Reach.CHANNEL:
            return "This channel is read by"
        case Reach.MPIM:
            return "This group message is read by"
        case Reach.DM:
            return "This direct message is read by Liaison and one person of"
        case _:
            return "This answer is read by one person of"


def _names(readers: Audience, world: World) -> str:
    known = sorted(readers.orgs - {UNKNOWN}, key=lambda org: (org != world.host, _name(org, world)))
    names = [_name(org, world) for org in known[:NAMED]]
    names += [f"{len(known) - NAMED} more"] if len(known) > NAMED else []
    names += ["somebody Liaison does not know"] if UNKNOWN in readers.orgs else []
    return ", ".join(names) or "nobody Liaison knows"


def _name(org: str, world: World) -> str:
    name = world.names.get(org, org)
    if org == world.host:
        return f"{name} (host)"
    return name if org in world.in_force else f"{name} (counts as unknown)"


def _warnings(readers: Audience, world: World) -> list[str]:
    """What makes Liaison say less than the list of readers suggests."""
    return [
        warning
        for holds, warning in (
            (not readers.fresh, "Slack does not say for sure who reads this now, so only TLP:CLEAR is said."),
            (
                readers.pending_invite,
                "An invitation to another organisation is open: until it is settled only TLP:CLEAR is said.",
            ),
            (readers.public, "This is open to the public: only TLP:CLEAR is said."),
            (
                bool(readers.orgs - world.in_force - {world.host}),
                "Somebody unknown reads along, so only TLP:CLEAR is said.",
            ),
        )
        if holds
    ]


def _cap(readers: Audience) -> list[Row]:
    if readers.reach not in (Reach.CHANNEL, Reach.MPIM):
        return []
    why = "Organisations that join later can read the history."
    return [Row(text=f"Its cap is {readers.cap}: the host lets nothing stricter be said here. {why}")]


def _verdict(label: Label, readers: Audience, world: World) -> str:
    if label is Label.RED:
        return "only to a person its source named, in an answer that nobody else can open"
    if _may_say(label, readers, world):
        return "yes"
    if _may_say(label, readers, world, addressed=True):
        why = "not everybody here is in the community: " if label is Label.GREEN else ""
        return f"{why}only what {_recipients(readers)}"
    if readers.reach in (Reach.CHANNEL, Reach.MPIM) and label > readers.cap:
        return "no, it is above the cap"
    return "no, not with these readers"


def _recipients(readers: Audience) -> str:
    """Whom a source must have chosen; what is its own it may always read."""
    if _is_alone(readers):
        return "comes from that organisation or was addressed to it"
    return "its source addressed to every other organisation here"


def _may_say(label: Label, readers: Audience, world: World, *, addressed: bool = False) -> bool:
    """Ask the policy itself, with a claim nobody ever made."""
    recipients = readers.orgs if addressed else frozenset[str]()
    claim = Assertion(
        indicator=Indicator(Kind.DOMAIN, "example.org"), source=_NOBODY, label=label, addressed_to=recipients
    )
    return may_release(claim, readers, world).release


def _alone(ask: Ask) -> str:
    """What an answer to the asker alone may carry; not told where others would read it."""
    if not _is_alone(ask.audience):
        return "For an answer that only you can read, ask Liaison in a direct message."
    free = [label for label in Label if _may_say(label, ask.audience, ask.world)]
    more = any(
        _may_say(label, ask.audience, ask.world, addressed=True) for label in Label if label not in free
    )
    above = "; above that what comes from your organisation or was addressed to it" if more else ""
    return f"An answer that only you can read may carry {', '.join(map(str, free))}{above}."


def _is_alone(audience: Audience) -> bool:
    return audience.reach in (Reach.EPHEMERAL, Reach.DM)


def _label(ask: Ask) -> Label:
    """Who reads along is no news to the readers, but none of it is for the public if that can be said."""
    return Label.GREEN if _may_say(Label.GREEN, ask.audience, ask.world) else Label.CLEAR


COMMAND = Command(
    verb="who",
    usage="who",
    summary="which organisations read this conversation, its cap, what may be said here and why",
    run=run,
    examples=("who",),
)
