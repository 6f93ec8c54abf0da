"""enrich: ask external services about indicators on purpose."""

from bot.chat import Ask, Command, Notice, Reply, Row, Surface
from bot.enquiries import declared, unmarked
from bot.errors import UsageError
from bot.extraction import extract
from bot.lookups import annotated, is_private, look_up_and_ask, not_understood
from bot.services import Services
from bot.sharing import UNKNOWN
from bot.tlp import Label

MAX_INDICATORS = 100  # of one question to services
_ALONE = "“lookup” tells what the store holds."


async def run(ask: Ask, services: Services) -> Reply:
    """Ask every service that may be asked, also with what is held in reserve. Raises UsageError."""
    marking, text = declared(ask.text), unmarked(ask.text)
    found = extract(text)
    asked = [each.indicator for each in found]
    if not asked:
        return _nothing_asked(ask)
    if len(asked) > MAX_INDICATORS:
        raise UsageError(
            f"These are {len(asked)} indicators; services are asked about up to {MAX_INDICATORS} at once. "
            "Send them in parts."
        )
    if obstacle := await _obstacle(ask, services):
        return Notice(title="services were not asked", rows=tuple(Row(text=each) for each in obstacle))
    answer = await look_up_and_ask(asked, ask, services, declared=marking, on_purpose=True)
    is_red = marking.label is Label.RED
    missed = not_understood(text, found)
    return annotated(answer, not_understood=missed, is_red=is_red, wants_file=not is_red)


async def _obstacle(ask: Ask, services: Services) -> tuple[str, ...]:
    """Why nobody is asked, and what to do; empty if nothing stands in the way."""
    host = ask.world.names.get(ask.world.host, "the host")
    is_host = ask.actor.org == ask.world.host
    if not ask.actor.is_confirmed:
        return ("Slack did not say who is asking. Ask again in a minute.",)
    if ask.actor.org == UNKNOWN or not (is_host or ask.actor.org in ask.world.in_force):
        return (f"Liaison does not know your organisation. Ask {host} to add it.", _ALONE)
    if not is_private(ask) and ask.surface is not Surface.BUTTON:
        where = f"type {Surface.SLASH.prefix}enrich" if is_host else "write Liaison a direct message"
        return (
            f"Everybody here would read the answer, so no service was asked. To ask, {where} instead.",
            _ALONE,
        )
    if not await _is_any_on(ask.actor.org, services):
        how = "The operator turns one on in liaison.toml." if is_host else f"{host} can tell you more."
        return (f"No external service is turned on. {how}", _ALONE)
    if ask.actor.org not in ask.world.own_queries:
        agree = (
            "Set enrich_own_queries for the host in liaison.toml." if is_host else f"Tell {host} if it does."
        )
        return (
            f"Your organisation has not agreed that its questions go to external services. {agree}",
            _ALONE,
        )
    return ()


async def _is_any_on(org: str, services: Services) -> bool:
    if services.enrichment is None:
        return False
    return any(standing.is_on for standing in await services.enrichment.standing(org))


def _nothing_asked(ask: Ask) -> Notice:
    examples = (Row(code=ask.surface.prefix + example, text="") for example in COMMAND.examples)
    return Notice(
        title="no indicator found",
        rows=(Row(text="Nothing in that can be asked about. Type for example:"), *examples),
        footer=f"Up to {MAX_INDICATORS} at once. A marking among them, such as tlp:clear or pap:red, says "
        "how far your question may go; what nobody marked counts as TLP:GREEN.",
    )


COMMAND = Command(
    verb="enrich",
    usage="enrich <indicators>",
    summary="what external services say, asked on purpose, up to 100 at once, with a CSV file",
    run=run,
    examples=("enrich 44d88612fea8a8f36de82e1278abb02f", "enrich 44d88612fea8a8f36de82e1278abb02f tlp:amber"),
)
