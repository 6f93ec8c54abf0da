"""The scripted conversation of `liaison demo --check`: over real HTTP, printed with what it proves."""

import html
import json
import re
from collections.abc import Callable

from bot.sandbox.sandbox import Sandbox
from bot.sandbox.workspace import Message

FILE = "a3a999d4c563810d6981a005b0369599f93c85dd7b30660803dfec2b2d705e5a"
HIDDEN, ABSENT = "relay1.quietfox.example", "relay0.quietfox.example"  # Kaspersky's at TLP:AMBER; nobody's
LIAISON = "<@U0LIAISON>"
_DATE = re.compile(r"<!date\^[^|<>]{1,80}\|([^<>]{1,60})>")

Say = Callable[[str], None]


async def check(sandbox: Sandbox, say: Say) -> bool:
    """Play all of it; True if every promise was kept."""
    play = _Play(sandbox, say)
    await _same_question_different_answers(play)
    await _hidden_is_absent(play)
    await _another_organisation_joins(play)
    await _sharing(play)
    await _every_other_command(play)
    say(f"\n{play.kept} of {play.kept + play.broken} promises kept.")
    return play.broken == 0


async def _same_question_different_answers(play: "_Play") -> None:
    play.scene("The same question, asked by the centre and by two vendors")
    ana = await play.slash("U0ANA", "C0ALL", f"lookup {FILE}")
    play.promise("Kaspersky" in ana and "Trend Micro" in ana, "the centre's analyst sees both claims")
    tomo = await play.direct("U0TOMO", f"lookup {FILE}")
    play.promise(
        "Trend Micro" in tomo and "TLP:AMBER" not in tomo, "Trend Micro sees its own, not Kaspersky's"
    )
    kira = await play.direct("U0KIRA", f"lookup {FILE}")
    play.promise(kira.startswith("TLP:AMBER"), "Kaspersky sees its own claim, labelled TLP:AMBER")
    play.promise(ana != tomo, "host and vendor got different answers")
    thread = await play.mention("U0KIRA", "C0ALL", f"lookup {FILE}")
    play.promise("TLP:AMBER" not in thread, "in the channel nobody reads more than everybody there may")
    nothing = await play.slash("U0TOMO", "C0ALL", "help")
    play.promise("not a valid command" in nothing, "a partner has no slash command, as in Slack")


async def _hidden_is_absent(play: "_Play") -> None:
    play.scene("What a partner may not see looks like what nobody has")
    hidden = await play.bytes_of_direct("U0TOMO", HIDDEN)
    absent = await play.bytes_of_direct("U0TOMO", ABSENT)
    same = hidden.replace(HIDDEN.replace(".", "[.]"), "…") == absent.replace(ABSENT.replace(".", "[.]"), "…")
    play.promise(same and len(hidden) == len(absent), "hidden and absent are the same bytes")
    kira = await play.direct("U0KIRA", f"lookup {HIDDEN}")
    play.promise("QuietFox" in kira, "its owner sees it")


async def _another_organisation_joins(play: "_Play") -> None:
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


async def _sharing(play: "_Play") -> None:
    play.scene("Sharing an answer with its channel takes a second look at the readers")
    await play.slash("U0ANA", "C0KASP", f"lookup {FILE}")
    await play.press("U0ANA", "C0KASP", "share")
    [view] = play.sandbox.views_of("U0ANA")
    words = json.dumps(view.view, ensure_ascii=False)
    play.note("a window opens: who will read it, under which label, and what exactly")
    play.promise("Kaspersky" in words and "TLP:AMBER" in words, "it names readers and label")
    await play.sandbox.submit("U0ANA", view.id, {})
    await play.sandbox.settled()
    read = "\n".join(_words(message) for message in play.sandbox.seen_by("U0KIRA", "C0KASP"))
    play.promise("QuietFox" in read, "after Share, Kaspersky's people read it in the channel")


async def _every_other_command(play: "_Play") -> None:
    play.scene("What else the centre and its partners can ask")
    for text in ("status", "recent 7d", "help"):
        answers = (await play.slash("U0ANA", "C0ALL", text), await play.direct("U0TOMO", text))
        # an answer begins with its label; an apology for a failure has none
        answered = all(answer.startswith("TLP:") for answer in answers)
        play.promise(answered, f"“{text}” answers the centre and Trend Micro")


class _Play:
    """Says lines, reads answers, keeps count."""

    def __init__(self, sandbox: Sandbox, say: Say) -> None:
        self.sandbox, self._say = sandbox, say
        self.kept = self.broken = 0

    def scene(self, title: str) -> None:
        self._say(f"\n== {title}")

    def note(self, words: str) -> None:
        self._say(f"   ({words})")

    def promise(self, holds: bool, words: str) -> None:
        self.kept, self.broken = self.kept + holds, self.broken + (not holds)
        self._say(f"   {'✓' if holds else '✗ BROKEN:'} {words}")

    async def slash(self, user: str, channel: str, text: str) -> str:
        """What the person reads after a slash command."""
        self._asks(user, f"in #{self._name(channel)}: /intel {text}")
        seen = len(self.sandbox.seen_by(user, channel))
        await self.sandbox.slash(user, channel, text)
        await self.sandbox.settled()
        return self._reads(user, self.sandbox.seen_by(user, channel)[seen:])

    async def mention(self, user: str, channel: str, text: str) -> str:
        """What everybody reads in the thread of a mention."""
        self._asks(user, f"in #{self._name(channel)}: @Liaison {text}")
        ts = await self.sandbox.say(user, channel, f"{LIAISON} {text}")
        await self.sandbox.settled()
        answers = [m for m in self.sandbox.seen_by(user, channel) if m.thread_ts == ts and m.ts != ts]
        return self._reads("everybody there", answers)

    async def direct(self, user: str, text: str) -> str:
        """What the person reads in the direct conversation."""
        self._asks(user, f"to Liaison alone: {text}")
        return self._reads(user, await self._direct(user, text))

    async def bytes_of_direct(self, user: str, value: str) -> str:
        """The same as Slack got it."""
        self._asks(user, f"to Liaison alone: lookup {value}")
        answers = await self._direct(user, f"lookup {value}")
        self._reads(user, answers)
        calls = [call for call in self.sandbox.calls if call.method == "chat.postMessage"]
        return json.dumps(calls[-1].arguments, sort_keys=True)

    async def press(self, user: str, channel: str, action: str) -> None:
        """Press a button of the last answer."""
        self._asks(user, f"in #{self._name(channel)}: [{action}]")
        last = self.sandbox.seen_by(user, channel)[-1]
        await self.sandbox.click(user, channel, last.ts, action)
        await self.sandbox.settled()

    async def _direct(self, user: str, text: str) -> list[Message]:
        conversation = self.sandbox.open_dm(user)
        ts = await self.sandbox.say(user, conversation, text)
        await self.sandbox.settled()
        return [message for message in self.sandbox.seen_by(user, conversation) if message.ts > ts]

    def _asks(self, user: str, words: str) -> None:
        person = self.sandbox.workspace.user(user)
        team = self.sandbox.workspace.team_of(user).name
        self._say(f"\n{person.real_name} ({team}) {words}")

    def _reads(self, reader: str, messages: list[Message]) -> str:
        words = "\n".join(map(_words, messages))
        for line in words.splitlines():
            self._say(f"   | {line}")
        return words

    def _name(self, channel: str) -> str:
        return self.sandbox.workspace.channel(channel).name


def _words(message: Message) -> str:
    """The text of a message as a person reads it."""
    return html.unescape(_DATE.sub(r"\1", message.text))
