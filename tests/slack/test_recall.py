"""What Slack said is asked once however many wait, used for a while, and forgotten when told to."""

import asyncio

import pytest

from bot.slack.recall import Recall


class Reader:
    """Gives the number of the reading; each takes a turn of the event loop."""

    def __init__(self) -> None:
        self.times = 0
        self.now = 0.0
        self.fails = False

    async def read(self, key: str) -> str:
        self.times += 1
        number = self.times
        await asyncio.sleep(0.01)
        if self.fails:
            raise LookupError(key)
        return f"{key}{number}"

    def timer(self) -> float:
        return self.now


@pytest.fixture
def reader() -> Reader:
    """Not read yet."""
    return Reader()


def recall(reader: Reader, *, size: int = 10) -> Recall[str]:
    return Recall(reader.read, seconds=60, size=size, timer=reader.timer)


async def test_many_who_wait_share_one_reading(reader: Reader) -> None:
    known = recall(reader)

    assert await asyncio.gather(*(known.get("a") for _ in range(50))) == ["a1"] * 50


async def test_a_reading_is_used_for_a_while(reader: Reader) -> None:
    known = recall(reader)
    await known.get("a")
    reader.now = 59.0
    assert await known.get("a") == "a1"
    reader.now = 61.0
    assert await known.get("a") == "a2"


async def test_who_asks_for_now_gets_a_reading_that_began_after_they_asked(reader: Reader) -> None:
    known = recall(reader)
    early = asyncio.create_task(known.get("a", max_age=0))
    await asyncio.sleep(0)
    reader.now = 1.0
    late = [asyncio.create_task(known.get("a", max_age=0)) for _ in range(5)]

    assert await early == "a1"
    assert [await each for each in late] == ["a2"] * 5


async def test_what_was_forgotten_while_it_was_read_is_read_again(reader: Reader) -> None:
    known = recall(reader)
    reading = asyncio.create_task(known.get("a"))
    await asyncio.sleep(0)
    known.forget("a")

    assert await reading == "a2"
    assert await known.get("a") == "a2"


async def test_a_failure_is_not_remembered(reader: Reader) -> None:
    known = recall(reader)
    reader.fails = True
    with pytest.raises(LookupError):
        await known.get("a")
    reader.fails = False

    assert await known.get("a") == "a2"


async def test_who_gives_up_does_not_stop_the_others(reader: Reader) -> None:
    known = recall(reader)
    first = asyncio.create_task(known.get("a"))
    second = asyncio.create_task(known.get("a"))
    await asyncio.sleep(0)
    first.cancel()

    assert await second == "a2"


async def test_only_so_many_are_remembered(reader: Reader) -> None:
    known = recall(reader, size=2)
    for key in "abc":
        await known.get(key)

    assert await known.get("c") == "c3"
    assert await known.get("a") == "a4"


@pytest.mark.parametrize(("age", "max_age", "is_known"), [(19, 20, True), (21, 20, False), (61, 90, False)])
async def test_what_is_known_is_told_without_a_reading(
    reader: Reader, age: float, max_age: float, is_known: bool
) -> None:
    known = recall(reader)
    assert not known.is_known("a", max_age=max_age)
    await known.get("a")
    reader.now = age

    assert known.is_known("a", max_age=max_age) is is_known
    known.forget("a")
    assert not known.is_known("a", max_age=max_age)
    assert reader.times == 1
