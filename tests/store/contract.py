"""What every store must do, whatever it is made of; test_contract.py runs it on each backend."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

import msgspec
import pytest

from bot.assertions import MAX_TAGS, Assertion, merge
from bot.errors import InputError, UnavailableError
from bot.indicators import Indicator, Kind
from bot.services import Store, Tally
from bot.tlp import Label, Pap

T0 = datetime(2026, 5, 1, tzinfo=UTC)


def now() -> datetime:
    """The time outside tests."""
    return datetime.now(UTC)


class Backend(Protocol):
    """Opens stores of one kind."""

    async def open(self, place: str = "store", clock: Callable[[], datetime] = now) -> Store:
        """A store on that place, with what was stored there before."""

    async def close(self) -> None:
        """Close whatever a test left open."""


def digest(number: int, kind: Kind = Kind.SHA256) -> Indicator:
    """An invented hash."""
    length = {Kind.MD5: 32, Kind.SHA1: 40}.get(kind, 64)
    return Indicator(kind, f"{number:0{length}x}")


def claim(indicator: Indicator | int, source: str = "kaspersky", **facts: object) -> Assertion:
    """An invented claim."""
    about = digest(indicator) if isinstance(indicator, int) else indicator
    return msgspec.structs.replace(Assertion(indicator=about, source=source, label=Label.GREEN), **facts)


def bare(row: Assertion) -> Assertion:
    """A row without what the store decides: its number, and the file that its hash was joined into."""
    return msgspec.structs.replace(row, seq=0, file=None, links=())


async def everything(store: Store, after: int = 0) -> list[Assertion]:
    """All rows in the order of their numbers."""
    return await joined(store.everything(after=after))


async def joined(pages: AsyncIterator[Sequence[Assertion]]) -> list[Assertion]:
    """The rows of all pages."""
    return [row async for page in pages for row in page]


def values(rows: Sequence[Assertion]) -> set[tuple[str, str]]:
    """Who says something about what."""
    return {(row.source, row.indicator.value) for row in rows}


class Adding:
    """Contract of `add`."""

    async def test_new_rows_take_the_next_numbers_in_order(self, backend: Backend) -> None:
        store = await backend.open()

        await store.add([claim(1), claim(2)])
        await store.add([claim(3)])

        assert [(row.seq, row.indicator) for row in await everything(store)] == [
            (1, digest(1)),
            (2, digest(2)),
            (3, digest(3)),
        ]
        assert await store.head() == 3

    async def test_what_was_stored_comes_back_as_it_was(self, backend: Backend) -> None:
        store = await backend.open()
        full = Assertion(
            indicator=Indicator(Kind.URL, "http://example.org/a?b=\U0001f480\u202e\"'\\"),
            source="trendmicro",
            label=Label.RED,
            addressed_to=frozenset({"kaspersky", "host"}),
            only_orgs=frozenset(),
            never_to=frozenset({"virustotal"}),
            persons=frozenset({"U0ANNA"}),
            pap=Pap.AMBER,
            not_before=T0,
            not_after=datetime.max.replace(tzinfo=UTC),
            first_seen=T0 + timedelta(microseconds=1),
            last_seen=T0,
            confidence=0,
            family="Эмотет",
            tags=("a", "b"),
            context="two\nlines \\u0000",
            to_ids=False,
            revoked=True,
            quarantined=True,
        )

        await store.add([full])

        assert [bare(row) for row in await store.lookup([full.indicator])] == [full]

    async def test_a_repeated_claim_is_merged_and_keeps_its_number(self, backend: Backend) -> None:
        store = await backend.open()
        old = claim(1, label=Label.AMBER, last_seen=T0, tags=("a",))
        new = claim(1, label=Label.CLEAR, last_seen=T0 + timedelta(days=1), tags=("b",))
        await store.add([old, claim(2)])

        tally = await store.add([new, claim(3)])

        [row] = await store.lookup([digest(1)])
        assert bare(row) == merge(old, new)
        assert row.seq == 1
        assert tally == Tally(new=1, updated=1)

    async def test_one_batch_may_name_an_indicator_twice(self, backend: Backend) -> None:
        store = await backend.open()
        one, two = claim(1, label=Label.CLEAR), claim(1, label=Label.RED)

        tally = await store.add([one, two])

        assert [bare(row) for row in await everything(store)] == [merge(one, two)]
        assert tally == Tally(new=1, updated=1)

    async def test_adding_again_changes_nothing(self, backend: Backend) -> None:
        store = await backend.open()
        batch = [claim(n % 2700, file=f"file {n % 2500}") for n in range(4200)]
        batch.append(claim(9999, tags=tuple(str(n // 2) for n in range(4 * MAX_TAGS))))
        await store.add(batch)
        before = await everything(store)

        tally = await store.add(batch)

        assert tally == Tally(unchanged=len(batch))
        assert await everything(store) == before

    async def test_sources_never_mix(self, backend: Backend) -> None:
        store = await backend.open()

        await store.add([claim(1, "kaspersky", label=Label.RED), claim(1, "trendmicro", label=Label.CLEAR)])

        assert {(row.source, row.label) for row in await store.lookup([digest(1)])} == {
            ("kaspersky", Label.RED),
            ("trendmicro", Label.CLEAR),
        }

    @pytest.mark.parametrize(
        "bad",
        [
            pytest.param(claim(1, context="a\0b"), id="NUL in context"),
            pytest.param(claim(1, tags=("\0",)), id="NUL in a tag"),
            pytest.param(claim(1, file="\0"), id="NUL in file"),
            pytest.param(claim(Indicator(Kind.DOMAIN, "\0.example.org")), id="NUL in value"),
            pytest.param(claim(1, context="\ud800"), id="surrogate in context"),
            pytest.param(claim(1, file="\ud800"), id="surrogate in file"),
            pytest.param(claim(1, family="\udfff"), id="surrogate in family"),
            pytest.param(claim(1, source="\ud800", file="x"), id="surrogate in source"),
            pytest.param(claim(Indicator(Kind.DOMAIN, "\ud800.example.org")), id="surrogate in value"),
            pytest.param(claim(Indicator(Kind.SHA256, "not a hash")), id="no digits"),
            pytest.param(claim(Indicator(Kind.MD5, "00" * 20)), id="wrong length"),
            pytest.param(claim(1, context="x" * 2_000_000), id="too long"),
            pytest.param(claim(1, first_seen=datetime(2026, 1, 1)), id="no zone"),  # noqa: DTZ001 (on purpose)
        ],
    )
    async def test_what_cannot_be_kept_is_refused_and_its_batch_with_it(
        self, backend: Backend, bad: Assertion
    ) -> None:
        store = await backend.open()

        with pytest.raises(InputError):
            await store.add([*map(claim, range(2, 2500)), bad])

        assert await everything(store) == []
        assert await store.head() == 0
        assert await store.add([claim(1)]) == Tally(new=1)

    async def test_what_was_added_is_there_after_a_restart(self, backend: Backend) -> None:
        store = await backend.open()
        await store.add([claim(1)])
        await store.close()

        again = await backend.open()

        assert await again.add([claim(1), claim(2)]) == Tally(new=1, unchanged=1)
        assert [row.seq for row in await everything(again)] == [1, 2]

    async def test_a_cursor_misses_nothing_while_two_write(self, backend: Backend) -> None:
        one, two, reader = [await backend.open() for _ in range(3)]
        seen: list[Assertion] = []

        async def write(store: Store, source: str) -> None:
            for start in range(0, 300, 5):
                await store.add([claim(n, source) for n in range(start, start + 5)])

        writing = asyncio.gather(write(one, "kaspersky"), write(two, "trendmicro"))
        while not writing.done():
            seen += await everything(reader, after=seen[-1].seq if seen else 0)
        await writing
        seen += await everything(reader, after=seen[-1].seq if seen else 0)

        assert len(seen) == len(values(seen)) == 600
        assert [row.seq for row in seen] == list(range(1, 601))


class LookingUp:
    """Contract of `lookup`."""

    async def test_an_unknown_value_has_no_rows(self, backend: Backend) -> None:
        store = await backend.open()

        assert await store.lookup([digest(1)]) == []
        assert await store.lookup([]) == []

    async def test_the_same_digits_are_another_value_for_another_kind(self, backend: Backend) -> None:
        store = await backend.open()

        await store.add([claim(Indicator(Kind.DOMAIN, "example.org"))])

        assert await store.lookup([Indicator(Kind.EMAIL, "example.org")]) == []

    async def test_many_at_once_find_what_each_alone_finds(self, backend: Backend) -> None:
        store = await backend.open()
        await store.add([claim(n, source) for n in range(0, 4500, 2) for source in ("kaspersky", "host")])

        together = await store.lookup([digest(n) for n in range(4500)])
        alone = await asyncio.gather(*(store.lookup([digest(n)]) for n in range(4500)))

        assert len(together) == 4500
        assert sorted(row.seq for row in together) == sorted(row.seq for rows in alone for row in rows)
        assert all(row.indicator == digest(n) for n, rows in enumerate(alone) for row in rows)

    async def test_asking_twice_in_one_question_answers_once(self, backend: Backend) -> None:
        store = await backend.open()
        await store.add([claim(1)])

        assert len(await store.lookup([digest(1), digest(1)])) == 1

    async def test_a_bad_question_does_not_spoil_those_asked_with_it(self, backend: Backend) -> None:
        store = await backend.open()
        await store.add([claim(1)])

        bad, good = await asyncio.gather(
            store.lookup([Indicator(Kind.DOMAIN, "\ud800")]),
            store.lookup([digest(1)]),
            return_exceptions=True,
        )

        assert isinstance(bad, InputError)
        assert isinstance(good, list)
        assert len(good) == 1

    async def test_who_gives_up_waiting_leaves_the_others_their_answers(self, backend: Backend) -> None:
        store = await backend.open()
        await store.add([claim(1)])

        first, second = (asyncio.ensure_future(store.lookup([digest(1)])) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()

        assert len(await second) == 1
        assert len(await store.lookup([digest(1)])) == 1

    async def test_a_closed_store_says_so(self, backend: Backend) -> None:
        store = await backend.open()
        await store.close()

        for attempt in (store.lookup([digest(1)]), store.add([claim(1)]), store.claim("a", seconds=1)):
            with pytest.raises(UnavailableError, match="closed"):
                await attempt


class Files:
    """Contract of hashes that belong to one file."""

    MD5, SHA1, SHA256 = digest(1, Kind.MD5), digest(1, Kind.SHA1), digest(1)

    async def test_one_hash_of_a_file_finds_the_others(self, backend: Backend) -> None:
        store = await backend.open()

        await store.add([claim(hash_, file="f") for hash_ in (self.MD5, self.SHA1, self.SHA256)])

        for asked in (self.MD5, self.SHA1, self.SHA256):
            assert len(await store.lookup([asked])) == 3

    async def test_only_the_same_source_links(self, backend: Backend) -> None:
        store = await backend.open()

        await store.add([claim(self.MD5, "kaspersky", file="f"), claim(self.SHA256, "trendmicro", file="f")])

        assert values(await store.lookup([self.MD5])) == {("kaspersky", self.MD5.value)}

    async def test_files_that_share_a_hash_are_one(self, backend: Backend) -> None:
        store = await backend.open()
        await store.add([claim(self.MD5, file="a"), claim(self.SHA1, file="a")])

        await store.add([claim(self.SHA256, file="b"), claim(self.SHA1, file="b")])
        await store.add([claim(digest(2, Kind.MD5), file="b"), claim(digest(3, Kind.MD5), file="a")])

        assert len(await store.lookup([self.MD5])) == 5
        assert len({row.file for row in await everything(store)}) == 1

    async def test_a_file_told_late_links_rows_that_had_none(self, backend: Backend) -> None:
        store = await backend.open()
        await store.add([claim(self.MD5), claim(self.SHA256)])

        tally = await store.add([claim(self.MD5, file="f"), claim(self.SHA256, file="f")])

        assert tally == Tally(updated=2)
        assert len(await store.lookup([self.MD5])) == 2

    async def test_importing_joined_files_again_changes_nothing(self, backend: Backend) -> None:
        store = await backend.open()
        batches = [
            [claim(1, file="a"), claim(2, file="a")],
            [claim(3, file="b"), claim(2, file="b"), claim(4, file="c"), claim(3, file="c")],
            [claim(5, file="b"), claim(6, file="c"), claim(1, file="c")],
        ]
        for batch in batches:
            await store.add(batch)
        before = await everything(store)

        tallies = [await store.add(batch) for batch in batches]

        assert [tally.unchanged for tally in tallies] == [len(batch) for batch in batches]
        assert await everything(store) == before
        assert len({row.file for row in before}) == 1

    async def test_no_file_has_more_than_64_hashes(self, backend: Backend) -> None:
        store = await backend.open()
        crowd = [claim(n, file="crowd") for n in range(100)]

        await store.add(crowd)
        again = await store.add(crowd)

        assert len(await store.lookup([digest(0)])) == 64
        assert len(await store.lookup([digest(99)])) == 1
        assert again == Tally(unchanged=100)

    async def test_files_too_big_together_stay_apart(self, backend: Backend) -> None:
        store = await backend.open()
        await store.add([claim(n, file="a") for n in range(40)])

        await store.add([claim(n, file="b") for n in (*range(100, 140), 0)])

        assert len(await store.lookup([digest(0)])) == 40
        assert len(await store.lookup([digest(100)])) == 40


class Remarking:
    """Contract of `remark`."""

    async def test_a_wider_marking_replaces_the_old_one_and_takes_a_new_number(
        self, backend: Backend
    ) -> None:
        store = await backend.open()
        await store.add([claim(1, label=Label.RED, family="Emotet"), claim(2)])

        done = await store.remark(claim(1, label=Label.GREEN, family="other"))

        [row] = await store.lookup([digest(1)])
        assert done
        assert (row.label, row.family, row.seq) == (Label.GREEN, "Emotet", 3)
        assert await store.head() == 3
        assert [old.seq for old in await everything(store)] == [2, 3]

    async def test_a_stricter_marking_keeps_the_number(self, backend: Backend) -> None:
        store = await backend.open()
        await store.add([claim(1, label=Label.CLEAR)])

        await store.remark(claim(1, label=Label.RED, revoked=True))

        [row] = await store.lookup([digest(1)])
        assert (row.label, row.revoked, row.seq) == (Label.RED, True, 1)

    async def test_its_file_stays(self, backend: Backend) -> None:
        store = await backend.open()
        await store.add([claim(1, file="f", label=Label.RED), claim(2, file="f")])

        await store.remark(claim(1, label=Label.CLEAR))

        assert len(await store.lookup([digest(1)])) == 2

    async def test_there_is_nothing_to_remark_in_a_row_of_another_source(self, backend: Backend) -> None:
        store = await backend.open()
        await store.add([claim(1, "kaspersky", label=Label.RED)])

        assert not await store.remark(claim(1, "trendmicro", label=Label.CLEAR))
        assert not await store.remark(claim(2, "kaspersky", label=Label.CLEAR))

        assert [row.label for row in await everything(store)] == [Label.RED]


class Reading:
    """Contract of `newest`, `everything`, `head` and `head_at`."""

    async def test_everything_comes_in_pages_above_a_number(self, backend: Backend) -> None:
        store = await backend.open()
        await store.add([claim(n) for n in range(1234)])

        assert [row.seq for row in await everything(store)] == list(range(1, 1235))
        assert [row.seq for row in await everything(store, after=1000)] == list(range(1001, 1235))
        assert await everything(store, after=1234) == []

    async def test_the_newest_come_first_and_only_since_then(self, backend: Backend) -> None:
        clock = Clock()
        store = await backend.open(clock=clock)
        await store.add([claim(1)])
        clock.move(seconds=60)
        await store.add([claim(n) for n in range(1, 1200)])

        rows = await joined(store.newest(since=T0 + timedelta(seconds=60)))

        assert [row.seq for row in rows] == list(range(1199, 1, -1))
        assert len(await joined(store.newest(since=T0))) == 1199
        assert await joined(store.newest(since=T0 + timedelta(seconds=61))) == []

    async def test_a_clock_set_back_hides_nothing_that_is_new(self, backend: Backend) -> None:
        clock = Clock()
        store = await backend.open(clock=clock)
        await store.add([claim(1)])
        clock.move(seconds=-60)
        await store.add([claim(2)])

        assert [row.seq for row in await joined(store.newest(since=T0 - timedelta(seconds=90)))] == [2, 1]
        assert [row.seq for row in await joined(store.newest(since=T0 - timedelta(seconds=30)))] == [1]

    async def test_the_head_of_a_moment_is_the_last_number_given_before_it(self, backend: Backend) -> None:
        clock = Clock()
        store = await backend.open(clock=clock)
        assert await store.head_at(T0) == 0
        await store.add([claim(1), claim(2)])
        clock.move(seconds=60)
        await store.add([claim(3)])

        moments = {
            T0: 0,
            T0 + timedelta(microseconds=1): 2,
            T0 + timedelta(seconds=60): 2,
            T0 + timedelta(seconds=61): 3,
        }
        assert {moment: await store.head_at(moment) for moment in moments} == moments

    async def test_the_newest_of_a_kind_and_of_a_family(self, backend: Backend) -> None:
        store = await backend.open()
        domain = Indicator(Kind.DOMAIN, "example.org")
        await store.add([claim(1, family="Straße"), claim(domain, family="STRASSE"), claim(domain, "host")])

        async def found(kind: Kind | None, family: str | None) -> list[int]:
            return [row.seq for row in await joined(store.newest(since=T0, kind=kind, family=family))]

        assert await found(None, "strasse") == [2, 1]
        assert await found(Kind.DOMAIN, None) == [3, 2]
        assert await found(Kind.DOMAIN, "straße") == [2]
        assert await found(Kind.CVE, None) == []

    async def test_what_becomes_visible_is_new_again(self, backend: Backend) -> None:
        clock = Clock()
        store = await backend.open(clock=clock)
        await store.add([claim(1, label=Label.RED), claim(2)])
        clock.move(seconds=60)

        await store.remark(claim(1, label=Label.CLEAR))

        assert [row.indicator for row in await joined(store.newest(since=T0 + timedelta(seconds=60)))] == [
            digest(1)
        ]


class Claiming:
    """Contract of `claim`."""

    async def test_only_the_first_gets_a_key(self, backend: Backend) -> None:
        store, other = await backend.open(), await backend.open()

        assert await store.claim("a", seconds=60)
        assert not await store.claim("a", seconds=60)
        assert not await other.claim("a", seconds=60)
        assert await other.claim("b", seconds=60)

    async def test_of_many_at_once_one_gets_it(self, backend: Backend) -> None:
        stores = [await backend.open(), await backend.open()]

        answers = await asyncio.gather(
            *(store.claim(f"key {n}", seconds=60) for n in range(100) for store in stores * 3)
        )

        assert [sum(answers[start : start + 6]) for start in range(0, 600, 6)] == [1] * 100

    async def test_a_claim_outlives_a_restart(self, backend: Backend) -> None:
        store = await backend.open()
        await store.claim("a", seconds=60)
        await store.close()

        again = await backend.open()

        assert not await again.claim("a", seconds=60)

    async def test_a_claim_ends_with_its_time(self, backend: Backend) -> None:
        clock = Clock()
        store = await backend.open(clock=clock)
        await store.claim("a", seconds=60)

        clock.move(seconds=59)
        assert not await store.claim("a", seconds=60)
        clock.move(seconds=1)
        assert await store.claim("a", seconds=60)
        assert not await store.claim("a", seconds=60)

    async def test_any_text_can_be_a_key(self, backend: Backend) -> None:
        store = await backend.open()

        for key in ("", "\0", "\ud800", "x" * 100_000):
            assert await store.claim(key, seconds=60)
            assert not await store.claim(key, seconds=60)


class Clock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self._now = T0

    def __call__(self) -> datetime:
        return self._now

    def move(self, seconds: float) -> None:
        """Let time pass, or set the clock back."""
        self._now += timedelta(seconds=seconds)
