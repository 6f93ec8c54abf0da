"""Judge: who was shown what they may not know, and what was due and never came. Pure.

It shares nothing with the bot: it knows the script, hears what the sandbox showed to whom, and holds the
release policy as a table of its own. Values are looked for wherever they stand, files included, in the forms
that people write them; of claims whose value somebody else may name, the word of their family tells.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.simulation.mornings import dues
from bot.simulation.played import SERVICE, SETTLED, Arrived, Play, Standing, Told, names, telling
from bot.simulation.policy import Policy
from bot.simulation.world import (
    BOT,
    CLEAR,
    GREEN,
    HOST,
    LABELS,
    RED,
    UNREADABLE,
    Claim,
    Question,
    Room,
    Script,
)

STRANGER = ""
REWRITTEN = timedelta(seconds=300)  # what a source changed may still stand in what was written before
LATE = timedelta(minutes=5)
CEILINGS = {
    "virustotal": GREEN,
    "hashlookup": CLEAR,
}  # the strictest label that services are asked about
CORRECTED = timedelta(minutes=45)  # after a change nothing stands there that shows it


@dataclass(frozen=True, kw_only=True)
class Leak:
    """Somebody could read what is not for them."""

    told: Told
    word: str
    claim: Claim
    reader: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of something that was due."""

    room: str
    purpose: str
    due: datetime
    posted: datetime | None
    says_something: bool
    is_doubled: bool = False

    @property
    def is_lost(self) -> bool:
        """It had something to say and never stood there."""
        return self.says_something and self.posted is None

    @property
    def is_late(self) -> bool:
        """It came more than five minutes after it was due."""
        return self.posted is not None and self.posted - self.due > LATE


@dataclass(kw_only=True)
class Verdict:
    """All that was found."""

    leaks: list[Leak] = field(default_factory=list)
    raced: int = 0  # read along by somebody who had come less than a minute before
    outcomes: list[Outcome] = field(default_factory=list)
    missing: list[tuple[str, str]] = field(default_factory=list)  # room and value never shown there
    uncorrected: list[tuple[Standing, str]] = field(default_factory=list)
    looked_at: int = 0  # signs of claims in what was shown
    duplicates: list[Standing] = field(default_factory=list)


@dataclass(frozen=True)
class _Record:
    """A claim with what its source did about it; times between which each change took place."""

    claim: Claim
    stored: Arrived
    revoked: Arrived | None = None
    narrowed: Arrived | None = None


def judge(script: Script, play: Play) -> Verdict:
    """Look at everything that was shown, and at everything that should have been."""
    court = _Court(script, play)
    verdict = Verdict()
    for told in play.told:
        court.try_one(told, verdict)
    verdict.outcomes = list(court.outcomes())
    verdict.duplicates = court.duplicates()
    verdict.missing = list(court.missing(verdict.outcomes))
    verdict.uncorrected = list(court.uncorrected())
    return verdict


