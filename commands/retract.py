"""retract: a source takes back what was posted of its claims; the host's operators what was posted at all."""

from bot.chat import Ask, Command, Notice, Row
from bot.errors import UnavailableError, UsageError
from bot.extraction import extract
from bot.lookups import is_private, not_understood
from bot.services import Services
from bot.tlp import Label

MAX_INDICATORS = 20  # of one command


async def run(ask: Ask, services: Services) -> Notice:
    """Wish it, and say what is being done about it. Raises BotError."""
    found = extract(ask.text)
    wanted = tuple(dict.fromkeys(each.indicator for each in found))
    if not wanted or not_understood(ask.text, found):
        raise UsageError("Write the indicators that are meant, for example “retract c2.example.org”.")
    if len(wanted) > MAX_INDICATORS:
        raise UsageError(f"At most {MAX_INDICATORS} indicators can be retracted at once.")
    source = _source(ask, services)
    if services.corrections is None:
        raise UnavailableError("Nothing is posted from here by itself, so nothing can be taken back.")
    posts = await services.corrections.retract(wanted, source=source, by=ask.actor.user)
    if not is_private(ask):
        return _in_front_of_others()
    return _told(posts, whose="" if source is None else " of your organisation")


def _source(ask: Ask, services: Services) -> str | None:
    """Whose claims may be taken back: the own ones; None for an operator of the host: everybody's."""
    actor = ask.actor
    if not actor.is_confirmed:
        raise UnavailableError("Slack did not say who is asking; ask again in a minute.")
    if actor.org not in ask.world.in_force | {ask.world.host}:
        raise UsageError("Only members of an organisation that shares data here can take theirs back.")
    is_operator = actor.org == ask.world.host and services.registry.is_steward(
        actor.org, actor.user, actor.teams
    )
    return None if is_operator else actor.org


def _in_front_of_others() -> Notice:
    """The same whatever was posted: others read that, too."""
    rows = (
        Row(text="What was posted of it is being taken back, if anything was."),
        Row(text="What happened is told in private: ask again in a direct message."),
    )
    return Notice(title="retract", rows=rows)


def _told(posts: int, *, whose: str) -> Notice:
    if not posts:
        row = Row(
            text=f"No post of Liaison that it knows of shows this{whose}, so there is nothing to change."
        )
        return Notice(title="nothing to retract", rows=(row, *_STORE), label=Label.AMBER_STRICT)
    number = "1 post" if posts == 1 else f"{posts} posts"
    rows = (
        Row(text=f"{number} showed this{whose}. Each is edited or deleted within minutes, as Slack lets it."),
        Row(text="Who had read it before keeps what they know; source and host are told who could."),
        *_STORE,
    )
    return Notice(title="being retracted", rows=rows, label=Label.AMBER_STRICT)


_STORE = (
    Row(text="Figures of summaries stay, and so do answers that one person alone saw after a slash command."),
    Row(text="The store still holds it: to withdraw it there, import it anew as revoked."),
)

COMMAND = Command(
    verb="retract",
    usage="retract <indicators>",
    summary="take back what was posted of your organisation about indicators",
    run=run,
    examples=("retract c2.example.org",),
)
