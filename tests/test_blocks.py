"""Every reply becomes messages and modals that Slack takes, that are safe and start with their label."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.answers import entries
from bot.assertions import Assertion
from bot.blockkit import message_problems, view_problems
from bot.blocks import (
    DETAILS,
    MAX_DETAILS,
    NEXT,
    PREVIOUS,
    SHARE,
    Message,
    details_view,
    in_brief,
    posting,
    render,
    share_view,
    shareable,
)
from bot.cards import card, is_brief
from bot.chat import Lookup, Notice, Recent, Reply, Row
from bot.indicators import Indicator, Kind
from bot.sharing import Audience, Cleared, Reach, Shown, World, clear
from bot.tlp import Label
from tests.hostile import indicators, shown, texts
from tests.oracle import unlabelled, unsafe

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
WORLD = World(
    host="igci",
    now=NOW,
    in_force=frozenset({"kaspersky", "trendmicro"}),
    community=frozenset({"kaspersky", "trendmicro"}),
    names={"igci": "Cyber Fusion Centre", "kaspersky": "Kaspersky", "trendmicro": "Trend Micro"},
    aliases={"kaspersky": "Partner K"},
)
HOST = Audience(reach=Reach.EPHEMERAL, orgs=frozenset({"igci"}), persons=frozenset({"U0HOST"}))
MD5 = Indicator(Kind.MD5, "44d88612fea8a8f36de82e1278abb02f")
SHA256 = Indicator(Kind.SHA256, "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f")
DOMAIN = Indicator(Kind.DOMAIN, "c2.example.org")


def claim(indicator: Indicator, **facts: Any) -> Assertion:
    return Assertion(indicator=indicator, **{"source": "kaspersky", "label": Label.GREEN, **facts})


def answer(asked: list[Indicator], *claims: Assertion, audience: Audience = HOST) -> Lookup:
    cleared = clear(claims, audience, WORLD, asked=asked)
    return Lookup(entries=tuple(entries(asked, cleared)), cleared=cleared)


def many(number: int) -> Lookup:
    asked = [Indicator(Kind.DOMAIN, f"host{place}.example.org") for place in range(number)]
    return answer(asked, *(claim(each, context="seen " * 50) for each in asked[::2]))


def messages(message: Message) -> Iterator[Message]:
    yield message
    yield from message.details


def payload(message: Message) -> Mapping[str, object]:
    return {"text": message.text, "blocks": message.blocks}


def buttons(blocks: Any) -> dict[str, str]:
    return {
        element["action_id"]: element["value"]
        for block in blocks
        if block["type"] == "actions"
        for element in block["elements"]
    }


def words_of(value: Any) -> str:
    """All text that blocks show, for searching."""
    if isinstance(value, Mapping):
        return " ".join(
            words_of(each) for key, each in value.items() if key not in ("type", "action_id", "value")
        )
    if isinstance(value, list | tuple):
        return " ".join(map(words_of, value))
    return value if isinstance(value, str) else ""


def assert_sound(message: Message) -> None:
    for each in messages(message):
        assert message_problems(payload(each)) == []
        assert unsafe(payload(each)) == []
        assert unlabelled(payload(each)) == []
        assert each.text.startswith(f"{message.label} · ")


def assert_sound_view(view: dict[str, Any], label: Label) -> None:
    assert view_problems(view) == []
    assert unsafe(view) == []
    assert unlabelled(view) == []
    assert words_of(view["blocks"][0]).startswith(f"{label} · ")


def cleared_of(claims: list[Shown]) -> Cleared:
    return Cleared(HOST, tuple(claims))


lookups = st.builds(
    lambda asked, claims: Lookup(
        entries=tuple(entries([*asked, *(each.indicator for each in claims)], cleared_of(claims))),
        cleared=cleared_of(claims),
    ),
    st.lists(indicators, max_size=3),
    st.lists(shown, max_size=6),
)
replies: st.SearchStrategy[Reply] = st.one_of(
    lookups,
    st.builds(Recent, period=texts, cleared=st.lists(shown, max_size=6).map(cleared_of), more=st.booleans()),
    st.builds(
        Notice,
        title=texts,
        rows=st.lists(st.builds(Row, text=texts, code=texts), max_size=5).map(tuple),
        footer=texts,
        label=st.sampled_from(Label),
    ),
)


@settings(deadline=None)
@given(reply=replies)
def test_whatever_sources_write_messages_are_sound(reply: Reply) -> None:
    assert_sound(render(reply, share="token", details="token"))


@settings(deadline=None)
@given(reply=lookups, page=st.integers(-1, 3), readers=st.lists(texts, max_size=5))
def test_whatever_sources_write_modals_are_sound(reply: Lookup, page: int, readers: list[str]) -> None:
    worth = shareable(reply)
    assert_sound_view(details_view(reply, page=page, private_metadata="token"), reply.cleared.label)
    assert_sound_view(share_view(worth, readers, private_metadata="token"), worth.cleared.label)


@settings(deadline=None)
@given(reply=lookups)
def test_details_of_a_card_exist_exactly_if_it_leaves_something_out(reply: Lookup) -> None:
    for entry in reply.entries:
        assert is_brief(entry) == (card(entry, brief=True) == card(entry, brief=False))


@pytest.mark.parametrize("word", ["w" * 1_000, "😀" * 1_000, "a.example " * 100])
def test_a_title_that_is_too_long_is_cut_and_the_label_stays(word: str) -> None:
    heading = render(Notice(title=word, label=Label.AMBER_STRICT)).blocks[0]
    assert_sound(render(Notice(title=word, label=Label.AMBER_STRICT)))
    assert words_of(heading).startswith("TLP:AMBER+STRICT · ")
    assert words_of(heading).endswith("…")


def test_a_card_tells_all_there_is_to_know() -> None:
    reply = answer(
        [MD5],
        claim(
            MD5,
            file="eicar",
            family="Emotet",
            first_seen=NOW - timedelta(days=9),
            last_seen=NOW,
            confidence=85,
            tags=("loader", "bank"),
            context="C2 at http://c2.example.org/<x>",
        ),
        claim(SHA256, file="eicar"),
        claim(MD5, source="trendmicro", label=Label.AMBER, to_ids=False, confidence=20, revoked=True),
    )
    seen = (
        "First seen <!date^1794625200^{date_num} {time}|2026-11-14 03:00 UTC> · "
        "last seen <!date^1795402800^{date_num} {time}|2026-11-23 03:00 UTC>"
    )
    notes = "confidence 20 of 100 · context only, not for detection · withdrawn by its source"
    assert render(reply).text.splitlines() == [
        "TLP:AMBER · 🔴 malicious",
        "ℹ️ EICAR test file",
        MD5.value,
        f"md5 · 2 sources · {seen}",
        f"Trend Micro · TLP:AMBER · {notes}",
        "Kaspersky · TLP:GREEN · confidence 85 of 100",
        "Family Emotet · Tags loader, bank",
        seen,
        "“C2 at hxxp://c2[.]example[.]org/&lt;x&gt;”",
        "Hashes of the same file",
        f"• sha256 {SHA256.value}",
    ]


@pytest.mark.parametrize(
    ("facts", "severity"),
    [
        ({"confidence": 80}, "🔴 malicious"),
        ({"confidence": 20}, "🟠 suspicious"),
        ({"to_ids": False}, "⚪ no verdict"),
        ({"revoked": True}, "⚪ no verdict"),
    ],
)
def test_severity_is_told_by_emoji_and_word(facts: dict[str, object], severity: str) -> None:
    assert render(answer([DOMAIN], claim(DOMAIN, **facts))).text.startswith(f"TLP:GREEN · {severity}\n")


def test_nothing_to_show_is_no_verdict() -> None:
    message = render(answer([DOMAIN]), share="token", details="token")
    assert message.text.splitlines() == [
        "TLP:CLEAR · ⚪ nothing to show",
        "ℹ️ reserved for documentation",
        "Nothing to show for c2[.]example[.]org",
        "“Nothing to show” is no verdict: what nobody reported here may still be harmful.",
    ]
    assert buttons(message.blocks) == {}


@pytest.mark.parametrize("asked", [[DOMAIN], [DOMAIN, MD5]])
def test_hidden_and_absent_are_the_same_bytes(asked: list[Indicator]) -> None:
    partner = Audience(reach=Reach.EPHEMERAL, orgs=frozenset({"trendmicro"}))
    hidden = answer(asked, claim(DOMAIN, label=Label.AMBER_STRICT), audience=partner)
    assert render(hidden, share="token") == render(answer(asked, audience=partner), share="token")


def test_many_indicators_are_a_table_with_the_worst_first() -> None:
    reply = answer([MD5, DOMAIN, SHA256], claim(DOMAIN, confidence=10), claim(SHA256, source="trendmicro"))
    message = render(reply)
    first, *rows = message.text.splitlines()
    assert first == "TLP:GREEN · 3 indicators: 🔴 1 malicious, 🟠 1 suspicious, ⚪ 1 nothing to show"
    assert rows[1:] == [
        f"• 🔴 malicious · {SHA256.value} ℹ️ EICAR test file · TLP:GREEN · – · Trend Micro · –",
        "• 🟠 suspicious · c2[.]example[.]org ℹ️ reserved for documentation · TLP:GREEN · – · Kaspersky · –",
        f"• ⚪ nothing to show · {MD5.value} ℹ️ EICAR test file · – · – · – · –",
    ]
    assert len(message.details) == 1


@pytest.mark.parametrize("number", [2, 100, 500])
def test_a_long_list_is_complete_and_sound(number: int) -> None:
    reply = many(number)
    message = render(reply, share="token", details="token")
    assert_sound(message)
    tables = [
        block["rows"] for each in messages(message) for block in each.blocks if block["type"] == "table"
    ]
    assert sum(len(rows) - 1 for rows in tables if isinstance(rows, list)) == number
    assert len(message.details) <= MAX_DETAILS


def test_notes_about_a_long_answer_stand_above_its_table() -> None:
    message = render(replace(many(500), not_understood=("44d8",), wants_file=True), details="token")
    assert "not looked up: 44d8" in message.text
    assert "A CSV file with all of it comes by direct message." in message.text


def test_details_beyond_the_limit_are_said_to_be_cut() -> None:
    last = render(many(500)).details[-1]
    assert "There is more. Look up fewer indicators at once" in last.text + words_of(last.blocks)


def test_a_card_with_many_claims_goes_on_in_the_details() -> None:
    claims = [claim(DOMAIN, source=f"org{number}", context="long " * 100) for number in range(9)]
    message = render(answer([DOMAIN], *claims), details="token")
    assert "4 more claims in the details" in message.text
    assert buttons(message.blocks) == {DETAILS: "token"}
    assert sum(words_of(each.blocks).count("long long") > 0 for each in message.details) >= 1


def test_buttons_carry_the_token_and_appear_only_when_they_help() -> None:
    known = answer([MD5, DOMAIN], claim(MD5))
    assert buttons(render(known, share="one", details="two").blocks) == {SHARE: "one", DETAILS: "two"}
    assert buttons(render(known).blocks) == {}
    assert buttons(render(answer([MD5], claim(MD5)), share="one", details="two").blocks) == {SHARE: "one"}


def test_the_newest_come_as_a_table_the_latest_first() -> None:
    old, new = NOW - timedelta(days=1), NOW
    cleared = answer(
        [MD5, DOMAIN], claim(MD5, last_seen=old), claim(DOMAIN, last_seen=new, family="X")
    ).cleared
    message = render(Recent(period="7d", cleared=cleared, more=True))
    assert [line.split(" · ")[1:] for line in message.text.splitlines()[1:3]] == [
        ["domain", "c2[.]example[.]org", "X", "Kaspersky", "TLP:GREEN"],
        ["md5", MD5.value, "–", "Kaspersky", "TLP:GREEN"],
    ]
    assert message.text.endswith(
        "There is more: narrow it down by kind or family, for example “recent 24h domain”."
    )


def test_a_title_alone_is_a_whole_message() -> None:
    message = render(Notice(title="Looking…"))
    assert (message.text, [each["type"] for each in message.blocks]) == ("TLP:CLEAR · Looking…", ["header"])


def test_a_notice_is_a_list_of_what_to_type() -> None:
    rows = (Row(text="one"), Row(code="/intel who", text="readers"), Row(code="lookup x.example", text=""))
    assert render(Notice(title="help", rows=rows, footer="bye", label=Label.GREEN)).text.splitlines() == [
        "TLP:GREEN · help",
        "one",
        "• /intel who  readers",
        "• lookup x[.]example",
        "bye",
    ]


def test_the_share_modal_tells_readers_label_and_the_very_words() -> None:
    reply = shareable(answer([MD5, DOMAIN], claim(MD5, family="Emotet")))
    view = share_view(reply, ["Cyber Fusion Centre", "Kaspersky"], private_metadata="token")
    said = words_of(view["blocks"])
    assert "Cyber Fusion Centre, Kaspersky" in said
    assert view["submit"] == {"type": "plain_text", "text": "Share"}
    for block in posting(reply).blocks[1:]:
        assert words_of(block) in said
    assert "c2[.]example[.]org" not in said


@pytest.mark.parametrize("number", [4, 60, 500])
def test_nothing_is_posted_that_the_share_modal_did_not_show(number: int) -> None:
    reply = shareable(many(number))
    view = share_view(reply, ["Kaspersky"], private_metadata="token")
    assert_sound_view(view, Label.GREEN)
    said = words_of(view["blocks"])
    cards = [
        block for each in posting(reply).details for block in each.blocks[1:] if block["type"] != "table"
    ]
    assert cards
    assert all(words_of(block) in said for block in cards)


def test_without_anything_to_share_there_is_no_button_to_share() -> None:
    view = share_view(shareable(answer([DOMAIN])), ["Kaspersky"], private_metadata="token")
    assert "submit" not in view
    assert "Nothing of this can be shown in this conversation." in words_of(view["blocks"])


def test_pages_of_a_modal_can_be_turned() -> None:
    reply = many(400)
    first, second = (details_view(reply, page=page, private_metadata="token") for page in (0, 1))
    last = details_view(reply, page=10_000, private_metadata="token")
    assert [buttons(view["blocks"]) for view in (first, second)] == [{NEXT: "1"}, {PREVIOUS: "0", NEXT: "2"}]
    assert buttons(last["blocks"]).keys() == {PREVIOUS}


def test_details_of_a_short_answer_show_the_answer() -> None:
    reply = answer([DOMAIN], claim(DOMAIN, family="Emotet"))
    assert "Emotet" in words_of(details_view(reply, private_metadata="token"))


def test_the_label_is_the_strictest_of_what_is_shown() -> None:
    reply = answer([MD5, DOMAIN], claim(MD5), claim(DOMAIN, label=Label.AMBER_STRICT))
    assert {each.label for each in messages(render(reply))} == {Label.AMBER_STRICT}
    assert render(replace(reply, entries=())).text.startswith("TLP:AMBER+STRICT · ")


@pytest.mark.parametrize("number", [0, 1, 2, 40, 400])
def test_in_brief_an_answer_is_the_same_without_its_details(number: int) -> None:
    reply = many(number)
    whole = render(reply, share="token", details="token")

    assert in_brief(reply, share="token", details="token") == replace(whole, details=())
