"""Measure extraction on published reports: recall, structural faults, hard cases, speed, hostile texts."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.bench.adversarial import Timing, forms, timings
from bot.bench.peers import OURS, megabytes_per_second
from bot.bench.structure import fault, readable
from bot.errors import UsageError
from bot.extraction import extract
from bot.indicators import Indicator, Kind

RECALL = 0.997
FAULTS = 0.0015  # of all that was found
HARD_CASES = 0.97
TIMES_FASTER = 3.0
HOSTILE_SECONDS = 0.5  # at 100 kB
GROWTH = 30.0  # 1 MB beside 100 kB; linear is 10, quadratic 100, the rest is caches and noise
NOTICEABLE_SECONDS = 0.02  # growth of what is faster than this cannot be measured

_SCHEME = re.compile(r"\A[a-z][a-z0-9+.-]*://")
TEXT_FORMATS = ("text", "markdown", "asciidoc", "hash-list")
Key = tuple[str, str]


@dataclass(frozen=True)
class Sample:
    """One file of the corpus and what must be found in it."""

    path: str
    text: str
    expected: frozenset[Key]


@dataclass(frozen=True)
class Result:
    """What was measured, and the bars that were missed, a sentence each."""

    files: int
    expected: int
    missing: tuple[str, ...]  # file: kind value
    found: int
    faults: tuple[str, ...]  # file: kind value: fault
    hard_cases: int
    failed_cases: tuple[str, ...]
    megabytes_per_second: dict[str, float]
    hostile_forms: int
    hostile: tuple[Timing, ...]  # the slowest of them, slowest first

    @property
    def recall(self) -> float:
        """The share of the expected indicators that was found."""
        return 1 - len(self.missing) / max(1, self.expected)

    @property
    def fault_share(self) -> float:
        """The share of the found indicators that is structurally wrong."""
        return len(self.faults) / max(1, self.found)

    @property
    def times_faster(self) -> float | None:
        """Our speed in that of the fastest peer; None if none ran."""
        peers = [speed for name, speed in self.megabytes_per_second.items() if name != OURS]
        return self.megabytes_per_second[OURS] / max(peers) if peers else None

    @property
    def slowest(self) -> Timing:
        """The form that takes longest at 100 kB."""
        return self.hostile[0]

    @property
    def steepest(self) -> Timing:
        """The form whose time grows fastest with its length, of those slow enough to tell."""
        slow = [timing for timing in self.hostile if timing.short_seconds >= NOTICEABLE_SECONDS]
        return max(slow or self.hostile[:1], key=lambda timing: timing.growth)

    @property
    def missed_bars(self) -> list[str]:
        """Every bar that was missed; empty if all is well."""
        passed = 1 - len(self.failed_cases) / max(1, self.hard_cases)
        faster = self.times_faster
        bars = [
            (self.recall >= RECALL, f"recall {self.recall:.3%} is under {RECALL:.1%}"),
            (self.fault_share <= FAULTS, f"structural faults {self.fault_share:.3%} are over {FAULTS:.2%}"),
            (passed >= HARD_CASES, f"hard cases {passed:.1%} are under {HARD_CASES:.0%}"),
            (faster is None or faster >= TIMES_FASTER, f"speed is under {TIMES_FASTER}x the fastest peer's"),
            (self.slowest.short_seconds < HOSTILE_SECONDS, f"hostile text takes over {HOSTILE_SECONDS} s"),
            (self.steepest.growth <= GROWTH, f"hostile text {self.steepest.name} does not grow linearly"),
        ]
        return [sentence for holds, sentence in bars if not holds]


def measure(directory: Path, *, with_peers: bool) -> Result:
    """Measure everything on a corpus laid out as its NOTES.md says. Raises UsageError, UnavailableError."""
    samples = _samples(directory)
    missing, faults, found = [], [], 0
    for sample in samples:
        indicators = [one.indicator for one in extract(sample.text)]
        keys = {_key(indicator) for indicator in indicators}
        found += len(indicators)
        missing += [f"{sample.path}: {kind} {value}" for kind, value in sorted(sample.expected - keys)]
        faults += list(_faults(sample, indicators))
    cases = _read(directory / "hard_cases.json")
    return Result(
        files=len(samples),
        expected=sum(len(sample.expected) for sample in samples),
        missing=tuple(missing),
        found=found,
        faults=tuple(faults),
        hard_cases=len(cases),
        failed_cases=tuple(case["id"] for case in cases if not passes(case)),
        megabytes_per_second=megabytes_per_second([s.text for s in samples], with_peers=with_peers),
        hostile_forms=len(forms()),
        hostile=tuple(timings()),
    )


def passes(case: dict[str, Any]) -> bool:
    """Whether all that a hard case expects is found and nothing beyond what it allows.

    Kinds that Liaison does not have (asn, mitre, ja3, tlsh) are not expected; nothing may come instead.
    """
    found = {_case_key(one.indicator.kind, one.indicator.value) for one in extract(case["text"])}
    ours = {*Kind, "ip"}
    expected = {_case_key(kind, value) for kind, value in case["expected"] if kind in ours}
    allowed = {_case_key(kind, value) for kind, value in case["allow"]}
    return expected <= found <= expected | allowed


def _samples(directory: Path) -> list[Sample]:
    """The text files, with all that is expected in them."""
    entries = _read(directory / "expected.json")
    return [
        Sample(
            path,
            (directory / path).read_text(encoding="utf-8", errors="replace"),
            frozenset((kind, value) for kind, value in entry["expected"]),
        )
        for path, entry in entries.items()
        if entry["expected"] is not None and entry["format"].startswith(TEXT_FORMATS)
    ]


def _faults(sample: Sample, indicators: Sequence[Indicator]) -> Iterator[str]:
    text = readable(sample.text)
    for indicator in indicators:
        wrong = None if _key(indicator) in sample.expected else fault(indicator, sample.text, text)
        if wrong:
            yield f"{sample.path}: {indicator.kind} {indicator.value}: {wrong}"


def _key(indicator: Indicator) -> Key:
    """As the corpus writes it: a URL without its scheme."""
    return indicator.kind.value, _SCHEME.sub("", indicator.value)


def _case_key(kind: str, value: str) -> Key:
    if kind in ("ipv4", "ipv6"):
        return "ip", value
    return kind, _SCHEME.sub("", value).removesuffix("/") if kind == "url" else value


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read; give the directory of the corpus.") from error
