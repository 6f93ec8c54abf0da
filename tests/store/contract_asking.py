"""What every store must do to count lookups; test_contract.py runs it."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import UnavailableError
from bot.services import Store
from tests.store.contract import T0, Backend

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def standing(moment: datetime = T0) -> Callable[[], datetime]:
    """A clock."""
    return lambda: moment


async def of_day(store: Store, org: str | None = None, since: datetime = T0) -> tuple[int, int]:
    """What was asked and answered in the day that begins then."""
    return await store.asked(org, since=since, until=since + DAY)


class Asking:
    """Contract of `count_asked` and `asked`."""

    async def test_what_was_counted_is_summed_for_one_organisation_and_for_all(
        self, backend: Backend
    ) -> None:
        store = await backend.open(clock=standing())
        assert await of_day(store) == (0, 0)

        store.count_asked("kaspersky", at=T0, asked=5, answered=2)
        store.count_asked("kaspersky", at=T0 + 5 * MINUTE, asked=0, answered=1)
        store.count_asked("newco", at=T0, asked=7, answered=0)

        assert await of_day(store, "kaspersky") == (5, 3)
        assert await of_day(store, "newco") == (7, 0)
        assert await of_day(store, "nobody") == (0, 0)
        assert await of_day(store) == (12, 3)

    @pytest.mark.parametrize("start", [T0, T0 + 30 * MINUTE, T0 - 17 * MINUTE])
    async def test_every_count_is_in_one_day_however_days_are_cut(
        self, backend: Backend, start: datetime
    ) -> None:
        store = await backend.open(clock=standing())
        before, first, last = start - timedelta(microseconds=1), start, start + DAY - MINUTE
        for number, at in enumerate((before, first, last, start + DAY)):
            store.count_asked("newco", at=at, asked=10**number, answered=0)

        assert [await of_day(store, since=start + days * DAY) for days in (-1, 0, 1)] == [
            (1, 0),
            (110, 0),
            (1000, 0),
        ]

    async def test_any_zone_will_do(self, backend: Backend) -> None:
        store = await backend.open(clock=standing())
        store.count_asked("newco", at=T0, asked=1, answered=1)
        there = T0.astimezone(datetime.fromisoformat("2026-05-01T00:00+05:30").tzinfo)

        assert await store.asked("newco", since=there, until=there + MINUTE) == (1, 1)
        assert there.tzinfo is not UTC

    async def test_counts_add_up_also_after_a_restart_and_from_two_stores(self, backend: Backend) -> None:
        first, second = await backend.open(clock=standing()), await backend.open(clock=standing())
        for store in (first, second):
            for _ in range(50):
                store.count_asked("newco", at=T0, asked=2, answered=1)
        await asyncio.gather(first.close(), second.close())

        assert await of_day(await backend.open(clock=standing())) == (200, 100)

    async def test_they_are_written_without_being_asked_for(self, backend: Backend) -> None:
        store, other = await backend.open(clock=standing()), await backend.open(clock=standing())
        store.count_asked("newco", at=T0, asked=1, answered=0)

        found = (0, 0)
        for _ in range(600):  # half a minute at most
            if found == (1, 0):
                break
            await asyncio.sleep(0.05)
            found = await of_day(other)
        assert found == (1, 0)

    async def test_they_are_forgotten_after_a_hundred_days(self, backend: Backend) -> None:
        store = await backend.open(clock=standing())
        store.count_asked("newco", at=T0, asked=1, answered=0)
        store.count_asked("newco", at=T0 + DAY, asked=1, answered=0)
        await store.close()

        later = await backend.open(clock=standing(T0 + 101 * DAY))
        later.count_asked("newco", at=T0 + 101 * DAY, asked=1, answered=0)

        assert [await of_day(later, since=T0 + days * DAY) for days in (0, 1, 101)] == [
            (0, 0),
            (1, 0),
            (1, 0),
        ]

    async def test_whoever_counts_hears_of_no_failure(self, backend: Backend) -> None:
        store = await backend.open(clock=standing())
        store.count_asked("\ud800", at=T0, asked=1, answered=0)
        with pytest.raises(UnavailableError, match="closed"):
            await _read_after_close(store)

        store.count_asked("newco", at=T0, asked=1, answered=0)
        await store.close()


async def _read_after_close(store: Store) -> None:
    await store.close()
    await of_day(store)
