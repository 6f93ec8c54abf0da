"""lookup: what is known about indicators."""

from bot.chat import Ask, Command, Notice, Reply, Row
from bot.enquiries import declared, unmarked
from bot.errors import UsageError
from bot.extraction import extract
from bot.lookups import annotated, look_up_and_ask, not_understood
from bot.services import Services
from bot.tlp import Label

MAX_INDICATORS = 500  # of one lookup


async def run(ask: Ask, services: Services) -> Reply:
    """Look up every indicator in the text, defanged or not, and ask services. Raises UsageError."""
    marking, text = declared(ask.text), unmarked(ask.text)
    found = extract(text)
    asked = [each.indicator for each in found]
    if not asked:
        return _nothing_asked(ask)
    if len(asked) > MAX_INDICATORS:
        raise UsageError(
            f"These are {len(asked)} indicators; one lookup takes up to {MAX_INDICATORS}. Send them in parts."
        )
    answer = await look_up_and_ask(asked, ask, services, declared=marking)
    is_red = marking.label is Label.RED and services.enrichment is not None
    return annotated(answer, not_understood=not_understood(text, found), is_red=is_red)


def _nothing_asked(ask: Ask) -> Notice:
    examples = (Row(code=ask.surface.prefix + example, text="") for example in COMMAND.examples)
    kinds = (
        "Hashes, IP addresses, networks, domains, URLs, e-mail addresses, CVE numbers and Bitcoin addresses"
    )
    return Notice(
        title="no indicator found",
        rows=(Row(text="Nothing in that can be looked up. Type for example:"), *examples),
        footer=f"{kinds} are understood, defanged or not, up to {MAX_INDICATORS} at once.",
    )


COMMAND = Command(
    verb="lookup",
    usage="lookup <indicators>",
    summary="what is known about hashes, addresses, domains, URLs, …; indicators alone do the same",
    run=run,
    examples=("lookup 198.51.100[.]7", "lookup 44d88612fea8a8f36de82e1278abb02f hxxp://example[.]org/a"),
    needs_writes=False,
)
