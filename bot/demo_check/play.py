"""Play: people of the sandbox ask and read; what they read is printed, promises are counted."""

import html
import json
import re
from collections.abc import Callable

from bot.sandbox.sandbox import Sandbox
from bot.sandbox.workspace import File, Message

LIAISON = "<@U0LIAISON>"
SETTLED_SECONDS = 20.0  # an answer that waits for a silent service takes its time
_DATE = re.compile(r"<!date\^[^|<>]{1,80}\|([^<>]{1,60})>")

Say = Callable[[str], None]


class Play:
    """Says lines, reads answers, keeps count."""

    def __init__(self, sandbox: Sandbox, say: Say) -> None:
        self.sandbox, self._say = sandbox, say
        self.kept = self.broken = 0

    def scene(self, title: str) -> None:
        """Begin a scene."""
        self._say(f"\n== {title}")

    def note(self, words: str) -> None:
        """Say what happens without words."""
        self._say(f"   ({words})")

    def promise(self, holds: bool, words: str) -> None:
        """Count a promise as kept or broken."""
        self.kept, self.broken = self.kept + holds, self.broken + (not holds)
        self._say(f"   {'✓' if holds else '✗ BROKEN:'} {words}")

    async def slash(self, user: str, channel: str, text: str) -> str:
        """What the person reads after a slash command, in the end."""
        _, last = await self.growing(user, channel, text)
        return last

    async def growing(self, user: str, channel: str, text: str) -> tuple[str, str]:
        """What the person reads after a slash command at once and, in its place, in the end."""
        self._does(user, f"in {self.called(channel)}: /intel {text}")
        asked_at = self.sandbox.workspace.next_ts()

        def answers() -> list[Message]:
            seen = self.sandbox.seen_by(user, channel)
            return [each for each in seen if each.ts > asked_at and each.ephemeral]

        await self.sandbox.slash(user, channel, text)
        first = await self.sandbox.until(lambda: _looked_up(answers()), SETTLED_SECONDS)
        await self.sandbox.settled(SETTLED_SECONDS)
        return first, self._reads(user, answers())

    async def mention(self, user: str, channel: str, text: str) -> str:
        """What everybody reads in the thread of a mention."""
        self._does(user, f"in {self.called(channel)}: @Liaison {text}")
        ts = await self.sandbox.say(user, channel, f"{LIAISON} {text}")
        await self.sandbox.settled(SETTLED_SECONDS)
        answers = [m for m in self.sandbox.seen_by(user, channel) if m.thread_ts == ts and m.ts != ts]
        return self._reads("everybody there", answers)

    async def direct(self, user: str, text: str) -> str:
        """What the person reads in the direct conversation."""
        self._does(user, f"to Liaison alone: {text}")
        return self._reads(user, await self._direct(user, text))

    async def bytes_of_direct(self, user: str, value: str) -> str:
        """The same as Slack got it, but for the nonce that each answer has of its own."""
        self._does(user, f"to Liaison alone: lookup {value}")
        answers = await self._direct(user, f"lookup {value}")
        self._reads(user, answers)
        calls = [call for call in self.sandbox.calls if call.method == "chat.postMessage"]
        sent = dict(calls[-1].arguments)
        if isinstance(marked := sent.get("metadata"), dict):
            sent["metadata"] = {name: len(str(told)) for name, told in marked.items()}
        return json.dumps(sent, sort_keys=True)

    def files(self, user: str) -> list[File]:
        """What files the person has got in the direct conversation."""
        messages = self.sandbox.seen_by(user, self.sandbox.open_dm(user))
        received = [file for message in messages for file in message.files]
        for file in received:
            self._say(f"   ({file.name}: {len(file.text.splitlines())} lines)")
        return received

    def reads(self, user: str, channel: str, messages: list[Message]) -> str:
        """What a person reads in a channel where nobody asked."""
        self._does(user, f"reads in {self.called(channel)}")
        return self._reads(user, messages)

    async def press(self, user: str, channel: str, action: str) -> None:
        """Press a button of the last answer."""
        self._does(user, f"in {self.called(channel)}: [{action}]")
        last = self.sandbox.seen_by(user, channel)[-1]
        await self.sandbox.click(user, channel, last.ts, action)
        await self.sandbox.settled(SETTLED_SECONDS)

    async def _direct(self, user: str, text: str) -> list[Message]:
        conversation = self.sandbox.open_dm(user)
        ts = await self.sandbox.say(user, conversation, text)
        await self.sandbox.settled(SETTLED_SECONDS)
        return [message for message in self.sandbox.seen_by(user, conversation) if message.ts > ts]

    def _does(self, user: str, words: str) -> None:
        person = self.sandbox.workspace.user(user)
        team = self.sandbox.workspace.team_of(user).name
        self._say(f"\n{person.real_name} ({team}) {words}")

    def _reads(self, reader: str, messages: list[Message]) -> str:
        text = "\n".join(map(words, messages))
        for line in text.splitlines():
            self._say(f"   | {line}")
        return text

    def called(self, channel: str) -> str:
        """The channel as people call it."""
        return f"#{self.sandbox.workspace.channel(channel).name}"


def _looked_up(messages: list[Message]) -> str:
    """The text of an answer; "" as long as a busy machine has none."""
    text = "\n".join(map(words, messages))
    return "" if "Looking…" in text else text


def words(message: Message) -> str:
    """The text of a message as a person reads it."""
    return html.unescape(_DATE.sub(r"\1", message.text))
