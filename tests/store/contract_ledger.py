"""What every store must do for posts, for what was narrowed, and for marks; test_contract.py runs it."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.assertions import Assertion, merge, narrows, remark
from bot.deliveries import Change, Item, Post
from bot.errors import InputError, UnavailableError
from bot.indicators import Indicator, Kind
from bot.services import Store
from bot.sharing import Audience, World
from bot.tlp import Label, Pap
from tests import policy_reference
from tests.store.contract import T0, Backend, bare, claim, digest
from tests.strategies import assertions, conversations, worlds

DAY = timedelta(days=1)
TWO = frozenset({"host", "newco"})


def post(number: int = 1, *shown: int | Item, channel: str = "C0ONE", **known: object) -> Post:
    """An invented post that shows what "kaspersky" says of these hashes."""
    items = tuple(Item("kaspersky", digest(n), Label.GREEN) if isinstance(n, int) else n for n in shown)
    made = Post(
        channel=channel,
        ts=f"{number}.000100",
        purpose="digest",
        posted_at=T0 + timedelta(seconds=number),
        items=items,
    )
    return msgspec.structs.replace(made, **known)


def change(indicator: int | Indicator, source: str = "kaspersky") -> Change:
    """An invented change."""
    return Change(0, source, digest(indicator) if isinstance(indicator, int) else indicator)


async def narrowed(store: Store, after: int = 0) -> list[tuple[str, Indicator]]:
    """What the log of changes says, in its order."""
    return [(each.source, each.indicator) for each in await store.changes(after=after)]


class Posting:
    """Contract of `record_post` and `posts`."""

    async def test_a_post_comes_back_as_it_was(self, backend: Backend) -> None:
        store = await backend.open()
        url = Indicator(Kind.URL, "http://example.org/a?b=\U0001f480\u202e\"'\\")
        full = Post(
            channel="C0ONE",
            ts="1777593600.000100",
            thread="1777593600.000000",
            purpose="answer",
            period="2026-05-01T00:00:00+00:00",
            posted_at=T0 + timedelta(microseconds=1),
            readers=("host", "kaspersky"),
            items=(Item("host", url, Label.RED), Item("host", digest(1), Label.CLEAR)),
            files=("F0ONE",),
            state="correcting",
        )

        await store.record_post(full)
        await store.close()

        again = await backend.open()
        assert await again.posts() == [full]
        assert await again.posts(showing=[change(url, "host")]) == [full]

    async def test_of_a_channel_the_newest_two_thousand_are_kept(self, backend: Backend) -> None:
        store = await backend.open()
        await store.record_post(post(1, 1, channel="C0TWO"))

        for number in range(1, 2_004):
            await store.record_post(post(number, number))

        kept = await store.posts(channel="C0ONE", most=10_000)
        assert [each.ts for each in kept] == [post(number).ts for number in range(2_003, 3, -1)]
        assert [each.channel for each in await store.posts(showing=[change(1)])] == ["C0TWO"]

    async def test_what_is_newly_known_takes_the_place_of_the_old(self, backend: Backend) -> None:
        store = await backend.open()
        await store.record_post(post(1, 1, 2, 3))
        await store.record_post(post(2, 1))

        corrected = post(1, 2, 4, state="corrected")
        await store.record_post(corrected)

        assert await store.posts() == [post(2, 1), corrected]
        for showing, found in {
            1: [post(2, 1)],
            2: [corrected],
            3: [],
            4: [corrected],
        }.items():
            assert await store.posts(showing=[change(showing)]) == found

    async def test_the_same_moment_in_another_channel_is_another_message(self, backend: Backend) -> None:
        store = await backend.open()
        one, two = post(1, 1), post(1, 1, channel="C0TWO")
        await store.record_post(one)
        await store.record_post(two)

        assert await store.posts(channel="C0ONE") == [one]
        assert await store.posts(channel="C0TWO", showing=[change(1)]) == [two]
        assert await store.posts(channel="C0TWO", showing=[change(2)]) == []

    async def test_only_what_this_source_said_is_meant(self, backend: Backend) -> None:
        store = await backend.open()
        await store.record_post(post(1, Item("trendmicro", digest(1), Label.GREEN)))

        assert await store.posts(showing=[change(1, "kaspersky")]) == []
        assert len(await store.posts(showing=[change(1, "trendmicro")])) == 1

    async def test_a_deleted_message_does_not_stand_any_more(self, backend: Backend) -> None:
        store = await backend.open()
        for number, state in enumerate(
            ("shown", "correcting", "corrected", "deleting", "deleted", "unreachable"), 1
        ):
            await store.record_post(post(number, 1, state=state))

        states = ["unreachable", "deleting", "corrected", "correcting", "shown"]
        assert [each.state for each in await store.posts()] == states
        assert [each.state for each in await store.posts(showing=[change(1)])] == states

    async def test_the_newest_come_first_and_not_more_than_wanted(self, backend: Backend) -> None:
        store = await backend.open()
        for number in (5, 1, 40, 3, 20):
            await store.record_post(post(number, 1, 2))
        both = [change(1), change(2), change(3)]

        assert await store.posts(most=2) == [post(40, 1, 2), post(20, 1, 2)]
        assert await store.posts(showing=both, most=2) == [post(40, 1, 2), post(20, 1, 2)]
        assert await store.posts(showing=both) == [post(n, 1, 2) for n in (40, 20, 5, 3, 1)]
        assert await store.posts(most=-1) == await store.posts(showing=both, most=-1) == []

    async def test_many_posts_and_many_changes(self, backend: Backend) -> None:
        store = await backend.open()
        for number in range(100):
            await store.record_post(post(number, *range(number * 10, number * 10 + 20)))

        found = await store.posts(showing=[change(n) for n in range(0, 5_000, 2)])

        assert found == [post(n, *range(n * 10, n * 10 + 20)) for n in reversed(range(100))]

    async def test_one_post_may_show_thousands(self, backend: Backend) -> None:
        store = await backend.open()
        large = post(1, *range(10_000))

        await store.record_post(large)
        await store.record_post(msgspec.structs.replace(large, items=large.items[::2], state="corrected"))

        [found] = await store.posts(showing=[change(9_998)])
        assert len(found.items) == 5_000
        assert await store.posts(showing=[change(9_999)]) == []

    @pytest.mark.parametrize(
        "bad",
        [
            pytest.param(post(posted_at=datetime(2026, 5, 1)), id="no zone"),  # noqa: DTZ001 (on purpose)
            pytest.param(post(channel="C\0"), id="NUL in channel"),
            pytest.param(post(thread="\ud800"), id="surrogate in thread"),
            pytest.param(post(1, Item("host", Indicator(Kind.MD5, "?"), Label.RED)), id="no hash"),
        ],
    )
    async def test_what_cannot_be_kept_is_refused(self, backend: Backend, bad: Post) -> None:
        store = await backend.open()

        with pytest.raises(InputError):
            await store.record_post(bad)

        assert await store.posts() == []


class Changing:
    """Contract of `changes`."""

    @pytest.mark.parametrize(
        "new",
        [
            pytest.param(claim(1, label=Label.AMBER, addressed_to=TWO), id="label"),
            pytest.param(claim(1, addressed_to=TWO - {"newco"}), id="addressees"),
            pytest.param(claim(1, addressed_to=TWO, only_orgs=TWO), id="group"),
            pytest.param(claim(1, addressed_to=TWO, never_to=TWO), id="exclusion"),
            pytest.param(claim(1, addressed_to=TWO, revoked=True), id="revoked"),
            pytest.param(claim(1, addressed_to=TWO, quarantined=True), id="quarantined"),
            pytest.param(claim(1, addressed_to=TWO, not_before=T0), id="embargo"),
        ],
    )
    async def test_what_fewer_may_see_is_logged_whoever_says_so(
        self, backend: Backend, new: Assertion
    ) -> None:
        imported, remarked = await backend.open("one"), await backend.open("two")

        for store in (imported, remarked):
            await store.add([claim(1, addressed_to=TWO), claim(2)])
        await imported.add([new, claim(2)])
        await remarked.remark(new)

        assert await narrowed(imported) == await narrowed(remarked) == [("kaspersky", digest(1))]

    async def test_an_end_that_comes_earlier_is_logged_too(self, backend: Backend) -> None:
        store = await backend.open()
        await store.add([claim(1, not_after=T0 + DAY), claim(2)])

        for n in (1, 2):
            await store.remark(claim(n, not_after=T0))
            await store.remark(claim(n, not_after=T0 + DAY))

        assert await narrowed(store) == [("kaspersky", digest(1)), ("kaspersky", digest(2))]

    async def test_nothing_is_logged_of_what_as_many_may_see(self, backend: Backend) -> None:
        store = await backend.open()
        first = [claim(n, label=Label.RED, revoked=n % 2 == 0) for n in range(50)]
        await store.add(first)

        await store.add(first)
        await store.add(
            [claim(n, pap=Pap.RED, last_seen=T0, family="Emotet", tags=("a",)) for n in range(90)]
        )
        await store.remark(claim(1, label=Label.CLEAR))
        await store.remark(claim(99, revoked=True))

        assert await store.changes(after=0) == []

    async def test_nothing_is_logged_of_an_import_that_was_refused(self, backend: Backend) -> None:
        store = await backend.open()
        await store.add([claim(1)])

        with pytest.raises(InputError):
            await store.add([claim(1, revoked=True), *map(claim, range(2, 2500)), claim(1, context="\0")])

        assert await store.changes(after=0) == []

    async def test_they_come_in_order_above_a_number_and_not_more_than_wanted(self, backend: Backend) -> None:
        store = await backend.open()
        await store.add([claim(n) for n in range(3000)])
        await store.add([claim(n, revoked=True) for n in range(2999, -1, -1)])

        seen, after = list[Change](), 0
        while part := await store.changes(after=after, most=700):
            assert len(part) <= 700
            seen, after = [*seen, *part], part[-1].number

        assert [each.indicator for each in seen] == [digest(n) for n in range(2999, -1, -1)]
        assert [each.number for each in seen] == sorted({each.number for each in seen})
        assert await store.changes(after=0, most=-1) == []

    async def test_a_reader_misses_nothing_while_two_write(self, backend: Backend) -> None:
        one, two, reader = [await backend.open() for _ in range(3)]
        await one.add([claim(n, source) for n in range(200) for source in ("kaspersky", "trendmicro")])
        seen: list[Change] = []

        async def write(store: Store, source: str) -> None:
            for start in range(0, 200, 4):
                await store.add([claim(n, source, revoked=True) for n in range(start, start + 4)])

        async def read() -> None:
            seen.extend(await reader.changes(after=seen[-1].number if seen else 0))

        writing = asyncio.gather(write(one, "kaspersky"), write(two, "trendmicro"))
        while not writing.done():
            await read()
        await writing
        await read()

        assert len(seen) == len({(each.source, each.indicator) for each in seen}) == 400

    @given(
        history=st.lists(st.tuples(st.booleans(), st.lists(assertions, max_size=4)), max_size=6),
        audiences=st.lists(conversations, min_size=3, max_size=3),
        world=worlds,
    )
    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    async def test_whoever_loses_sight_of_something_it_is_logged(
        self,
        backend: Backend,
        history: Sequence[tuple[bool, Sequence[Assertion]]],
        audiences: Sequence[Audience],
        world: World,
    ) -> None:
        store, after = await backend.open(uuid4().hex), 0
        stored: dict[tuple[str, Indicator], Assertion] = {}
        for by_command, batch in history:
            for said in [[each] for each in batch] if by_command else [batch]:
                before = dict(stored)
                _apply(stored, said, by_command)
                await (store.remark(said[0]) if by_command else store.add(said))

                logged = await store.changes(after=after)
                after = max((each.number for each in logged), default=after)
                told = {(each.source, each.indicator) for each in logged}
                assert len(told) == len(logged)
                assert told == {key for key in before if narrows(before[key], stored[key])}
                lost = {key for key in before if _loses(before[key], stored[key], audiences, world)}
                assert lost <= told
        await store.close()


class Marking:
    """Contract of `mark` and `set_mark`."""

    async def test_a_number_is_kept_under_its_name(self, backend: Backend) -> None:
        store = await backend.open()
        assert await store.mark("corrections") == 0

        await store.set_mark("corrections", 7)
        await store.set_mark("other", 2**62)
        await store.set_mark("corrections", 5)
        await store.close()

        again = await backend.open()
        assert (await again.mark("corrections"), await again.mark("other")) == (5, 2**62)

    async def test_a_closed_store_says_so(self, backend: Backend) -> None:
        store = await backend.open()
        await store.close()

        for attempt in (
            store.mark("a"),
            store.set_mark("a", 1),
            store.changes(after=0),
            store.record_post(post()),
            store.posts(),
        ):
            with pytest.raises(UnavailableError, match="closed"):
                await attempt


def _apply(
    stored: dict[tuple[str, Indicator], Assertion], said: Sequence[Assertion], by_command: bool
) -> None:
    """Do to a dictionary what a store does."""
    for each in map(bare, said):
        key = each.source, each.indicator
        if key in stored:
            stored[key] = remark(stored[key], each) if by_command else merge(stored[key], each)
        elif not by_command:
            stored[key] = each


def _loses(old: Assertion, new: Assertion, audiences: Sequence[Audience], world: World) -> bool:
    return any(
        policy_reference.releases(old, audience, world)
        and not policy_reference.releases(new, audience, world)
        for audience in audiences
    )