class _Court:
    def __init__(self, script: Script, play: Play) -> None:
        self._script, self._play = script, play
        self._policy = Policy(script.parties)
        self._homes = script.homes
        self._caps = {room.id: room.cap for room in script.rooms}
        self._rooms = {room.id: room for room in script.rooms}
        self._teams = {party.team: party.slug for party in script.parties}
        self._records = _records(script, play)
        self._came = [each for each in self._records if each.stored.begun >= script.begins]
        self._about: dict[str, list[_Record]] = defaultdict(list)
        for record in self._records:
            for word in names(record.claim):
                self._about[word].append(record)
        self._said = _said(script)
        self._posts = _posts(play)

    # --- leaks -----------------------------------------------------------------------------------------

    def try_one(self, told: Told, verdict: Verdict) -> None:
        """Everybody who could read it may know each claim that it gives away."""
        for word in told.words:
            records = self._about.get(word, [])
            verdict.looked_at += bool(records)
            if told.kind == SERVICE:
                verdict.leaks += self._asked_of_a_service(told, word, records)
                continue
            if not records or self._was_said(word, told):
                continue
            shut_out = self._shut_out(told, records)
            if shut_out and shut_out <= told.newcomers:
                verdict.raced += 1
            elif shut_out:
                reader = min(shut_out - told.newcomers)
                verdict.leaks.append(Leak(told=told, word=word, claim=records[0].claim, reader=reader))

    def _asked_of_a_service(self, told: Told, word: str, records: Sequence[_Record]) -> Iterator[Leak]:
        """One claim about it that may not leave is enough, whoever else says the same."""
        for record in records:
            claim, moment = record.claim, told.at - REWRITTEN
            stands = record.stored.done < moment and not record.revoked and not record.narrowed
            label = self._policy.label(claim)
            # Nobody's question may depend on what they may not see: TLP:RED is for named persons, not for all
            # of the centre, whose people alone have services asked.
            is_free = claim.label in (UNREADABLE, RED) or not _is_valid(claim, told.at)
            may_leave = LABELS.index(label) <= LABELS.index(CEILINGS[told.place]) and not claim.only_orgs
            if stands and not is_free and not may_leave:
                yield Leak(told=told, word=word, claim=claim, reader=told.place)

    def _was_said(self, word: str, told: Told) -> bool:
        """A value that somebody asked about there may be repeated there; a family's word never is."""
        return not word.startswith("zq") and any(
            word in self._said.get((reader, told.place), ()) for reader in (*told.readers, "")
        )

    def _shut_out(self, told: Told, records: Sequence[_Record]) -> frozenset[str]:
        """The readers for whom none of these claims is; no reader may be left if one claim is for all."""
        fewest: frozenset[str] | None = None
        for record in records:
            out = self._out_of(told, record)
            fewest = out if fewest is None or len(out) < len(fewest) else fewest
            if not out:
                break
        return fewest or frozenset()

    def _out_of(self, told: Told, record: _Record) -> frozenset[str]:
        everybody = {user: self._homes.get(user, STRANGER) for user in told.readers}
        orgs = {org: org for org in told.orgs}
        return frozenset(
            reader
            for reader, org in (*everybody.items(), *orgs.items())
            if not self._may(reader, org, told, record)
        )

    def _may(self, reader: str, org: str, told: Told, record: _Record) -> bool:
        """Under one of the states that its source gave it lately."""
        states = _states(record, told.at)
        return any(self._may_now(reader, org, told, record.claim, *state) for state in states)

    def _may_now(
        self, reader: str, org: str, told: Told, claim: Claim, revoked: bool, narrowed: bool
    ) -> bool:
        if not _is_valid(claim, told.at):
            return False
        label = self._policy.label(claim, narrowed=narrowed)
        if label == RED and (told.kind not in ("ephemeral", "modal") or reader not in claim.persons):
            return False
        cap = self._caps.get(told.place)
        if told.kind == "channel" and label != CLEAR and LABELS.index(label) > LABELS.index(cap or LABELS[1]):
            return False
        days = (told.at, told.at - SETTLED)  # an agreement that ended a moment ago
        return any(self._policy.reaches(org, claim, day, revoked=revoked, narrowed=narrowed) for day in days)

    # --- what was due ----------------------------------------------------------------------------------

    def outcomes(self) -> Iterator[Outcome]:
        """Each period of each channel, with the post that came of it."""
        for one in self._script.subscribed:
            moments = list(dues(one, self._script.begins, self._script.ends))
            for number, due in enumerate(moments):
                until = moments[number + 1] if number + 1 < len(moments) else None
                posts = self._between(one.room, one.purpose, due, until)
                nonces = {post.nonce for post in posts}
                before = moments[number - 1] if number else None
                yield Outcome(
                    room=one.room,
                    purpose=one.purpose,
                    due=due,
                    posted=min((post.at for post in posts), default=None),
                    says_something=one.purpose == "summary" or bool(self._new(one.room, before, due)),
                    is_doubled=len(nonces & self._standing_nonces(one.room)) > 1,
                )

    def missing(self, outcomes: Iterable[Outcome]) -> Iterator[tuple[str, str]]:
        """What was for all readers of a channel, and was never shown there after the digest was due."""
        shown: dict[str, set[str]] = defaultdict(set)
        for told in self._play.told:
            if told.kind == "channel":
                shown[told.place] |= told.words
        latest: dict[str, datetime] = {}
        for outcome in outcomes:
            if outcome.purpose != "digest":
                continue
            for claim in self._new(outcome.room, latest.get(outcome.room), outcome.due):
                if not names(claim) & shown[outcome.room]:
                    yield outcome.room, claim.value
            latest[outcome.room] = outcome.due

    def duplicates(self) -> list[Standing]:
        """Posts that stand there twice."""
        found, seen = [], set[tuple[str, str]]()
        for each in self._play.standing:
            if each.nonce and (each.place, each.nonce) in seen:
                found.append(each)
            seen.add((each.place, each.nonce))
        return found

    def uncorrected(self) -> Iterator[tuple[Standing, str]]:
        """What stands there in the end although its source took it back long ago."""
        taken = {
            word: record
            for record in self._records
            for word in names(record.claim)
            if record.revoked or record.narrowed
        }
        ended = self._script.ends
        for post in self._play.standing:
            if not post.nonce or "correction" in post.head:
                continue
            for word in post.words & taken.keys():
                record = taken[word]
                changed = record.revoked or record.narrowed
                is_old = changed is not None and changed.done + CORRECTED < ended
                is_said = record.revoked is not None and "withdrawn" in post.head
                if is_old and not is_said and len(self._about[word]) == 1:
                    yield post, word

    def _new(self, room: str, after: datetime | None, due: datetime) -> list[Claim]:
        """What came for all who read that channel, neither hidden then nor changed since; no close calls."""
        readers = self._readers(room, due)
        if readers is None:
            return []
        found = []
        for record in self._came:
            claim, stored = record.claim, record.stored
            if after and stored.begun < after + REWRITTEN:
                continue
            is_odd = claim.not_before or claim.not_after or record.revoked or record.narrowed
            if stored.done > due - SETTLED or is_odd:
                continue
            label = self._policy.label(claim)
            if label == RED or (label != CLEAR and LABELS.index(label) > LABELS.index(self._caps[room])):
                continue
            days = (due, due + LATE)
            if all(
                self._policy.reaches(org, claim, day, revoked=False, narrowed=False)
                for org in readers
                for day in days
            ):
                found.append(claim)
        return found

    def _readers(self, room: str, at: datetime) -> frozenset[str] | None:
        """The organisations that read it around that time; None while that changes."""
        place = self._rooms[room]
        moves = [move for move in self._script.moves if move.room == room]
        if any(abs(move.at - at) < LATE * 3 for move in moves):
            return None
        orgs = {HOST, *place.connected, *self._of(place)}
        for move in moves:
            if move.at < at and move.act in ("invite", "accept"):
                orgs.add(self._teams[move.who])
                orgs.add("?")  # while it is only invited nothing but TLP:CLEAR is said
            if move.at < at and move.act == "accept":
                orgs.discard("?")
            if move.at < at and move.act == "disconnect":
                orgs.discard(self._teams[move.who])
        return frozenset(orgs)

    def _of(self, room: Room) -> set[str]:
        return {self._homes.get(user, STRANGER) for user in room.members if user != BOT}

    def _between(self, room: str, purpose: str, due: datetime, until: datetime | None) -> list[Told]:
        return [
            post
            for post in self._posts.get((room, purpose), ())
            if due <= post.at and (until is None or post.at < until)
        ]

    def _standing_nonces(self, room: str) -> frozenset[str]:
        return frozenset(each.nonce for each in self._play.standing if each.place == room and each.nonce)


