"""What every store must do for budgets; test_contract.py runs it on each backend."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.budgets import Allowance, Calendar
from bot.errors import InputError, UnavailableError
from bot.services import Store
from tests.store.contract import T0, Backend

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)

BUDGETS = (
    Allowance("rolling", 3, MINUTE),
    Allowance("long", 5, timedelta(minutes=3)),
    Allowance("day", 4, Calendar.DAY),
    Allowance("month", 12, Calendar.MONTH),
)
NEEDS = st.lists(st.sampled_from(BUDGETS), unique=True, max_size=4)
TIMES = st.builds(  # often close to each other and to midnight, and up to three days apart
    lambda day, second: T0 + timedelta(days=day, seconds=second), st.integers(-3, 3), st.integers(-150, 150)
)


class Spending:
    """Contract of `spend` and `spent`."""

    async def test_no_more_than_allowed_is_given_in_a_calendar_period(self, backend: Backend) -> None:
        store = await backend.open()
        day = [Allowance("virustotal/day", 3, Calendar.DAY)]
        evening = T0 + timedelta(hours=23)

        answers = [await store.spend(day, at=evening + timedelta(minutes=n)) for n in range(5)]

        assert answers == [None] * 3 + [T0 + timedelta(days=1)] * 2
        assert await store.spent(day, at=evening) == [3]
        assert await store.spent(day, at=T0 + timedelta(days=1)) == [0]
        assert await store.spend(day, at=T0 + timedelta(days=1)) is None

    async def test_periods_are_those_of_utc(self, backend: Backend) -> None:
        store = await backend.open()
        month = [Allowance("m", 1, Calendar.MONTH)]
        there = timezone(timedelta(hours=9))
        still_april = datetime(2026, 5, 1, 8, 59, tzinfo=there)

        assert await store.spend(month, at=still_april) is None

        assert await store.spend(month, at=still_april) == datetime(2026, 5, 1, tzinfo=UTC)
        assert await store.spend(month, at=datetime(2026, 5, 1, 9, tzinfo=there)) is None
        assert await store.spend(month, at=datetime(2026, 5, 31, tzinfo=UTC)) == datetime(
            2026, 6, 1, tzinfo=UTC
        )

    async def test_a_rolling_period_has_no_edges(self, backend: Backend) -> None:
        store = await backend.open()
        rolling = [Allowance("virustotal/minute", 2, MINUTE)]

        assert await store.spend(rolling, at=T0 + timedelta(seconds=58)) is None
        assert await store.spend(rolling, at=T0 + timedelta(seconds=59)) is None

        assert await store.spend(rolling, at=T0 + timedelta(seconds=61)) == T0 + timedelta(seconds=118)
        assert await store.spent(rolling, at=T0 + timedelta(seconds=61)) == [2]
        assert await store.spend(rolling, at=T0 + timedelta(seconds=118)) is None
        assert await store.spend(rolling, at=T0 + timedelta(seconds=118)) == T0 + timedelta(seconds=119)
        assert await store.spent(rolling, at=T0 + timedelta(seconds=118)) == [2]

    async def test_those_who_come_together_get_what_becomes_free_one_by_one(self, backend: Backend) -> None:
        store = await backend.open()
        rolling = [Allowance("a", 3, MINUTE)]
        for second in (0, 10, 20):
            await store.spend(rolling, at=T0 + timedelta(seconds=second))

        answers = await asyncio.gather(
            *(store.spend(rolling, at=T0 + timedelta(seconds=second)) for second in (65, 65, 72, 72))
        )

        assert answers == [None, T0 + timedelta(seconds=70), None, T0 + timedelta(seconds=80)]

    async def test_all_or_none_is_taken(self, backend: Backend) -> None:
        store = await backend.open()
        minute, day = Allowance("minute", 1, MINUTE), Allowance("day", 5, Calendar.DAY)
        month = Allowance("month", 1, Calendar.MONTH)
        assert await store.spend([minute], at=T0) is None

        refused = await store.spend([day, minute, month], at=T0 + timedelta(seconds=1))

        assert refused == T0 + MINUTE
        assert await store.spent([minute, day, month], at=T0 + timedelta(seconds=1)) == [1, 0, 0]
        assert await store.spend([day, minute, month], at=refused) is None
        assert await store.spent([minute, day, month], at=refused) == [1, 1, 1]

    async def test_it_waits_for_the_last_of_those_used_up(self, backend: Backend) -> None:
        store = await backend.open()
        needs = [Allowance("a", 1, MINUTE), Allowance("b", 1, Calendar.MONTH), Allowance("c", 1, HOUR)]
        await store.spend(needs, at=T0)

        assert await store.spend(needs[::2], at=T0) == T0 + HOUR
        assert await store.spend(needs, at=T0) == datetime(2026, 6, 1, tzinfo=UTC)

    async def test_nothing_is_needed_for_nothing(self, backend: Backend) -> None:
        store = await backend.open()

        assert await store.spend([], at=T0) is None
        assert await store.spent([], at=T0) == []

    @pytest.mark.parametrize(
        ("period", "again"),
        [
            pytest.param(MINUTE, T0 + MINUTE, id="rolling"),
            pytest.param(Calendar.DAY, T0 + timedelta(days=1), id="day"),
            pytest.param(Calendar.MONTH, datetime(2026, 6, 1, tzinfo=UTC), id="month"),
        ],
    )
    @pytest.mark.parametrize("most", [0, -1])
    async def test_of_nothing_there_is_never_one(
        self, backend: Backend, period: Calendar | timedelta, again: datetime, most: int
    ) -> None:
        store = await backend.open()

        assert await store.spend([Allowance("a", most, period)], at=T0) == again
        assert await store.spend([Allowance("a", 1, period)], at=T0) is None
        assert await store.spend([Allowance("a", most, period)], at=again) is not None
        assert await store.spent([Allowance("a", most, period)], at=T0) == [1]

    @pytest.mark.parametrize("period", [MINUTE, Calendar.DAY])
    async def test_what_was_used_stays_when_the_limit_changes(
        self, backend: Backend, period: Calendar | timedelta
    ) -> None:
        store = await backend.open()

        async def taken(most: int) -> int:
            return sum([await store.spend([Allowance("a", most, period)], at=T0) is None for _ in range(9)])

        assert [await taken(most) for most in (3, 2, 5, 4, 6)] == [3, 0, 2, 0, 1]
        assert await store.spent([Allowance("a", 1, period)], at=T0) == [6]

    async def test_some_may_use_what_is_held_in_reserve(self, backend: Backend) -> None:
        store = await backend.open()
        common, reserve = Allowance("a", 8, MINUTE), Allowance("a", 10, MINUTE)

        answers = [await store.spend([each], at=T0) for each in [common] * 9 + [reserve] * 3]

        assert answers == [None] * 8 + [T0 + MINUTE] + [None] * 2 + [T0 + MINUTE]

    async def test_named_twice_it_is_taken_once(self, backend: Backend) -> None:
        store = await backend.open()
        twice = [Allowance("a", 4, MINUTE), Allowance("a", 2, HOUR), Allowance("a", 4, MINUTE)]

        answers = [await store.spend(twice, at=T0 + n * MINUTE) for n in range(3)]

        assert answers == [None, None, T0 + HOUR]

    async def test_keys_and_calendars_are_apart(self, backend: Backend) -> None:
        store = await backend.open()
        apart = [
            Allowance(key, 1, period)
            for key in ("a", "A", "a/b", "", "ä", "%")
            for period in (Calendar.DAY, Calendar.MONTH, MINUTE)
        ]

        for each in apart:
            assert await store.spend([each], at=T0) is None

        assert await store.spent(apart, at=T0) == [1] * len(apart)

    async def test_a_bad_key_does_not_spoil_those_spent_with_it(self, backend: Backend) -> None:
        store = await backend.open()

        *bad, good = await asyncio.gather(
            *(store.spend([Allowance(key, 1, MINUTE)], at=T0) for key in ("\0", "\ud800")),
            store.spend([Allowance("a", 1, MINUTE)], at=T0.replace(tzinfo=None)),
            store.spend([Allowance("a", 1, MINUTE)], at=T0),
            return_exceptions=True,
        )

        assert [type(each) for each in bad] == [InputError] * 3
        assert good is None

    @pytest.mark.parametrize("period", [MINUTE, Calendar.DAY])
    async def test_of_many_at_once_in_several_processes_no_more_than_allowed_succeed(
        self, backend: Backend, period: Calendar | timedelta
    ) -> None:
        stores = [await backend.open() for _ in range(4)]
        everybody, host = Allowance("all", 150, period), Allowance("host", 90, Calendar.MONTH)

        async def spend(store: Store) -> list[datetime | None]:
            needs = [[everybody], [everybody, host]]
            return await asyncio.gather(*(store.spend(needs[n % 2], at=T0) for n in range(150)))

        answers = await asyncio.gather(*map(spend, stores))

        of_host = sum(each[1::2].count(None) for each in answers)
        assert sum(each.count(None) for each in answers) == 150
        assert await stores[0].spent([everybody, host], at=T0) == [150, of_host]

    async def test_what_was_spent_is_spent_after_a_restart(self, backend: Backend) -> None:
        store = await backend.open()
        both = [Allowance("a", 2, HOUR), Allowance("b", 2, Calendar.DAY)]
        await store.spend(both, at=T0)
        await store.close()

        again = await backend.open()

        assert await again.spent(both, at=T0) == [1, 1]
        assert await again.spend(both, at=T0) is None
        assert await again.spend(both, at=T0) == T0 + timedelta(days=1)

    @pytest.mark.parametrize("period", [MINUTE, Calendar.DAY, Calendar.MONTH])
    @pytest.mark.parametrize("jump", [timedelta(seconds=1), timedelta(days=1), timedelta(days=400)])
    async def test_a_clock_set_back_gives_nothing_back(
        self, backend: Backend, period: Calendar | timedelta, jump: timedelta
    ) -> None:
        store = await backend.open()
        needs = [Allowance("a", 2, period)]
        end = period.end(T0) if isinstance(period, Calendar) else T0 + period
        assert await store.spend(needs, at=T0) is None

        assert await store.spend(needs, at=T0 - jump) is None
        assert await store.spent(needs, at=T0 - jump) == [2]

        assert await store.spend(needs, at=T0 - jump) == end
        assert await store.spend(needs, at=T0) == end
        assert await store.spend(needs, at=end) is None

    @pytest.mark.parametrize("period", [MINUTE, Calendar.DAY, Calendar.MONTH])
    async def test_a_clock_that_ran_ahead_gives_nothing_when_set_right(
        self, backend: Backend, period: Calendar | timedelta
    ) -> None:
        store = await backend.open()
        needs = [Allowance("a", 3, period)]
        for at in (T0, T0, T0, T0 + timedelta(days=40)):
            assert await store.spend(needs, at=at) is None

        assert await store.spend(needs, at=T0 + timedelta(seconds=1)) is not None
        [used] = await store.spent(needs, at=T0 + timedelta(seconds=1))
        assert used >= 3

    async def test_a_closed_store_says_so(self, backend: Backend) -> None:
        store = await backend.open()
        await store.close()

        for attempt in (
            store.spend([Allowance("a", 1, MINUTE)], at=T0),
            store.spent([Allowance("a", 1, MINUTE)], at=T0),
        ):
            with pytest.raises(UnavailableError, match="closed"):
                await attempt

    @given(history=st.lists(st.tuples(TIMES, NEEDS, st.integers(0, 1)), max_size=40))
    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    async def test_whatever_the_clocks_do_no_stretch_of_time_holds_more(
        self, backend: Backend, history: Sequence[tuple[datetime, Sequence[Allowance], int]]
    ) -> None:
        place = uuid4().hex
        stores = [await backend.open(place), await backend.open(place)]
        granted: dict[Allowance, list[datetime]] = {each: [] for each in BUDGETS}
        plain = Plain()

        for at, needs, which in history:
            expected = plain.spend(needs, at)
            assert await stores[which].spend(needs, at=at) == expected
            for each in needs if expected is None else ():
                granted[each].append(at)

        for each, times in granted.items():
            assert max((_held(each, times, first) for first in times), default=0) <= each.most
        for store in stores:
            await store.close()


def _held(allowance: Allowance, times: Sequence[datetime], first: datetime) -> int:
    """How many of these times lie in one period: that of the first, or the stretch that begins with it."""
    if isinstance(allowance.period, Calendar):
        return sum(allowance.period.start(time) == allowance.period.start(first) for time in times)
    return sum(first <= time < first + allowance.period for time in times)


class Plain:
    """What a store must answer, said as plainly as possible."""

    def __init__(self) -> None:
        self._taken: dict[Allowance, list[datetime]] = {each: [] for each in BUDGETS}

    def spend(self, needs: Sequence[Allowance], at: datetime) -> datetime | None:
        """Take one from each or none."""
        changes = [self._out_of_sight(each, time) for each in needs for time in self._taken[each]]
        again = min(
            time for time in (at, *changes) if time >= at and all(self._has_one(each, time) for each in needs)
        )
        if again > at:
            return again
        for each in needs:
            self._taken[each].append(max([at, *self._taken[each]]))
        return None

    def _has_one(self, allowance: Allowance, at: datetime) -> bool:
        """Whatever lies ahead counts, too."""
        return (
            sum(self._out_of_sight(allowance, time) > at for time in self._taken[allowance]) < allowance.most
        )

    def _out_of_sight(self, allowance: Allowance, time: datetime) -> datetime:
        period = allowance.period
        return period.end(time) if isinstance(period, Calendar) else time + period
