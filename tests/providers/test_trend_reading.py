"""Reading Trend's list has an end: pauses, circles, sizes, and links that lead away."""

import ipaddress
import json
from collections.abc import Callable

import pytest

from bot.findings import Outcome
from bot.indicators import Indicator, Kind
from bot.providers import trend
from bot.providers.remote import Reply, Request
from bot.providers.suspicious_objects import PATH
from tests.providers.lists import SHA256, Nap, Script, address, facts, failure, in_turn, made, page
from tests.providers.replies import reply, sample


@pytest.fixture
def nap() -> Nap:
    return Nap()


async def test_a_short_pause_that_the_service_asks_for_is_made_in_the_middle_of_a_list(nap: Nap) -> None:
    busy = Reply(429, {"retry-after": "20"}, b"")
    wire = Script(
        in_turn(page(address(1), following="skipToken=2"), busy, Reply(429, {}, b""), page(address(2)))
    )
    source = made(wire, nap)
    await source.open()

    waits = [await nap.begins(), await nap.wake(), await nap.wake()]

    assert waits == [20.0, 60.0, 3600.0]
    assert await source.ask(address(1)) is not None
    assert await source.ask(address(2)) is not None
    assert wire.asked == [f"{PATH}?top=200", *[f"{PATH}?skipToken=2"] * 3]
    await source.close()


async def test_a_long_pause_ends_the_reading_and_is_made_before_the_next(nap: Nap) -> None:
    wire = Script(in_turn(Reply(429, {"retry-after": "7200"}, b"")))
    source = made(wire, nap)
    await source.open()

    assert await nap.begins() == 7200.0
    assert len(wire.asked) == 1
    await source.close()


async def test_a_service_that_never_has_time_is_left_alone_in_the_end(nap: Nap) -> None:
    wire = Script(lambda _: Reply(429, {"retry-after": "1"}, b""))
    source = made(wire, nap)
    await source.open()

    waits = [await nap.begins()] + [await nap.wake() for _ in range(trend.PAUSES)]

    assert waits == [1.0] * trend.PAUSES + [30.0]
    await source.close()


@pytest.mark.parametrize(
    ("answer", "asked"),
    [
        (lambda _: page(address(1), following="skipToken=1"), 2),  # the same page again and again
        (lambda _: page(following="top=200"), 1),
    ],
)
async def test_a_list_that_goes_in_a_circle_is_no_list(
    nap: Nap, answer: Callable[[Request], Reply], asked: int
) -> None:
    wire = Script(answer)
    source = made(wire, nap)
    await source.open()

    assert await nap.begins() == 30.0
    assert len(wire.asked) == asked
    assert await failure(source) is Outcome.UNAVAILABLE
    await source.close()


def _endless(*, objects: int = 0, padding: int = 0) -> Callable[[Request], Reply]:
    def answer(request: Request) -> Reply:
        number = int(request.path.rpartition("=")[2]) + 1
        first = ipaddress.IPv4Address("11.0.0.0") + number * objects
        plain = page(
            *(Indicator(Kind.IPV4, str(first + each)) for each in range(objects)),
            following=f"skipToken={number}",
        )
        return Reply(200, {}, plain.body + b" " * padding)

    return answer


@pytest.mark.parametrize(
    ("answer", "asked"),
    [
        (_endless(), trend.MAX_PAGES),
        (_endless(objects=100), 6),
        (_endless(padding=10_000_000), trend.MAX_BYTES // 10_000_000),
    ],
    ids=["pages", "objects", "bytes"],
)
async def test_a_list_without_an_end_is_no_list(
    nap: Nap, answer: Callable[[Request], Reply], asked: int
) -> None:
    wire = Script(answer)
    source = made(wire, nap, most_objects=500)
    await source.open()

    assert await nap.begins() == 30.0
    assert len(wire.asked) == asked
    await source.close()


async def test_a_link_to_another_host_takes_the_key_nowhere(nap: Nap) -> None:
    first = json.loads(page(address(1)).body)
    wire = Script(in_turn(reply({**first, "nextLink": f"https://evil.example{PATH}?skipToken=2"})))
    source = made(wire, nap)
    await source.open()

    assert await nap.begins() == 30.0
    assert len(wire.asked) == 1
    await source.close()


async def test_the_sample_is_read_from_page_to_page(nap: Nap) -> None:
    wire = Script(in_turn(reply(sample("trend", "page")), reply(sample("trend", "last-page"))))
    source = made(wire, nap)
    await source.open()
    await nap.begins()

    assert wire.asked[1] == f"{PATH}?top=200&skipToken=YWJj%2Bdef%3D&orderBy=lastModifiedDateTime%20desc"
    assert facts(await source.ask(SHA256))["note"] == "Invented for a test"
    await source.close()