def _records(script: Script, play: Play) -> list[_Record]:
    revoked: dict[tuple[str, str], Arrived] = {}
    narrowed: dict[tuple[str, str], Arrived] = {}
    for batch, arrived in zip(script.batches, play.batches, strict=True):
        revoked |= {(claim.source, claim.value): arrived for claim in batch.revokes}
        narrowed |= {(claim.source, claim.value): arrived for claim in batch.narrows}
    known = [(claim, batch.at, batch.at) for batch in script.stored for claim in batch.claims]
    came = [
        (claim, arrived.begun, arrived.done)
        for batch, arrived in zip(script.batches, play.batches, strict=True)
        for claim in batch.claims
    ]
    return [
        _Record(
            claim,
            Arrived(begun=begun, done=done),
            revoked.get((claim.source, claim.value)),
            narrowed.get((claim.source, claim.value)),
        )
        for claim, begun, done in (*known, *came)
    ]


def _states(record: _Record, at: datetime) -> list[tuple[bool, bool]]:
    """Revoked and narrowed as they are, and as they were while what was written before may still come."""
    return [(_was(record.revoked, moment), _was(record.narrowed, moment)) for moment in (at, at - REWRITTEN)]


def _was(change: Arrived | None, at: datetime) -> bool:
    return change is not None and change.done < at


def _is_valid(claim: Claim, at: datetime) -> bool:
    begun = claim.not_before is None or claim.not_before <= at
    return begun and (claim.not_after is None or at - REWRITTEN <= claim.not_after)


def _said(script: Script) -> Mapping[tuple[str, str], set[str]]:
    """What each person asked, and in which channel; "" stands for everybody who reads the channel."""
    said: dict[tuple[str, str], set[str]] = defaultdict(set)
    for question in script.questions:
        words = telling(" ".join(question.values))
        if question.surface == "mention":
            said["", question.room] |= words
        else:
            said[question.user, place_of(question)] |= words
    return said


def place_of(question: Question) -> str:
    """Where its answer stands; direct conversations go by their person."""
    return f"@{question.user}" if question.surface == "dm" else question.room


def _posts(play: Play) -> Mapping[tuple[str, str], list[Told]]:
    """The first words of each digest and each summary, by channel and purpose."""
    found: dict[tuple[str, str], list[Told]] = defaultdict(list)
    for told in play.told:
        if told.nonce and not told.thread and not told.is_edit and told.kind == "channel":
            for purpose in ("digest", "summary"):
                if f"· {purpose}" in told.head.splitlines()[0]:
                    found[told.place, purpose].append(told)
    return found
