"""What external services said is told in full, safely, with its age, and silence is never taken for good."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.answers import entries
from bot.blockkit import message_problems, view_problems
from bot.blocks import details_view, posting, render, share_view, shareable
from bot.cards import card, is_brief
from bot.chat import Lookup
from bot.findings import MAX_FACTS, Finding, Outcome, Report
from bot.indicators import Indicator, Kind
from bot.sharing import Cleared, clear
from bot.telling import tell
from bot.tlp import Label
from bot.verdicts import Verdict
from tests.hostile import findings, indicators, shown
from tests.oracle import unlabelled, unsafe
from tests.test_blocks import DOMAIN, HOST, NOW, WORLD, assert_sound, claim, words_of

HASH = Indicator(Kind.SHA256, "0f" * 32)
PAGE = f"https://www.virustotal.com/gui/file/{HASH.value}"
TITLES = {"virustotal": "VirusTotal", "opentip": "OpenTIP", "hashlookup": "CIRCL hashlookup"}


def finding(provider: str, outcome: Outcome = Outcome.FOUND, **fields: Any) -> Finding:
    """One as it comes from a service now; the fields of a report make one."""
    title = TITLES.get(provider, provider)
    facts = {name: fields.pop(name) for name in Report.__struct_fields__ if name in fields}
    report = Report(**facts) if facts or outcome is Outcome.FOUND else None
    base: dict[str, Any] = {"indicator": HASH, "label": Label.GREEN, "fetched_at": NOW, "report": report}
    return Finding(provider=provider, title=title, outcome=outcome, **{**base, **fields})


def answer(*told: Finding, asked: Sequence[Indicator] = (HASH,), claims: Sequence[Any] = ()) -> Lookup:
    cleared = tell(clear(claims, HOST, WORLD, asked=asked), told, "igci", WORLD)
    return Lookup(entries=tuple(entries(asked, cleared)), cleared=cleared, at=NOW)


def text(reply: Lookup) -> list[str]:
    return render(reply).text.splitlines()


def line_of(one: Finding) -> str:
    return next(line for line in text(answer(one)) if one.title in line)


MALICIOUS = finding(
    "virustotal",
    verdict=Verdict.MALICIOUS,
    score="47/65",
    family="Emotet",
    first_seen=datetime(2024, 1, 2, tzinfo=UTC),
    link=PAGE,
)


def test_a_card_has_a_line_a_service_the_worst_first() -> None:
    reply = answer(
        finding("hashlookup", Outcome.NOT_FOUND, fetched_at=NOW - timedelta(hours=3)),
        finding("trend", Outcome.PENDING),
        finding("urlhaus", Outcome.TIMEOUT),
        MALICIOUS,
        finding("opentip", Outcome.BLOCKED, reason="TLP above provider.max_tlp"),
    )
    assert text(reply) == [
        "TLP:GREEN · 🔴 malicious",
        HASH.value,
        "sha256 · nothing to show from partners",
        "External services · TLP:GREEN",
        "• 🔴 VirusTotal malicious · 47/65 · Emotet · first seen 2024-01-02 · just now",
        "• ⚪ CIRCL hashlookup knows nothing of it · 3 h ago",
        "• ⚠️ urlhaus no answer in time",
        "⏳ asking trend…",
        "Not asked: OpenTIP (TLP:GREEN is above what may be asked there)",
    ]


@pytest.mark.parametrize(
    ("age", "told"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(minutes=1), "just now"),
        (timedelta(minutes=59), "59 min ago"),
        (timedelta(hours=3, minutes=59), "3 h ago"),
        (timedelta(days=9), "9 days ago"),
    ],
)
def test_every_answer_tells_its_age(age: timedelta, told: str) -> None:
    assert line_of(finding("virustotal", fetched_at=NOW - age)).endswith(f" · {told}")


@pytest.mark.parametrize(
    ("outcome", "again", "told"),
    [
        (Outcome.QUOTA, timedelta(hours=21), "quota exhausted: asked again at 00:00 UTC"),
        (Outcome.QUOTA, timedelta(days=8), "quota exhausted: asked again at 2026-12-01 03:00 UTC"),
        (Outcome.QUOTA, None, "quota exhausted"),
        (Outcome.TIMEOUT, timedelta(hours=-1), "no answer in time"),
        (Outcome.UNAVAILABLE, timedelta(minutes=5), "unavailable: asked again at 03:05 UTC"),
        (Outcome.BAD_ANSWER, None, "its answer could not be read"),
        (Outcome.AUTH, timedelta(minutes=5), "does not take our key: the operator must look"),
    ],
)
def test_an_error_is_said_as_such_also_beside_an_older_answer(
    outcome: Outcome, again: timedelta | None, told: str
) -> None:
    again_at = None if again is None else NOW + again
    alone = finding("virustotal", outcome, again_at=again_at, fetched_at=None)
    stale = finding(
        "virustotal", outcome, again_at=again_at, fetched_at=NOW - timedelta(hours=3), score="1/70"
    )

    assert line_of(alone) == f"• ⚠️ VirusTotal {told}"
    assert line_of(stale) == f"• ⚪ VirusTotal no verdict · 1/70 · 3 h old, {told}"


@pytest.mark.parametrize(
    "outcome", [Outcome.NOT_FOUND, Outcome.PENDING, *(each for each in Outcome if each.is_error)]
)
def test_neither_silence_nor_an_error_reads_as_harmless_or_as_nothing(outcome: Outcome) -> None:
    said = "\n".join(text(answer(finding("virustotal", outcome))))
    assert "⚪ no verdict" in said.splitlines()[0]
    assert "othing to show for" not in said
    assert not any(word in said for word in ("clean", "known good", "🟢"))


def test_what_was_not_asked_is_one_line_and_nothing_to_show() -> None:
    partner = replace(HOST, orgs=frozenset({"kaspersky"}))
    told = [
        finding(name, Outcome.BLOCKED, reason="orgs not entitled: trendmicro", report=None)
        for name in ("virustotal", "opentip")
    ]
    cleared = tell(clear([], partner, WORLD), told, "kaspersky", WORLD)
    reply = Lookup(entries=tuple(entries([HASH], cleared)), cleared=cleared, at=NOW)

    assert text(reply)[0].endswith("⚪ nothing to show")
    assert text(reply)[-1] == "Not asked: OpenTIP, VirusTotal"
    assert text(answer(*told))[-1] == (
        "Not asked: OpenTIP, VirusTotal (the marking does not reach whoever runs it)"
    )


def test_a_disagreement_is_called_one_and_says_whose() -> None:
    good = finding("hashlookup", verdict=Verdict.BENIGN, score="trust 100")
    reply = answer(good, MALICIOUS, claims=[claim(HASH)])
    first, *rest = text(reply)

    assert first == "TLP:GREEN · ⚠️ sources disagree · 🔴 malicious"
    assert "⚠️ Sources disagree. Malicious to Kaspersky, VirusTotal; known good to CIRCL hashlookup." in rest
    twice = replace(reply, entries=reply.entries * 2)
    assert text(twice)[0] == "TLP:GREEN · 2 indicators: 🔴 2 malicious, ⚠️ 2 disputed"


def test_well_known_values_are_noted_before_anything_else() -> None:
    empty = Indicator(Kind.MD5, "d41d8cd98f00b204e9800998ecf8427e")
    assert text(answer(about(empty, MALICIOUS), asked=[empty]))[1] == "ℹ️ empty file"


def test_facts_are_in_the_details_only() -> None:
    fact = ("File type", "PE32 from http://evil.example")
    message = render(answer(finding("virustotal", facts=(fact,), last_seen=NOW)))
    told = "• File type: PE32 from hxxp://evil[.]example"

    assert "File type" not in message.text
    assert [told in page.text for page in message.details] == [True]
    assert "last seen: " in message.details[0].text


def test_a_page_of_a_service_is_linked_in_blocks_only() -> None:
    message = render(answer(MALICIOUS))
    links = [
        element
        for block in message.blocks
        for inner in block.get("elements", ())  # type: ignore[attr-defined]  # JSON
        for section in inner.get("elements", ())
        for element in section.get("elements", ())
        if element["type"] == "link"
    ]

    assert [(link["text"], link["url"]) for link in links] == [("VirusTotal", PAGE)]
    assert "https" not in message.text


@pytest.mark.parametrize(
    "url",
    [
        "https://www.virustotal.com/gui/domain/evil.example",
        f"https://evil.example/gui/file/{HASH.value}",
        f"{PAGE}\n",
        f"{PAGE}/../../evil.example",
        PAGE.replace("https", "http"),
    ],
)
def test_any_other_address_becomes_no_link(url: str) -> None:
    message = render(answer(msgspec.structs.replace(MALICIOUS, report=Report(link=url, score="1/2"))))
    assert "VirusTotal" in words_of(message.blocks)
    assert "url" not in str(message.blocks)
    assert_sound(message)


@pytest.mark.parametrize("claims", [[], [claim(HASH)]])
def test_in_front_of_others_it_says_where_services_are_asked(claims: list[Any]) -> None:
    reply = replace(answer(claims=claims), asks_in_private=True)
    assert text(reply)[-1] == "External services are asked in private only: write to me directly."


# --- many ----------------------------------------------------------------------------------------------


def hashes(number: int) -> list[Indicator]:
    return [Indicator(Kind.SHA256, f"{place:064x}") for place in range(number)]


def about(indicator: Indicator, one: Finding) -> Finding:
    return msgspec.structs.replace(one, indicator=indicator)


def test_the_table_says_what_services_came_to() -> None:
    known, unknown, failed, waiting, refused = asked = hashes(5)
    reply = answer(
        about(known, finding("malwarebazaar", verdict=Verdict.MALICIOUS)),
        about(known, MALICIOUS),
        about(known, finding("opentip", Outcome.QUOTA, score="Zone Red", verdict=Verdict.MALICIOUS)),
        about(unknown, finding("virustotal", Outcome.NOT_FOUND)),
        about(unknown, finding("opentip", Outcome.NOT_FOUND)),
        about(failed, finding("virustotal", Outcome.TIMEOUT)),
        about(waiting, finding("virustotal", Outcome.PENDING)),
        about(refused, finding("virustotal", Outcome.BLOCKED)),
        asked=asked,
    )
    rows = {line.split(" · ")[1]: line for line in text(reply) if line.startswith(("• 🔴", "• ⚪"))}

    assert "OpenTIP Zone Red (old) · VirusTotal 47/65 · malwarebazaar malicious" in rows[known.value]
    assert f"{unknown.value} · unknown to 2 · " in rows[unknown.value]
    assert f"{failed.value} · ⚠️ 1 without answer · " in rows[failed.value]
    assert f"{waiting.value} · ⏳ 1 to come · " in rows[waiting.value]
    assert f"{refused.value} · not asked · – · " in rows[refused.value]


@pytest.mark.parametrize(
    ("told", "is_offered"),
    [
        (finding("hashlookup", Outcome.NOT_FOUND), False),
        (finding("urlhaus", Outcome.TIMEOUT), False),
        (MALICIOUS, True),
    ],
)
def test_sharing_is_offered_when_a_service_knows_something(told: Finding, is_offered: bool) -> None:
    assert ("Share" in words_of(render(answer(told), share="token").blocks)) is is_offered


def test_many_are_summed_up_by_service_and_tell_how_far_it_is() -> None:
    asked = hashes(4)
    quota = finding("virustotal", Outcome.QUOTA, again_at=NOW + timedelta(hours=21))
    until = "quota exhausted: asked again at 00:00 UTC"
    reply = answer(
        about(asked[0], MALICIOUS),
        about(asked[1], quota),
        about(asked[2], finding("virustotal", Outcome.PENDING)),
        about(asked[3], finding("virustotal", Outcome.NOT_FOUND)),
        *(about(each, finding("opentip", Outcome.BLOCKED, reason="PAP:RED (or derived)")) for each in asked),
        asked=asked,
    )

    assert text(reply)[1:4] == [
        "⏳ 3 of 4 answered · asking VirusTotal…",
        "• OpenTIP  4 not asked (its PAP forbids to ask others)",
        f"• VirusTotal  1 found · 1 unknown to it · 1 to come · 1 failed ({until})",
    ]


def longest(number: int) -> Lookup:
    """As many services as there are, each saying as much as it can."""
    long = "😀w." * 200
    report = Report(
        verdict=Verdict.MALICIOUS,
        score=long,
        family=long,
        first_seen=NOW,
        last_seen=NOW,
        link=PAGE,
        facts=((long, long),) * MAX_FACTS,
    )
    told = [
        Finding(
            indicator=each,
            provider=f"service{place}",
            title=f"{place} {long}",
            outcome=Outcome.QUOTA,
            report=report,
            fetched_at=NOW - timedelta(days=8),
            again_at=NOW + timedelta(days=3),
        )
        for each in hashes(number)
        for place in range(7)
    ]
    return answer(*told, asked=hashes(number), claims=[claim(each, context=long) for each in hashes(number)])


@pytest.mark.parametrize("number", [1, 2, 100, 500])
def test_the_longest_answers_keep_slacks_limits(number: int) -> None:
    reply = longest(number)
    message = render(reply, share="token", details="token")
    view = details_view(reply, private_metadata="token")

    assert_sound(message)
    assert view_problems(view) == unsafe(view) == unlabelled(view) == []


def cleared_of(claims: list[Any], told: list[Finding]) -> Cleared:
    return replace(Cleared(HOST, tuple(claims)), findings=tuple(told))


lookups = st.builds(
    lambda asked, claims, told, at: Lookup(
        entries=tuple(
            entries(
                [*asked, *(each.indicator for each in (*claims, *told))],
                cleared_of(claims, told),
            )
        ),
        cleared=cleared_of(claims, told),
        at=at,
    ),
    st.lists(indicators, max_size=1),
    st.lists(shown, max_size=2),
    st.lists(findings, max_size=4),
    st.none() | st.just(NOW),
)


@settings(deadline=None)
@given(reply=lookups)
def test_whatever_services_write_messages_and_modals_are_sound(reply: Lookup) -> None:
    worth = shareable(reply)
    views = (
        details_view(reply, private_metadata="token"),
        share_view(worth, ["Kaspersky"], private_metadata="token"),
    )

    assert_sound(render(reply, share="token", details="token"))
    assert [view_problems(view) + unsafe(view) + unlabelled(view) for view in views] == [[], []]
    for each in reply.entries:
        assert is_brief(each) == (card(each, brief=True) == card(each, brief=False))


@given(reply=lookups.filter(lambda reply: bool(shareable(reply).entries)))
@settings(deadline=None)
def test_what_is_shared_does_not_change_as_time_passes(reply: Lookup) -> None:
    later = replace(reply, at=NOW + timedelta(hours=1))
    assert posting(shareable(reply)) == posting(shareable(later))


def test_only_what_services_said_is_shared() -> None:
    blocked = finding("opentip", Outcome.BLOCKED, reason="excluded by the source")
    told = words_of(posting(shareable(answer(MALICIOUS, blocked))).blocks)
    assert "VirusTotal" in told
    assert "OpenTIP" not in told


def test_a_message_of_a_pending_answer_is_sound() -> None:
    pending = finding("virustotal", Outcome.PENDING)
    reply = answer(*(about(each, pending) for each in hashes(3)), asked=hashes(3))
    message = render(reply)
    assert message_problems({"text": message.text, "blocks": message.blocks}) == []
    assert text(reply)[0] == "TLP:GREEN · 3 indicators: ⚪ 3 no verdict yet"


def test_domains_are_never_linked() -> None:
    one = about(DOMAIN, finding("virustotal", link=f"https://www.virustotal.com/gui/domain/{DOMAIN.value}"))
    assert_sound(render(answer(one, asked=[DOMAIN])))
