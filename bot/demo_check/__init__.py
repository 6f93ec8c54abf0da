"""The scripted conversation of `liaison demo --check`: over real HTTP, printed with what it proves."""

import json

from bot.demo_check import digests, services
from bot.demo_check.play import Play, Say, words
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.services import Fakes
from bot.services import Store

FILE = "a3a999d4c563810d6981a005b0369599f93c85dd7b30660803dfec2b2d705e5a"
HIDDEN, ABSENT = "relay1.quietfox.example", "relay0.quietfox.example"  # Kaspersky's at TLP:AMBER; nobody's

__all__ = ["ABSENT", "FILE", "HIDDEN", "check"]


async def check(sandbox: Sandbox, fakes: Fakes, store: Store, say: Say) -> bool:
    """Play all of it, the first digests being due; True if every promise was kept."""
    play = Play(sandbox, say)
    await digests.play_all(play, store)
    await _same_question_different_answers(play)
    await _hidden_is_absent(play)
    await _another_organisation_joins(play)
    await _sharing(play)
    await services.play_all(play, fakes, FILE)
    await _every_other_command(play)
    play.scene("What Slack saw")
    refused = [call.error for call in sandbox.calls if call.error]
    play.promise(refused == [], "it refused nothing that Liaison asked of it")
    say(f"\n{play.kept} of {play.kept + play.broken} promises kept.")
    return play.broken == 0


async def _same_question_different_answers(play: Play) -> None:
    play.scene("The same question, asked by the centre and by two vendors")
    ana = await play.slash("U0ANA", "C0ALL", f"lookup {FILE}")
    play.promise("Kaspersky" in ana and "Trend Micro" in ana, "the centre's analyst sees both claims")
    tomo = await play.direct("U0TOMO", f"lookup {FILE}")
    own = "Trend Micro" in tomo and "TLP:AMBER" not in tomo
    play.promise(own, "Trend Micro sees its own, not Kaspersky's")
    kira = await play.direct("U0KIRA", f"lookup {FILE}")
    play.promise(kira.startswith("TLP:AMBER"), "Kaspersky sees its own claim, labelled TLP:AMBER")
    play.promise(ana != tomo, "host and vendor got different answers")
    thread = await play.mention("U0KIRA", "C0ALL", f"lookup {FILE}")
    play.promise("TLP:AMBER" not in thread, "in the channel nobody reads more than everybody there may")
    nothing = await play.slash("U0TOMO", "C0ALL", "help")
    play.promise("not a valid command" in nothing, "a partner has no slash command, as in Slack")


async def _hidden_is_absent(play: Play) -> None:
    play.scene("What a partner may not see looks like what nobody has")
    hidden = await play.bytes_of_direct("U0TOMO", HIDDEN)
    absent = await play.bytes_of_direct("U0TOMO", ABSENT)
    same = hidden.replace(HIDDEN.replace(".", "[.]"), "…") == absent.replace(ABSENT.replace(".", "[.]"), "…")
    play.promise(same and len(hidden) == len(absent), "hidden and absent are the same bytes")
    kira = await play.direct("U0KIRA", f"lookup {HIDDEN}")
    play.promise("QuietFox" in kira, "its owner sees it")


async def _another_organisation_joins(play: Play) -> None:
    play.scene("Another organisation is invited into the channel")
    before = await play.mention("U0ANA", "C0TREND", f"lookup {FILE}")
    play.promise("QuietFox" in before, "with Trend Micro alone TLP:GREEN is said")
    await play.sandbox.invite("T0NEWCO", "C0TREND")
    play.note("NewCo Security is invited")
    invited = await play.mention("U0ANA", "C0TREND", f"lookup {FILE}")
    play.promise("QuietFox" not in invited, "while the invitation is open only TLP:CLEAR is said")
    await play.sandbox.accept("T0NEWCO", "C0TREND")
    play.note("NewCo Security accepted; Liaison does not know it")
    joined = await play.mention("U0ANA", "C0TREND", f"lookup {FILE}")
    play.promise("QuietFox" not in joined, "nor when an organisation reads along that nobody registered")
    who = await play.mention("U0TOMO", "C0TREND", "who")
    play.promise("does not know" in who, "“who” says so")
    await play.sandbox.disconnect("T0NEWCO", "C0TREND")


async def _sharing(play: Play) -> None:
    play.scene("Sharing an answer with its channel takes a second look at the readers")
    await play.slash("U0ANA", "C0KASP", f"lookup {FILE}")
    await play.press("U0ANA", "C0KASP", "share")
    [view] = play.sandbox.views_of("U0ANA")
    shown = json.dumps(view.view, ensure_ascii=False)
    play.note("a window opens: who will read it, under which label, and what exactly")
    play.promise("Kaspersky" in shown and "TLP:AMBER" in shown, "it names readers and label")
    await play.sandbox.submit("U0ANA", view.id, {})
    await play.sandbox.settled()
    read = "\n".join(words(message) for message in play.sandbox.seen_by("U0KIRA", "C0KASP"))
    play.promise("QuietFox" in read, "after Share, Kaspersky's people read it in the channel")


async def _every_other_command(play: Play) -> None:
    play.scene("What else the centre and its partners can ask")
    for text in ("status", "recent 7d", "help"):
        answers = (await play.slash("U0ANA", "C0ALL", text), await play.direct("U0TOMO", text))
        # an answer begins with its label; an apology for a failure has none
        answered = all(answer.startswith("TLP:") for answer in answers)
        play.promise(answered, f"“{text}” answers the centre and Trend Micro")
