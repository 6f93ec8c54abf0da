"""Each message of a digest is known by the indicators that stand in it, so that it can be corrected."""

from hypothesis import given
from hypothesis import strategies as st

from bot.digests import LISTED, TOP, items
from bot.indicators import Indicator, Kind, defang
from bot.postings import instead, items_in, postings
from bot.subscriptions import Attach
from tests.digesting import CHANNEL, NOW, WORLD, claim, digest_of, domain, seen


@given(st.integers(0, LISTED + 5), st.integers(0, 12))
def test_every_message_shows_what_it_is_known_for(number: int, known: int) -> None:
    claims = [claim(1_000 + each, confidence=each % 100) for each in range(number)]
    before = seen(*(claim(each.indicator, "igci") for each in claims[:known]))

    digest = digest_of(*claims, before=before)

    for posting in postings(digest):
        blocks = str(posting.message.blocks)
        shown = {each for each in (one.indicator for one in claims) if defang(each.value) in blocks}
        assert shown == posting.indicators


def test_all_that_is_listed_is_known_somewhere() -> None:
    claims = [claim(number) for number in range(LISTED)]

    found = postings(digest_of(*claims))

    assert len(found[0].indicators) == TOP
    assert frozenset().union(*(posting.indicators for posting in found[1:])) == {
        each.indicator for each in claims
    }


def test_the_pages_instead_of_a_file_are_known_too() -> None:
    claims = [claim(number, last_seen=NOW) for number in range(LISTED)]

    pages = instead(digest_of(*claims, attach=Attach.CSV))

    assert frozenset().union(*(page.indicators for page in pages)) == {each.indicator for each in claims}


def test_the_ledger_gets_every_source_of_what_a_message_shows() -> None:
    claims = [claim(1), claim(1, "bureau"), claim(2)]

    found = items_in(frozenset({domain(1)}), items(claims, CHANNEL, WORLD))

    assert [(item.source, item.indicator) for item in found] == [
        ("kaspersky", domain(1)),
        ("bureau", domain(1)),
    ]


def test_long_values_leave_no_page_without_its_indicators() -> None:
    claims = [
        claim(Indicator(Kind.URL, f"http://host{n}.example.org/{'x' * 1_900}/{n}")) for n in range(LISTED)
    ]

    found = postings(digest_of(*claims))

    assert len(found) > 3
    assert all(posting.indicators for posting in found)
    assert frozenset().union(*(each.indicators for each in found)) == {each.indicator for each in claims}
