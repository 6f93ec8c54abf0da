"""What every store must do for several replicas: texts behind buttons, turns, leases, former ids."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.errors import InputError
from bot.leases import Lease
from bot.store.keeping import MAX_BODY
from bot.turns import AT_ONCE, MAX_AHEAD, MAX_HOLD, Lane, Turn
from tests.store.contract import T0, Backend

LANE = Lane("chat.postMessage", seconds=0.25, channel_seconds=1.0)


class Hand:
    """A clock that somebody else moves."""

    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def turn(is_given: bool, seconds: float) -> Any:
    """A turn at about that time."""
    return Turn(is_given, pytest.approx(seconds, abs=AT_ONCE))  # type: ignore[arg-type]  # it compares


class Keeping:
    """Contract of `keep`, `kept` and `take_kept`."""

    async def test_what_one_keeps_another_finds_until_it_is_over(self, backend: Backend) -> None:
        clock = Hand()
        one, other = await backend.open(clock=clock), await backend.open(clock=clock)

        await asyncio.gather(*(one.keep(f"token {n}", f"“{n}”\n", seconds=60) for n in range(700)))

        assert await asyncio.gather(*(other.kept(f"token {n}") for n in range(700))) == [
            f"“{n}”\n" for n in range(700)
        ]
        clock.pass_by(60)
        assert await other.kept("token 1") is None
        assert await other.take_kept("token 1") is None

    async def test_it_is_taken_once(self, backend: Backend) -> None:
        stores = [await backend.open() for _ in range(3)]
        await stores[0].keep("token", "text", seconds=60)

        taken = await asyncio.gather(*(store.take_kept("token") for store in stores * 3))

        assert [text for text in taken if text is not None] == ["text"]
        assert await stores[0].kept("token") is None

    async def test_the_last_text_under_a_token_counts(self, backend: Backend) -> None:
        store = await backend.open()

        await store.keep("token", "old", seconds=1)
        await store.keep("token", "new", seconds=60)

        assert await store.kept("token") == "new"

    @pytest.mark.parametrize("body", ["x" * (MAX_BODY + 1), "a\0b", "\ud800"])
    async def test_what_would_not_come_back_is_refused(self, backend: Backend, body: str) -> None:
        store = await backend.open()

        with pytest.raises(InputError):
            await store.keep("token", body, seconds=60)

        assert await store.kept("token") is None


class Turning:
    """Contract of `take_turn` and `hold_turns`."""

    async def test_all_replicas_share_one_pace(self, backend: Backend) -> None:
        clock = Hand()
        one, other = await backend.open(clock=clock), await backend.open(clock=clock)

        turns = [await store.take_turn(LANE, f"C{n}") for n, store in enumerate((one, other, one, other))]

        assert turns == [turn(True, 0.25 * n) for n in range(4)]

    async def test_a_channel_that_must_wait_keeps_no_other_from_going(self, backend: Backend) -> None:
        clock = Hand()
        one, other = await backend.open(clock=clock), await backend.open(clock=clock)
        await one.take_turn(LANE, "C1")
        clock.pass_by(0.25)

        waiting = [await other.take_turn(LANE, "C1") for _ in range(5)]

        assert waiting == [turn(False, 0.75)] * 5
        assert await other.take_turn(LANE, "C2") == turn(True, 0.0)

    async def test_concurrent_ones_get_different_turns(self, backend: Backend) -> None:
        clock = Hand()
        stores = [await backend.open(clock=clock) for _ in range(4)]

        turns = await asyncio.gather(
            *(store.take_turn(LANE, f"C{n}/{m}") for m in range(10) for n, store in enumerate(stores))
        )

        assert all(turn.is_given for turn in turns)
        assert sorted(turn.seconds for turn in turns) == pytest.approx([0.25 * n for n in range(40)])

    async def test_after_a_silence_a_burst_may_leave_at_once(self, backend: Backend) -> None:
        clock = Hand()
        store = await backend.open(clock=clock)
        lane = Lane("conversations.info", seconds=1.25, burst=4)

        turns = [await store.take_turn(lane, "C1") for _ in range(6)]

        assert [turn.seconds for turn in turns] == pytest.approx([0, 0, 0, 0, 1.25, 2.5])
        clock.pass_by(600)
        assert [(await store.take_turn(lane, "C1")).seconds for _ in range(5)][:4] == [0.0] * 4

    async def test_no_turn_is_given_far_ahead(self, backend: Backend) -> None:
        clock = Hand()
        store = await backend.open(clock=clock)

        turns = await asyncio.gather(*(store.take_turn(LANE, f"C{n}") for n in range(600)))

        assert sum(turn.is_given for turn in turns) == MAX_AHEAD / LANE.seconds + 1
        assert max(turn.seconds for turn in turns if turn.is_given) <= MAX_AHEAD

    async def test_what_slack_asks_of_one_holds_all(self, backend: Backend) -> None:
        clock = Hand()
        one, other = await backend.open(clock=clock), await backend.open(clock=clock)

        await one.hold_turns(LANE, "C1", seconds=30)

        assert await other.take_turn(LANE, "C1") == turn(False, 30)
        assert await other.take_turn(LANE, "C2") == turn(True, 0.0)
        assert await other.take_turn(Lane("chat.update", 1.25), "C1") == turn(True, 0.0)
        await other.hold_turns(LANE, "C2", seconds=10)
        assert await one.take_turn(LANE, "C3") == turn(False, 10)
        clock.pass_by(10)
        assert await one.take_turn(LANE, "C3") == turn(True, 0.0)
        assert not (await one.take_turn(LANE, "C1")).is_given

    async def test_a_whole_lane_can_be_held(self, backend: Backend) -> None:
        clock = Hand()
        store = await backend.open(clock=clock)

        await store.hold_turns(LANE, "", seconds=5)

        assert await store.take_turn(LANE, "C1") == turn(False, 5)

    async def test_a_clock_that_went_wrong_holds_nobody_up_for_ever(self, backend: Backend) -> None:
        clock = Hand()
        store = await backend.open(clock=clock)
        clock.pass_by(86_400 * 365)
        await store.hold_turns(LANE, "C1", seconds=MAX_HOLD)
        await store.take_turn(LANE, "C2")

        clock.now = T0

        assert await store.take_turn(LANE, "C1") == turn(True, 0.0)
        assert (await store.take_turn(LANE, "C2")).is_given

    async def test_what_says_nothing_any_more_is_forgotten_and_nothing_else(self, backend: Backend) -> None:
        clock = Hand()
        store = await backend.open(clock=clock)
        lane = Lane("fast", seconds=0.0, channel_seconds=3_000.0)
        for start in range(0, 3_000, 500):
            await asyncio.gather(*(store.take_turn(lane, f"C{n}") for n in range(start, start + 500)))
            clock.pass_by(400)

        assert not (await store.take_turn(lane, "C2999")).is_given
        assert (await store.take_turn(lane, "C0")).is_given is False


class Leasing:
    """Contract of `take_lease`, `lease` and `end_lease`."""

    async def test_one_at_a_time_has_it(self, backend: Backend) -> None:
        clock = Hand()
        stores = [await backend.open(clock=clock) for _ in range(4)]

        leases = await asyncio.gather(
            *(store.take_lease("work", f"owner {n}", seconds=30) for n, store in enumerate(stores))
        )

        assert sorted(lease.is_ours for lease in leases) == [False, False, False, True]
        assert {lease.seconds for lease in leases} == {30.0}
        assert await stores[0].lease("work") == Lease(seconds=30.0)
        assert (await stores[0].lease("other work")).is_free

    async def test_who_has_it_can_keep_it_and_others_get_it_when_it_is_over(self, backend: Backend) -> None:
        clock = Hand()
        one, other = await backend.open(clock=clock), await backend.open(clock=clock)
        await one.take_lease("work", "one", seconds=30)
        clock.pass_by(20)

        assert (await one.take_lease("work", "one", seconds=30)).is_ours
        clock.pass_by(20)
        assert await other.take_lease("work", "other", seconds=30) == Lease(seconds=10.0)
        clock.pass_by(10)
        assert (await other.take_lease("work", "other", seconds=30)).is_ours
        assert not (await one.take_lease("work", "one", seconds=30)).is_ours

    async def test_it_is_ended_by_its_owner_alone(self, backend: Backend) -> None:
        store = await backend.open()
        await store.take_lease("work", "one", seconds=30)

        await store.end_lease("work", "other")
        assert not (await store.lease("work")).is_free
        await store.end_lease("work", "one")

        assert (await store.take_lease("work", "other", seconds=30)).is_ours

    async def test_a_note_is_left_for_a_while_and_keeps_nobody_from_it(self, backend: Backend) -> None:
        clock = Hand()
        store = await backend.open(clock=clock)
        await store.take_lease("work", "one", seconds=30)

        await store.end_lease("work", "one", note="it failed", seconds=5)

        assert await store.lease("work") == Lease(note="it failed")
        clock.pass_by(5)
        assert await store.lease("work") == Lease()
        assert (await store.take_lease("work", "other", seconds=30)).is_ours

    async def test_a_lease_of_a_clock_that_went_wrong_is_over(self, backend: Backend) -> None:
        clock = Hand()
        store = await backend.open(clock=clock)
        clock.pass_by(86_400)
        await store.take_lease("work", "one", seconds=30)

        clock.now = T0

        assert (await store.take_lease("work", "other", seconds=30)).is_ours

    @pytest.mark.parametrize(
        ("name", "owner", "seconds", "note"),
        [("\0", "a", 1, ""), ("a", "", 1, ""), ("a", "b", 3_601, ""), ("a", "b", 1, "x" * 201)],
    )
    async def test_odd_leases_are_refused(
        self, backend: Backend, name: str, owner: str, seconds: float, note: str
    ) -> None:
        store = await backend.open()

        with pytest.raises(InputError):
            await store.end_lease(name, owner, note=note, seconds=seconds)


class Renaming:
    """Contract of `former_channels`."""

    async def test_a_channel_is_known_by_every_id_it_had(self, backend: Backend) -> None:
        one, other = await backend.open(), await backend.open()
        for old, new in (("C1", "C2"), ("C2", "C3"), ("C9", "C3"), ("C1", "C2")):
            await one.channel_renamed(old, new)

        assert sorted(await other.former_channels("C3")) == ["C1", "C2", "C9"]
        assert await other.former_channels("C1") == []

    async def test_a_circle_of_ids_comes_to_an_end(self, backend: Backend) -> None:
        store = await backend.open()
        for old, new in (("C1", "C2"), ("C2", "C1"), ("C1", "C1")):
            await store.channel_renamed(old, new)

        assert await store.former_channels("C1") == ["C2"]
