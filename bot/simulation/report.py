"""Report: the figures of a day, for each hour and in all. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.simulation.judge import Outcome, Verdict
from bot.simulation.played import Heard
from bot.simulation.world import Script

MOST_MEMORY = 300_000_000  # bytes of a replica
SHOWN = 10  # complaints of a kind
MEGABYTE = 1_000_000
HOUR = timedelta(hours=1)


@dataclass(kw_only=True)
class Figures:
    """Of one hour, or of all."""

    asked: int = 0
    answered: int = 0
    refused: int = 0  # politely; asked again afterwards
    again: int = 0  # tries after the first
    due: int = 0
    posted: int = 0
    late: int = 0
    lost: int = 0
    doubled: int = 0
    leaked: int = 0
    latest: float = 0.0  # seconds after it was due
    answers: list[float] = field(default_factory=list)  # real seconds
    calls: Counter[str] = field(default_factory=Counter)
    limited: int = 0  # calls that were one too many
    memory: dict[int, int] = field(default_factory=dict)  # bytes, the most, by replica

    def plain(self) -> dict[str, object]:
        """As JSON has it."""
        counts = {
            name: getattr(self, name)
            for name in (
                *("asked", "answered", "refused", "again", "due", "posted", "late", "lost", "doubled"),
                *("leaked", "limited"),
            )
        }
        return {
            **counts,
            "latest_seconds": round(self.latest),
            "p50_ms": _ms(self.answers, 50),
            "p99_ms": _ms(self.answers, 99),
            "calls": dict(sorted(self.calls.items())),
            "memory_mb": {str(number): round(size / MEGABYTE) for number, size in self.memory.items()},
        }


@dataclass(kw_only=True)
class Report:
    """All of it, with what went wrong in words."""

    seed: int
    organisations: int
    channels: int
    speed: tuple[float, float]  # the most and the least
    seconds: float  # real ones that it took
    hours: Mapping[datetime, Figures]
    whole: Figures
    messages: int
    looked_at: int  # signs of claims in them
    raced: int
    uncorrected: int
    missing: int
    complaints: Sequence[str]

    @property
    def is_failed(self) -> bool:
        """Whether something was leaked, lost or doubled."""
        return bool(self.whole.leaked or self.whole.lost or self.whole.doubled)

    def plain(self) -> dict[str, object]:
        """As JSON has it."""
        return {
            "seed": self.seed,
            "organisations": self.organisations,
            "channels": self.channels,
            "speed": self.speed,
            "seconds": round(self.seconds),
            "total": self.whole.plain(),
            "messages": self.messages,
            "signs_of_claims": self.looked_at,
            "raced": self.raced,
            "uncorrected": self.uncorrected,
            "never_shown": self.missing,
            "hours": {f"{hour:%Y-%m-%dT%H}": figures.plain() for hour, figures in self.hours.items()},
            "complaints": list(self.complaints),
        }

    def __str__(self) -> str:
        """A table, and what went wrong."""
        head = (
            f"{self.organisations} organisations, {self.channels} channels, seed {self.seed}; "
            f"{self.speed[1]:.0f} to {self.speed[0]:.0f} times faster than real time, {self.seconds:.0f} s"
        )
        rows = [_HEADS, *(_row(f"{hour:%d %H}h", one) for hour, one in self.hours.items())]
        rows.append(_row("total", self.whole))
        widths = [max(len(row[place]) for row in rows) for place in range(len(_HEADS))]
        table = (
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
        )
        return "\n".join([head, "", *table, "", *self._rest()])

    def _rest(self) -> Iterator[str]:
        whole = self.whole
        calls = ", ".join(f"{name} {number:,}" for name, number in sorted(whole.calls.items()))
        yield f"calls to Slack: {calls}; too many: {whole.limited:,}"
        most = max(whole.memory.values(), default=0)
        yield f"memory of a replica: {most / MEGABYTE:.0f} MB at most (below {MOST_MEMORY / MEGABYTE:.0f})"
        yield f"the latest digest stood there {whole.latest:.0f} s after it was due; late is above 300 s"
        yield f"refused politely: {whole.refused}; asked again: {whole.again}"
        yield (
            f"seen by somebody who came within the minute: {self.raced}; still standing long after it was "
            f"taken back: {self.uncorrected}"
        )
        yield f"the judge looked at {self.messages:,} messages with {self.looked_at:,} signs of claims"
        yield from self.complaints
        yield f"leaked {whole.leaked}, lost {whole.lost}, doubled {whole.doubled}, late {whole.late}"


_HEADS = (
    *("hour", "asked", "answered", "p50 ms", "p99 ms", "due", "posted", "latest", "late", "lost", "doubled"),
    *("leaked", "refused", "info+", "users+", "posts", "429", "MB"),
)


def report(
    script: Script,
    heard: Heard,
    verdict: Verdict,
    *,
    memory: Mapping[datetime, Mapping[int, int]],
    seconds: float,
    speed: tuple[float, float],
) -> Report:
    """Count everything under the hour at which it was asked, due or shown."""
    hours: dict[datetime, Figures] = {}

    def at(moment: datetime) -> Figures:
        return hours.setdefault(moment.replace(minute=0, second=0, microsecond=0), Figures())

    hour = script.begins
    while hour < script.ends:
        at(hour)
        hour += HOUR
    _count_answers(at, script, heard)
    for outcome in verdict.outcomes:
        _count_outcome(at(outcome.due), outcome)
    for leak in verdict.leaks:
        at(leak.told.at).leaked += 1
    for moment, sizes in memory.items():
        at(moment).memory = dict(sizes)
    for (moment, name, too_many), number in heard.calls.items():
        at(moment).calls[name] += number
        at(moment).limited += number * too_many
    whole = _whole(hours.values())
    whole.doubled += len(verdict.duplicates)
    whole.lost += len(verdict.missing)
    return Report(
        seed=script.seed,
        organisations=len(script.parties),
        channels=len(script.rooms),
        speed=speed,
        seconds=seconds,
        hours=dict(sorted(hours.items())),
        whole=whole,
        messages=len(heard.told),
        looked_at=verdict.looked_at,
        raced=verdict.raced,
        uncorrected=len(verdict.uncorrected),
        missing=len(verdict.missing),
        complaints=list(_complaints(script, heard, verdict)),
    )


def _count_answers(at: object, script: Script, heard: Heard) -> None:
    by_number = {one.number: one for one in heard.asked}
    for question in script.questions:
        figures = at(question.at)  # type: ignore[operator]  # a function of the caller
        asked = by_number.get(question.number)
        if asked is None or asked.tries == 0:
            continue
        figures.asked += 1
        figures.refused += asked.refusals
        figures.again += asked.tries - 1
        if asked.seconds is not None:
            figures.answered += 1
            figures.answers.append(asked.seconds)
        else:
            figures.lost += 1


def _count_outcome(figures: Figures, outcome: Outcome) -> None:
    figures.due += outcome.says_something
    figures.posted += outcome.posted is not None
    figures.late += outcome.is_late
    figures.lost += outcome.is_lost
    figures.doubled += outcome.is_doubled
    if outcome.posted is not None:
        figures.latest = max(figures.latest, (outcome.posted - outcome.due).total_seconds())


def _whole(hours: object) -> Figures:
    whole = Figures()
    for one in hours:  # type: ignore[attr-defined]  # figures of the caller
        for name in (
            *("asked", "answered", "refused", "again", "due", "posted", "late", "lost", "doubled"),
            *("leaked", "limited"),
        ):
            setattr(whole, name, getattr(whole, name) + getattr(one, name))
        whole.latest = max(whole.latest, one.latest)
        whole.answers += one.answers
        whole.calls.update(one.calls)
        for number, size in one.memory.items():
            whole.memory[number] = max(whole.memory.get(number, 0), size)
    return whole


def _complaints(script: Script, heard: Heard, verdict: Verdict) -> Iterator[str]:
    """The first few of each kind."""
    for leak in verdict.leaks[:SHOWN]:
        told = leak.told
        yield (
            f"LEAKED {told.at:%d %H:%M:%S} in {told.place} ({told.kind}) to {leak.reader or 'a stranger'}: "
            f"{leak.claim.label or 'no label'} of {leak.claim.source}, “{told.head[:60]}”"
        )
    lost = [outcome for outcome in verdict.outcomes if outcome.is_lost]
    for one in lost[:SHOWN]:
        yield f"LOST {one.purpose} of {one.room}, due {one.due:%d %H:%M}"
    for room, value in verdict.missing[:SHOWN]:
        yield f"LOST {value} was for all readers of {room} and never shown there"
    unanswered = [one for one in heard.asked if one.seconds is None]
    for asked in unanswered[:SHOWN]:
        question = script.questions[asked.number]
        yield f"LOST question {asked.number} by {question.surface} in {question.room}, {asked.at:%d %H:%M}"
    for one in [outcome for outcome in verdict.outcomes if outcome.is_doubled][:SHOWN]:
        yield f"DOUBLED {one.purpose} of {one.room}, due {one.due:%d %H:%M}"
    for twice in verdict.duplicates[:SHOWN]:
        yield f"DOUBLED {twice.ts} in {twice.place}: “{twice.head[:60]}”"
    for post, word in verdict.uncorrected[:SHOWN]:
        yield f"STILL STANDS {word} in {post.place}: “{post.head[:60]}”"


def _row(name: str, one: Figures) -> tuple[str, ...]:
    memory = max(one.memory.values(), default=0) / MEGABYTE
    counts = (
        one.due,
        one.posted,
        round(one.latest),
        one.late,
        one.lost,
        one.doubled,
        one.leaked,
        one.refused,
    )
    calls = (one.calls["tier 3"], one.calls["tier 4"], one.calls["posts"], one.limited)
    answers = (_ms(one.answers, 50), _ms(one.answers, 99))
    cells = (one.asked, one.answered, *answers, *counts, *calls, round(memory))
    return (name, *(f"{cell:,}" for cell in cells))


def _ms(seconds: list[float], percent: int) -> int:
    if not seconds:
        return 0
    return round(1000 * sorted(seconds)[min(len(seconds) * percent // 100, len(seconds) - 1)])
