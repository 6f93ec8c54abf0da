"""Transcript: everything that anybody could read in the sandbox, and who they were at that moment."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from functools import partial

from bot.sandbox import Message, Recorded, Sandbox, View
from bot.sandbox.rates import tier
from bot.sandbox.services import Fake
from bot.simulation.played import SERVICE, SETTLED, Standing, Told, telling
from bot.simulation.world import BOT, Script

HEAD = 200  # characters that are kept of the words themselves
ODD = "no tier"  # uploads and response URLs


class Transcript:
    """Listens to a sandbox from its creation on."""

    def __init__(self, sandbox: Sandbox, script: Script, clock: Callable[[], datetime]) -> None:
        self._sandbox, self._workspace, self._clock = sandbox, sandbox.workspace, clock
        self._slugs = {party.org: party.slug for party in script.parties}
        self.told: list[Told] = []
        self.calls: Counter[tuple[datetime, str, bool]] = Counter()  # by hour, tier, whether it was too many
        self.watchers: list[Callable[[Message], object]] = []
        self._since: dict[tuple[str, str], datetime] = {}  # when somebody was first seen reading a place
        self._workspace.said = self._said
        self._workspace.opened = self._opened
        sandbox.watch_calls(self._called)

    def standing(self) -> list[Standing]:
        """What stands in channels now and came from the bot."""
        return [
            Standing(
                place=place.id,
                ts=message.ts,
                nonce=_nonce(message),
                thread=message.thread_ts or "",
                words=telling(message.readable),
                head=_head(message),
            )
            for place in self._workspace.channels.values()
            if place.kind == "channel"
            for message in place.messages
            if message.user == BOT and not message.ephemeral
        ]

    def note_readers(self, place: str) -> None:
        """Somebody begins to read that channel now."""
        self._newcomers(place, self._readers(place), self._orgs(place), self._clock())

    def begin(self) -> None:
        """Whoever reads a channel now was there before."""
        long_ago = self._clock() - 2 * SETTLED
        for place in self._workspace.channels:
            self._newcomers(place, self._readers(place), self._orgs(place), long_ago)

    def _said(self, message: Message) -> None:
        for watcher in self.watchers:
            watcher(message)
        if message.user != BOT and not message.ephemeral:
            return  # what people say is their own business
        if message.note:
            return
        place = self._workspace.channel(message.channel)
        at = self._clock()
        readers = frozenset((message.only_for,)) if message.only_for else self._readers(place.id)
        orgs = self._orgs(place.id) if place.kind == "channel" and not message.only_for else frozenset()
        self.told.append(
            Told(
                at=at,
                place=_name(place.kind, place.id, readers),
                kind="ephemeral" if message.only_for else place.kind,
                ts=message.ts,
                thread=message.thread_ts or "",
                nonce=_nonce(message),
                is_edit=message.edited,
                readers=readers,
                orgs=orgs,
                newcomers=self._newcomers(place.id, readers, orgs, at),
                words=telling(message.readable),
                head=_head(message),
            )
        )

    def _opened(self, view: View) -> None:
        self.told.append(
            Told(
                at=self._clock(),
                place=f"@{view.user}",
                kind="modal",
                ts=view.hash,
                readers=frozenset((view.user,)),
                orgs=frozenset(),
                words=telling(str(view.view)),
                head="a modal",
            )
        )

    def watch(self, service: Fake) -> None:
        """Hear what that service is asked, too."""
        service.changed = partial(self._asked, service)

    def _asked(self, service: Fake) -> None:
        if service.calls:
            value = service.calls[-1].value
            self.told.append(
                Told(
                    at=self._clock(),
                    place=service.name,
                    kind=SERVICE,
                    ts=str(len(service.calls)),
                    readers=frozenset(),
                    orgs=frozenset(),
                    words=telling(value),
                    head=f"a question to {service.title}",
                )
            )

    def _called(self, call: Recorded) -> None:
        hour = self._clock().replace(minute=0, second=0, microsecond=0)
        name = f"tier {tier(call.method)}" if "." in call.method else ODD
        if call.method == "chat.postMessage":
            name = "posts"
        self.calls[hour, name, call.error in ("ratelimited", "rate_limited")] += 1

    def _readers(self, place: str) -> frozenset[str]:
        return frozenset(user for user in self._workspace.channel(place).members if user != BOT)

    def _orgs(self, place: str) -> frozenset[str]:
        channel = self._workspace.channel(place)
        return frozenset(self._slugs.get(org, "") for org in (*channel.connected, *channel.pending))

    def _newcomers(
        self, place: str, readers: frozenset[str], orgs: frozenset[str], at: datetime
    ) -> frozenset[str]:
        since = {who: self._since.setdefault((place, who), at) for who in (*readers, *orgs)}
        return frozenset(who for who, began in since.items() if began > at - SETTLED)


def _name(kind: str, place: str, readers: frozenset[str]) -> str:
    return f"@{min(readers)}" if kind == "im" and readers else place


def _nonce(message: Message) -> str:
    payload = (message.metadata or {}).get("event_payload", {})
    return str(payload.get("nonce", ""))


def _head(message: Message) -> str:
    return message.text[:HEAD] or "(no words)"
