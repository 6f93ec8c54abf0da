"""Channels on which posts stand, can be changed and deleted, and whose readers come and go."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bot.assertions import Assertion
from bot.blocks import Message
from bot.delivery.posting import Letter, PerhapsTakenError, ReadersChangedError, Starting, nothing
from bot.indicators import Indicator, Kind
from bot.organisations import Organisation, Registry
from bot.sharing import Audience, Reach
from bot.slack.audience import same_readers
from bot.tlp import Label
from tests.delivery.stage import Clock

HOST, OWN, OTHER = "C0ONE", "C0KASP", "C0TWO"
MAX_AGE = timedelta(seconds=300)
_NAMED = re.compile(r"host-([0-9]+)\[\.\]example\[\.\]org")

Fault = Callable[[str, str], str | Exception | None]


@dataclass
class Standing:
    """One message or file that can be seen."""

    channel: str
    ts: str
    nonce: str
    thread: str
    text: str
    names: frozenset[int]  # the numbers of the indicators in it
    edits: int = 0


@dataclass
class Board:
    """A `Correcting` with any channels; `fault` says what happens to a request about a channel.

    An error to raise instead of it, "lost" (done, the answer is lost) or "slow" (done 30 seconds later).
    """

    clock: Clock
    readers_now: dict[str, Audience] = field(default_factory=dict)
    fault: Fault = lambda request, channel: None
    before: Callable[[str], Awaitable[object]] | None = None  # happens before every request
    accepted: Callable[[Standing], object] = lambda standing: None
    standing: list[Standing] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    under_way: list[tuple[datetime, Standing]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    _number: int = 0

    async def readers(self, conversation: str) -> Audience:
        await self._request("readers", conversation)
        return self._look(conversation)

    async def post_marked(
        self,
        conversation: str,
        letter: Letter,
        *,
        nonce: str,
        thread: str = "",
        starting: Starting,
        checking: Starting = nothing,
    ) -> str:
        await starting()
        fault = await self._request("post", conversation)
        self._check(conversation, letter)
        await checking()
        new = Standing(conversation, "", nonce, thread, letter.message.text, names(letter.message))
        if fault == "slow":
            self.under_way.append((self.clock() + timedelta(seconds=30), new))
            raise PerhapsTakenError
        self._place(new)
        if fault == "lost":
            raise PerhapsTakenError
        return new.ts

    async def correct(self, conversation: str, ts: str, letter: Letter) -> None:
        await self._request("correct", conversation)
        self._check(conversation, letter)
        [there] = [each for each in self.standing if (each.channel, each.ts) == (conversation, ts)]
        there.text, there.names = letter.message.text, names(letter.message)
        there.edits += 1
        self.accepted(there)

    async def withdraw(self, conversation: str, ts: str) -> None:
        await self._request("withdraw", conversation)
        self.standing = [each for each in self.standing if (each.channel, each.ts) != (conversation, ts)]

    async def withdraw_file(self, conversation: str, file_id: str, *, oldest: datetime, thread: str) -> None:
        await self.delete_file(file_id)

    async def delete_file(self, file_id: str) -> None:
        await self._request("delete_file", "")
        self.standing = [each for each in self.standing if each.ts != file_id]

    async def attach(
        self,
        conversation: str,
        name: str,
        content: bytes,
        letter: Letter,
        *,
        thread: str,
        starting: Starting,
        checking: Starting = nothing,
    ) -> str:
        await starting()
        await self._request("attach", conversation)
        self._check(conversation, letter)
        await checking()
        inside = frozenset(map(int, _NAMED.findall(content.decode(errors="replace").replace(".", "[.]"))))
        new = Standing(conversation, "", name, thread, letter.message.text, names(letter.message) | inside)
        self._place(new)
        return new.ts

    async def find_marked(
        self, conversation: str, nonce: str, *, oldest: datetime, thread: str = ""
    ) -> list[str]:
        return await self._find("find", conversation, nonce, thread)

    async def find_attached(
        self, conversation: str, name: str, *, oldest: datetime, thread: str
    ) -> list[str]:
        return await self._find("find_attached", conversation, name, thread)

    def put(self, channel: str, *numbers: int, thread: str = "") -> Standing:
        """A post of ours that stands there already."""
        text = ", ".join(f"host-{number}[.]example[.]org" for number in numbers)
        new = Standing(channel, "", "", thread, text, frozenset(numbers))
        self._place(new)
        return new

    def at(self, channel: str) -> list[Standing]:
        """What stands in a channel, oldest first."""
        return [each for each in self.standing if each.channel == channel]

    def notes(self, channel: str) -> list[Standing]:
        """What was said of corrections there."""
        return [each for each in self.at(channel) if "correction" in each.text.splitlines()[0]]

    def joins(self, channel: str, *orgs: str) -> None:
        old = self.readers_now[channel]
        self.readers_now[channel] = replace(old, orgs=old.orgs | set(orgs))

    def leaves(self, channel: str, *orgs: str) -> None:
        old = self.readers_now[channel]
        self.readers_now[channel] = replace(old, orgs=old.orgs - set(orgs))

    def arrive(self) -> None:
        """What is slow and has had its time is there."""
        late, self.under_way = self.under_way, []
        for at, each in late:
            if at <= self.clock():
                self._place(each)
            else:
                self.under_way.append((at, each))

    def _look(self, channel: str) -> Audience:
        return replace(self.readers_now[channel], read_at=self.clock())

    def _check(self, channel: str, letter: Letter) -> None:
        read_at = letter.audience.read_at
        assert read_at is not None
        if not same_readers(letter.audience, self._look(channel)) or self.clock() - read_at > MAX_AGE:
            raise ReadersChangedError(readers=self._look(channel))

    async def _request(self, name: str, channel: str) -> str | None:
        self.requests.append((name, channel))
        self.arrive()
        if self.before is not None:
            await self.before(name)
        fault = self.fault(name, channel)
        if isinstance(fault, Exception):
            raise fault
        return fault

    async def _find(self, request: str, channel: str, nonce: str, thread: str) -> list[str]:
        await self._request(request, channel)
        return [each.ts for each in self.at(channel) if (each.nonce, each.thread) == (nonce, thread)]

    def _place(self, new: Standing) -> None:
        self._number += 1
        new.ts = f"{self.clock().timestamp():.0f}.{self._number:06}"
        self.standing.append(new)
        self.accepted(new)


def names(message: Message) -> frozenset[int]:
    """The numbers of the indicators that a message names anywhere."""
    return frozenset(map(int, _NAMED.findall(f"{message.text} {message.blocks!r}")))


def audience(*orgs: str, **known: Any) -> Audience:
    return Audience(reach=Reach.CHANNEL, orgs=frozenset(("igci", *orgs)), **known)


def registry() -> Registry:
    """The centre, two vendors of the community, and one partner outside of it."""

    def partner(slug: str, *, community: bool) -> Organisation:
        since, until = date(2020, 1, 1), date(2099, 12, 31)
        name, teams = slug.title(), frozenset((f"T0{slug.upper()}",))
        return Organisation(
            id=slug,
            name=name,
            teams=teams,
            community=community,
            since=since,
            until=until,
            alias=f"Partner {slug[0]}",
        )

    host = Organisation(id="igci", name="Centre", teams=frozenset(("T0HOST",)))
    partners = (
        partner("kaspersky", community=True),
        partner("trendmicro", community=True),
        partner("academy", community=False),
    )
    return Registry(host=host, partners=partners, caps={HOST: Label.AMBER, OWN: Label.AMBER_STRICT})


def indicator(number: int) -> Indicator:
    return Indicator(Kind.DOMAIN, f"host-{number}.example.org")


def claim(number: int, source: str = "kaspersky", label: Label = Label.GREEN, **known: Any) -> Assertion:
    return Assertion(indicator=indicator(number), source=source, label=label, **known)


LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
