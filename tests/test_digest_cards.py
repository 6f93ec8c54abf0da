"""A digest of any size reads well: label, gist, best entries, what changed, and where the rest is."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.blocks import note, render
from bot.chat import Preview
from bot.digest_cards import counted, gist, kinds
from bot.digests import LISTED, TOP, Changed, Gathering, What
from bot.indicators import Indicator, Kind
from bot.postings import instead, postings
from bot.sharing import Shown
from bot.subscriptions import Attach, Filters, Purpose
from bot.tlp import Label
from tests.digesting import CHANNEL, NOW, SINCE, claim, complaints, digest_of, payload, seen
from tests.hostile import storable, times
from tests.oracle import unlabelled, unsafe

A_DAY_AGO = "<!date^1795305600^{date_num} {time}|2026-11-22 00:00 UTC>"


def text(*claims: Any, **more: Any) -> str:
    return render(digest_of(*claims, **more)).text


def test_the_first_line_is_the_label_and_how_much_is_new() -> None:
    said = text(claim(1), claim(2))

    assert said.startswith("TLP:GREEN · digest: 2 new indicators\n")


def test_the_gist_tells_families_and_kinds() -> None:
    claims = [claim(number, family="Emotet") for number in range(30)]
    hashes = [claim(Indicator(kind, "0" * 32)) for kind in (Kind.MD5, Kind.SHA1, Kind.SHA256)]
    others = [claim(Indicator(Kind.IPV4, "192.0.2.1")), claim(Indicator(Kind.IPV6, "2001:db8::1"))]

    told = gist(digest_of(*claims, *hashes, *others))

    assert told == "35 new indicators: Emotet 30, no family 5; 30 domains, 3 hashes, 2 addresses"


def test_many_families_are_told_by_the_biggest() -> None:
    claims = [claim(f * 10 + n, family=f"Family {f}") for f in range(5) for n in range(f + 1)]

    told = gist(digest_of(*claims))

    assert told == ("15 new indicators: Family 4 5, Family 3 4, Family 2 3 and 2 more families; 15 domains")


def test_an_entry_tells_verdict_value_family_first_seen_source_and_label() -> None:
    said = text(claim(1, family="Emotet", confidence=85, first_seen=SINCE))

    assert (
        "• 🔴 malicious 85 · host1[.]example[.]org ℹ️ reserved for documentation · Emotet · "
        f"{A_DAY_AGO} · Partner K · TLP:GREEN"
    ) in said


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ({}, "🔴 malicious"),
        ({"confidence": 50}, "🔴 malicious 50"),
        ({"confidence": 49}, "🟠 suspicious 49"),
        ({"confidence": 90, "to_ids": False}, "⚪ no verdict"),
    ],
)
def test_a_verdict_comes_with_its_confidence(facts: dict[str, Any], verdict: str) -> None:
    assert f"• {verdict} · host1" in text(claim(1, **facts))


def test_what_changed_is_told_apart_and_in_words() -> None:
    amber = seen(claim(1, label=Label.AMBER, addressed_to=frozenset({"trendmicro"}))).shown[0]
    withdrawn = seen(claim(2, "igci", revoked=True), audience=replace(CHANNEL, orgs=frozenset({"igci"})))
    changed = [
        Changed(What.RAISED, amber, Label.GREEN),
        Changed(What.REVOKED, withdrawn.shown[0]),
        Changed(What.GONE),
        Changed(What.GONE),
        Changed(What.EXPIRED),
    ]

    said = text(claim(3), changed=changed, before=seen(claim(3, "bureau")))

    assert said.startswith("TLP:AMBER · digest: 6 changes\n")
    assert said[said.index("What changed") :].splitlines()[1:7] == [
        "• Withdrawn by Cyber Fusion Centre: host2[.]example[.]org",
        "• Label raised from TLP:GREEN to TLP:AMBER: host1[.]example[.]org by Partner K",
        "• Expired: 1 entry shown here before",
        "• No longer shared here: 2 entries shown here before",
        "• Known here, now also reported by Partner K: host3[.]example[.]org",
        "Each line is the claim of its source; look it up before you block it.",
    ]


def test_nothing_new_is_said_in_one_sentence() -> None:
    said = text()

    assert said.splitlines() == [
        "TLP:CLEAR · digest: nothing new",
        f"Nothing new for those who read this channel since {A_DAY_AGO}.",
    ]
    assert text(since=None).endswith("Nothing new for those who read this channel.")


def test_a_filtered_digest_says_so() -> None:
    filters = Filters(
        kinds=frozenset({Kind.URL, Kind.DOMAIN}), families=frozenset({"emotet"}), min_confidence=50
    )

    said = text(claim(1, family="Emotet"), filters=filters)

    assert (
        "This digest is about: domain, url · families emotet · confidence 50 or more, or none given" in said
    )


# Where the rest is.


@pytest.mark.parametrize(
    ("number", "where"),
    [
        (TOP, None),
        (TOP + 1, "The complete list (11 rows) is in the thread."),
        (LISTED, "The complete list (100 rows) is in the thread."),
        (LISTED + 1, "The complete list (101 rows, CSV) is in the thread."),
    ],
)
def test_the_message_says_where_the_complete_list_is(number: int, where: str | None) -> None:
    message = render(digest_of(*map(claim, range(number))))

    assert (where is None) is ("complete list" not in message.text)
    assert where is None or where in message.text
    assert bool(message.details) is (TOP < number <= LISTED)


def test_the_thread_holds_every_row() -> None:
    claims = [claim(number, family="F" * 40, context="x" * 900) for number in range(LISTED)]

    message = render(digest_of(*claims))

    rows = [line for page in message.details for line in page.text.splitlines() if line.startswith("•")]
    shown = sum(len(block["rows"]) - 1 for page in message.details for block in _tables(page.blocks))
    assert shown == LISTED
    assert len(rows) <= LISTED  # the fallback may be cut, the table may not


def _tables(blocks: Any) -> list[Any]:
    return [block for block in blocks if block["type"] == "table"]


def test_a_refused_file_becomes_the_best_rows_and_an_honest_line() -> None:
    digest = digest_of(*(claim(number, confidence=number % 101) for number in range(2_000)))

    pages = instead(digest)

    assert render(digest).details == ()
    assert "No file can be put into this channel. These are the first 100 of 2,000 rows" in (
        pages[0].message.text
    )
    assert "🔴 malicious 100" in pages[0].message.text
    assert sum(len(block["rows"]) - 1 for page in pages for block in _tables(page.message.blocks)) == LISTED


@pytest.mark.parametrize(("number", "rows"), [(1, "1 row"), (TOP, "10 rows"), (TOP + 1, "11 rows")])
def test_a_short_list_replaces_its_file_completely(number: int, rows: str) -> None:
    digest = digest_of(*map(claim, range(number)), attach=Attach.STIX)

    [page] = instead(digest)

    assert f"The complete list ({rows}, STIX 2.1) is in the thread." in render(digest).text
    assert f"The complete list ({rows}) is in the thread." in render(replace(digest, files_refused=True)).text
    assert "so this is the list as text" in page.message.text
    assert page.message.text.count("🔴") == number


def test_the_words_beside_the_file_begin_with_the_label() -> None:
    beside = note(digest_of(*map(claim, range(2_000))))

    assert beside.text == "TLP:GREEN · complete list of the digest, 2,000 rows"


def test_a_preview_says_that_nobody_else_sees_it() -> None:
    digest = digest_of(*map(claim, range(30)))

    preview = render(Preview(purpose=Purpose.DIGEST, told=digest))

    assert preview.text.startswith("TLP:GREEN · preview of the digest: 30 new indicators\nNobody else sees")
    assert len(preview.details) == len(render(digest).details)


# Whatever stands in it.

_shown = st.builds(
    claim,
    st.builds(Indicator, st.sampled_from(Kind), storable),
    st.sampled_from(["igci", "trendmicro", "kaspersky"]),
    label=st.sampled_from([Label.CLEAR, Label.GREEN]),
    family=st.none() | storable,
    context=st.none() | storable,
    tags=st.lists(storable, max_size=2).map(tuple),
    first_seen=times,
    last_seen=times,
    confidence=st.none() | st.integers(0, 100),
)


@given(
    st.lists(_shown, max_size=14),
    st.lists(_shown, max_size=3),
    st.lists(st.sampled_from(list(What)), max_size=4),
    storable,
)
def test_every_digest_is_taken_by_slack_safe_and_labelled(
    claims: list[Any], old: list[Any], whats: list[What], family: str
) -> None:
    shown: list[Shown | None] = [*seen(*old).shown, None]
    changed = [Changed(what, shown[n % len(shown)], Label.CLEAR) for n, what in enumerate(whats)]
    filters = Filters(sources=frozenset({family})) if family else Filters()

    digest = digest_of(*claims, *old, before=seen(*old), changed=changed)

    assert list(complaints(digest)) == []
    assert list(complaints(replace(digest, filters=filters, files_refused=True))) == []
    assert unsafe(payload(note(digest))) == []
    assert unlabelled(payload(note(digest))) == []


@pytest.mark.parametrize("number", [1, 40, LISTED, 10_000])
@pytest.mark.parametrize("length", [1, 2_000])
def test_a_digest_of_any_size_fits_into_one_message(number: int, length: int) -> None:
    path = "é/" * (length // 2)
    claims = [
        claim(Indicator(Kind.URL, f"http://host{n}.example.org/{path}"), family=f"{n} {path}", tags=(path,))
        for n in range(number)
    ]
    before = seen(*(claim(one.indicator, "igci") for one in claims[:30]))
    raised = seen(*(claim(n, label=Label.AMBER, addressed_to=frozenset({"trendmicro"})) for n in range(30)))
    changed = [Changed(What.RAISED, shown, Label.CLEAR) for shown in raised.shown]

    digest = digest_of(*claims, before=before, changed=changed)

    assert list(complaints(digest)) == []
    assert "Continued in the details" not in render(digest).text
    assert postings(digest)[0].indicators >= {raised.shown[0].indicator}


def test_a_hundred_thousand_claims_leave_the_message_small() -> None:
    gathering = Gathering(CHANNEL)
    page = seen(*(claim(number, family=f"Family {number % 1_000}") for number in range(1_000)))

    for _ in range(100):
        gathering.add(page)
    digest = gathering.digest(since=SINCE, until=NOW + timedelta(hours=1))

    assert digest.claims == 100_000
    assert digest.indicators == 1_000
    assert len(render(digest).text) < 4_000


@pytest.mark.parametrize(("number", "said"), [(1, "1 row"), (2, "2 rows"), (1_000, "1,000 rows")])
def test_numbers_are_readable(number: int, said: str) -> None:
    assert counted(number, "row") == said


@pytest.mark.parametrize(
    ("kind", "number", "said"),
    [
        (Kind.DOMAIN, 1, "Quiet Heron 1: 1 domain"),
        (Kind.DOMAIN, 3, "Quiet Heron 3: 3 domains"),
        (Kind.SHA256, 2, "Quiet Heron 2: 2 SHA-256 hashes"),
        (Kind.IPV6, 2, "Quiet Heron 2: 2 IPv6 addresses"),
    ],
)
def test_groups_name_their_kinds_as_people_do(kind: Kind, number: int, said: str) -> None:
    claims = [claim(_of_kind(kind, each), family="Quiet Heron") for each in range(number)]

    text = render(digest_of(*claims, claim(99, family="Other"))).text

    assert said in text


def test_every_kind_has_a_word() -> None:
    told = kinds([(kind, 1) for kind in Kind])

    assert told == (
        "6 hashes, 2 addresses, 1 CVE, 1 URL, 1 bitcoin address, 1 domain, 1 e-mail address, 1 network"
    )


def _of_kind(kind: Kind, number: int) -> Indicator:
    values = {
        Kind.DOMAIN: f"host{number}.example.org",
        Kind.SHA256: f"{number:064x}",
        Kind.IPV6: f"2001:db8::{number + 1:x}",
    }
    return Indicator(kind, values[kind])
