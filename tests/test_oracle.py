"""The oracle sees everything that must not be sent, and lets plain words pass."""

from typing import Any

import pytest

from tests.oracle import unlabelled, unsafe

HARMLESS = (
    "TLP:AMBER+STRICT · 3 indicators",
    "hxxp://evil[.]example/a?b=c",
    "user[@]evil[.]example",
    "5.5.5, e.g. this... and 10:30:00",
    "&amp;lt; &lt;!channel&gt;",
    "seen <!date^1795219200^{date_num} {time}|2026-11-21 00:00 UTC> again",
    "`*_~ 🔴 שלום",
    "line\nline\tcell",
)
HARMFUL = (
    "<!channel>",
    "<http://evil.example|x>",
    "a > b",
    "a & b",
    "&quot;",
    "<!date^1^{date}|x^https://evil.example>",
    "see http://x",
    "ftp://x",
    "mailto:a@b",
    "evil.com",
    "EVIL.COM.",
    "(evil.zip)",
    "访问evil.com下载",
    "пример.рф",
    "a.xn--p1ai",
    "evil。com",
    "ｅｖｉｌ．ｃｏｍ",
    "198.51.100.7",
    "www.local",
    "https&#58;//x",
    "a\u202eb",
    "a\u200bb",
    "a\0b",
    "a\u2028b",
    "a\ud800b",
    "a\u3164b",
)


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_text_passes(text: str) -> None:
    assert unsafe({"text": text}) == []


@pytest.mark.parametrize("text", HARMFUL)
def test_harmful_text_is_found(text: str) -> None:
    assert unsafe({"text": text}) != []


@pytest.mark.parametrize(
    "blocks",
    [
        [{"type": "section", "text": {"type": "mrkdwn", "text": "x"}}],
        [{"type": "markdown", "text": "x"}],
        [{"type": "image", "alt_text": "x"}],
        [{"type": "rich_text_section", "elements": [{"type": "link", "text": "x"}]}],
        [{"type": "rich_text_section", "elements": [{"type": "user", "user_id": "U0ANNA"}]}],
        [{"type": "rich_text_section", "elements": [{"type": "broadcast", "range": "here"}]}],
        [{"type": "rich_text_section", "elements": [{"type": "date", "timestamp": 1, "url": "x"}]}],
        [{"type": "actions", "elements": [{"type": "button", "url": "x"}]}],
        [{"type": "header", "text": {"type": "plain_text", "text": "evil.com"}}],
        [{"type": "table", "rows": [[{"type": "raw_text", "text": "www.local"}]]}],
        [{"type": "date", "fallback": "evil.com"}],
        [{"type": "something new"}],
    ],
)
def test_elements_that_do_more_than_show_text_are_found(blocks: list[Any]) -> None:
    assert unsafe({"text": "x", "blocks": blocks}) != []
    assert unsafe(blocks) != []


LINK = {
    "type": "link",
    "url": f"https://www.virustotal.com/gui/file/{'0f' * 32}",
    "text": "VirusTotal",
    "style": {"bold": True},
}


def test_a_link_to_a_known_page_about_a_hash_passes() -> None:
    assert unsafe({"text": "x", "blocks": [{"type": "rich_text_section", "elements": [LINK]}]}) == []


@pytest.mark.parametrize(
    "change",
    [
        {"url": "https://www.virustotal.com/gui/domain/evil.com"},
        {"url": "https://www.virustotal.com/gui/ip-address/198.51.100.7"},
        {"url": "https://www.virustotal.com/gui/file/"},
        {"url": f"https://www.virustotal.com/gui/file/{'0f' * 32}?q=evil.com"},
        {"url": f"https://www.virustotal.com/gui/file/{'0f' * 32}#x"},
        {"url": f"https://www.virustotal.com.evil.com/gui/file/{'0f' * 32}"},
        {"url": f"https://u@www.virustotal.com/gui/file/{'0f' * 32}"},
        {"url": f"http://www.virustotal.com/gui/file/{'0f' * 32}"},
        {"url": f"https://bazaar.abuse.ch/sample/{'0f' * 32}"},
        {"url": f"https://evil.com/{'0f' * 32}"},
        {"url": "javascript:alert(1)"},
        {"url": None},
        {"text": "evil.com"},
        {"text": ""},
        {"unsafe": True},
        {"style": {}},
    ],
)
def test_every_other_link_is_found(change: dict[str, object]) -> None:
    link = {**LINK, **change}
    assert unsafe({"text": "x", "blocks": [{"type": "rich_text_section", "elements": [link]}]}) != []


@pytest.mark.parametrize(
    "more",
    [
        {"response_type": "in_channel"},
        {"attachments": []},
        {"unfurl_links": True},
        {"unfurl_media": True},
        {"link_names": True},
        {"markdown_text": "x"},
    ],
)
def test_dangerous_arguments_are_found(more: dict[str, object]) -> None:
    assert unsafe({"text": "x", **more}) != []


def test_ids_and_tokens_may_look_like_anything() -> None:
    button = {"type": "button", "action_id": "a.com", "value": "b.com", "text": {"text": "x"}}
    assert unsafe({"text": "x", "blocks": [button], "ts": "1.2", "channel": "C.com"}) == []


@pytest.mark.parametrize(
    ("text", "first", "is_labelled"),
    [
        ("TLP:CLEAR · x", "TLP:AMBER+STRICT", True),
        ("TLP:RED", "TLP:RED", True),
        ("x TLP:CLEAR", "TLP:CLEAR", False),
        ("TLP:CLEAR", "x", False),
        ("TLP:CLEARLY", "TLP:CLEAR", False),
        ("ТLP:CLEAR", "TLP:CLEAR", False),
        ("TLP:AMBER+", "TLP:AMBER", False),
        (None, "TLP:CLEAR", False),
    ],
)
def test_everything_starts_with_its_label(text: object, first: str, is_labelled: bool) -> None:
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": first}}, {"text": "more"}]
    assert (unlabelled({"text": text, "blocks": blocks}) == []) is is_labelled


def test_a_modal_starts_with_its_label_below_the_title() -> None:
    view: dict[str, Any] = {"type": "modal", "title": {"type": "plain_text", "text": "Details"}}
    labelled = [{"type": "rich_text", "elements": [{"elements": [{"type": "text", "text": "TLP:CLEAR"}]}]}]
    assert unlabelled({**view, "blocks": labelled}) == []
    assert unlabelled({**view, "blocks": [{"type": "divider"}]}) != []
