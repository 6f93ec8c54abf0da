"""What Liaison can be asked in Slack: one file a command."""

from dataclasses import replace
from difflib import get_close_matches

from bot.chat import Ask, Command, Reply, mistake
from bot.errors import BotError, UsageError
from bot.extraction import extract
from bot.services import Services, require_writes
from commands.digest import COMMAND as DIGEST
from commands.enrich import COMMAND as ENRICH
from commands.help import COMMAND as HELP
from commands.lookup import COMMAND as LOOKUP
from commands.recent import COMMAND as RECENT
from commands.retract import COMMAND as RETRACT
from commands.status import COMMAND as STATUS
from commands.summary import COMMAND as SUMMARY
from commands.who import COMMAND as WHO

ALL: tuple[Command, ...] = (LOOKUP, ENRICH, RECENT, DIGEST, SUMMARY, RETRACT, WHO, STATUS, HELP)

_BY_VERB = {command.verb: command for command in ALL}
_AROUND_A_VERB = ":,.!?*_`"


async def answer(ask: Ask, services: Services) -> Reply:
    """Answer what was typed, all of which stands in `ask.text`; mistakes are answers, too."""
    try:
        command, rest = choose(ask.text)
        if command.needs_writes:
            require_writes(services.store)
        return await command.run(replace(ask, verb=command.verb, text=rest, commands=ALL), services)
    except BotError as error:
        return mistake(error)


def choose(text: str) -> tuple[Command, str]:
    """The command meant and what stands behind it; indicators alone mean lookup. Raises UsageError."""
    if not text.strip():
        return HELP, ""
    first, *rest = text.split(maxsplit=1)
    word = first.strip(_AROUND_A_VERB).casefold()
    if word in _BY_VERB:
        return _BY_VERB[word], "".join(rest).strip()
    if extract(text):
        return LOOKUP, text
    raise UsageError(_unknown(word))


def _unknown(word: str) -> str:
    near = get_close_matches(word[:32], _BY_VERB, n=1)
    meant = f"Did you mean “{near[0]}”?" if near else f"The commands are {', '.join(_BY_VERB)}."
    return f"There is no command “{word[:32]}”. {meant} Indicators alone are looked up."
