"""help: what can be asked, from here and by this person."""

from bot.chat import MENTION, SLASH, Ask, Command, Notice, Row, Surface
from bot.services import Services
from bot.sharing import UNKNOWN


async def run(ask: Ask, services: Services) -> Notice:
    """One line a command, examples to type, and how to ask without others reading along."""
    prefix = ask.surface.prefix
    commands = (Row(code=prefix + command.usage, text=command.summary) for command in ask.commands)
    examples = (Row(code=prefix + command.examples[0], text="") for command in ask.commands[:2])
    ways = (Row(text=way) for way in _ways(ask))
    return Notice(
        title="help",
        rows=(*commands, Row(text="For example:"), *examples, *ways),
        footer="TLP:RED is shown to nobody but the persons its source named, and only in an answer that "
        "nobody else can open.",
    )


def _ways(ask: Ask) -> list[str]:
    """How to ask and who reads along; slash commands exist only in the host's own workspace."""
    is_host = ask.actor.org == ask.world.host
    ways = [_here(ask.surface, is_host)]
    if not is_host and ask.surface is not Surface.SLASH:
        ways.append(
            f"{SLASH} works for members of the host's workspace only. You can mention {MENTION} in a shared "
            "channel or write it a direct message."
        )
    if not ask.actor.is_confirmed:
        ways.append("Slack did not say who is asking, so you see TLP:CLEAR only. Ask again in a minute.")
    elif ask.actor.org == UNKNOWN:
        host = ask.world.names.get(ask.world.host, "the host")
        ways.append(f"Liaison does not know your organisation: you see TLP:CLEAR only until {host} adds it.")
    return ways


def _here(surface: Surface, is_host: bool) -> str:
    match surface:
        case Surface.MENTION:
            private = f"type {SLASH}" if is_host else "write Liaison a direct message"
            return f"Everybody here reads your question and the answer. To be the only reader, {private}."
        case Surface.DM:
            return "Only you and Liaison read this conversation."
        case _:
            return "Only you see this answer. “Share to channel…” below a lookup shows it to others."


COMMAND = Command(
    verb="help",
    usage="help",
    summary="this list",
    run=run,
    examples=("help",),
    needs_writes=False,
)
