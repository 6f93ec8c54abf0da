"""How the asker marks a question: read strictly, the strictest counts, and no marking hides an indicator."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.enquiries import Declared, declared, unmarked
from bot.errors import UsageError
from bot.tlp import Label, Pap
from tests.strategies import INDICATORS

HASH = INDICATORS[1].value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Declared()),
        (HASH, Declared()),
        (f"tlp:amber {HASH}", Declared(Label.AMBER)),
        (f"{HASH} TLP:CLEAR", Declared(Label.CLEAR)),
        (f"{HASH},TLP:WHITE,{HASH}", Declared(Label.CLEAR)),
        ("TLP: amber", Declared(Label.AMBER)),
        ("tlp=green", Declared(Label.GREEN)),
        ("TLP\uff1aRED", Declared(Label.RED)),
        ("*TLP:RED*", Declared(Label.RED)),
        ("(TLP:RED).", Declared(Label.RED)),
        ("tlp:red.", Declared(Label.RED)),
        ("TLP AMBER", Declared(Label.AMBER)),
        ("tlp:amber+strict", Declared(Label.AMBER_STRICT)),
        ("TLP:AMBER STRICT", Declared(Label.AMBER_STRICT)),
        ("TLP:AMBER\u00a0STRICT", Declared(Label.AMBER_STRICT)),
        ("tlp amber-strict", Declared(Label.AMBER_STRICT)),
        ("tlp:amber strictly", Declared(Label.AMBER)),
        ("tlp:clear tlp:red tlp:green", Declared(Label.RED)),
        ("pap:red", Declared(pap=Pap.RED)),
        ("pap:white PAP:AMBER tlp:green", Declared(Label.GREEN, Pap.AMBER)),
        *((text, Declared(Label.RED)) for text in ("\u201ctlp:red\u201d", "\xabTLP:RED\xbb", "~tlp:red~")),
        *(
            (text, Declared(Label.RED))
            for text in ("#tlp:red", "{tlp:red}", ":lock:tlp:red", "label=tlp:red")
        ),
        *((text, Declared(Label.RED)) for text in ("\u200btlp:red", "\U0001f512tlp:red", "\u2014tlp:red")),
        *((text, Declared(Label.RED)) for text in ("tlp-red", "TLP_RED", "tlp/red", "TLP \u2192 RED")),
        *((text, Declared(Label.RED)) for text in ("TLPv2:RED", "TLP2 red", "TLP 2.0: RED", "TLP      RED")),
        ("\uff34\uff2c\uff30\uff1a\uff32\uff25\uff24", Declared(Label.RED)),
        ("PAP-AMBER TLP-AMBER+STRICT", Declared(Label.AMBER_STRICT, Pap.AMBER)),
        ("tlp amber-strictly tlp red-team.example.org", Declared(Label.AMBER)),
        ("https://example.org/tlp-red https://example.org/#tlp:red a/tlp/red", Declared()),
        ("https://example.org/" + "a" * 400 + ":tlp:red", Declared()),
        ("tlp-red.example.org", Declared()),
        ("what is tlp", Declared()),
        ("https://example.org/?tlp:amber", Declared()),
        ("tlp.example.org mytlp:amber", Declared()),
    ],
)
def test_a_marking_is_read_wherever_it_stands(text: str, expected: Declared) -> None:
    assert declared(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tlp:ambre", "“tlp:ambre” is no marking"),
        ("tlp:", "TLP:AMBER+STRICT"),
        (f"tlp: {HASH}", "is no marking"),
        ("tlp:amber/red", "“tlp:amber/red”"),
        (
            "tlp:green pap:purple",
            "“pap:purple” is no marking, so nobody was asked. Write one of PAP:CLEAR",
        ),
        ("pap:amber strict", "is no marking"),
        ("tlp:clear tlp:gold", "“tlp:gold”"),
        ("TLP:2.0:AMBER", "is no marking"),
    ],
)
def test_a_marking_that_cannot_be_read_is_said(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("|", r"\|").replace("+", r"\+")):
        declared(text)


words = st.sampled_from(
    [
        "tlp:amber",
        "\uff34LP\uff1aRED",
        "#tlp-red",
        "PAP:RED",
        "TLP AMBER",
        "tlp:red,",
        HASH,
        "c2.example.org",
        "tlp",
        "x",
    ]
)


@given(st.lists(words, max_size=8).map(" ".join))
def test_taking_markings_out_moves_nothing(text: str) -> None:
    left = unmarked(text)

    assert len(left) == len(text)
    assert all(one in (" ", other) for one, other in zip(left, text, strict=True))
    assert left.count(HASH) == text.count(HASH)
    assert declared(left) == Declared()


@given(st.lists(st.sampled_from(list(Label)), min_size=1), st.lists(st.sampled_from(list(Pap))))
def test_the_strictest_counts_in_any_order(labels: list[Label], paps: list[Pap]) -> None:
    text = " ".join(map(str, [*labels, *paps]))

    assert declared(text) == Declared(max(labels), max(paps, default=None))


@pytest.mark.parametrize(
    "unit",
    ["tlp:", "tlp ", "tlp:amber", "tlp:amber ", "tlp = ", " pap:x", "tlp-", "tlp" + " " * 20, ":tlp-red"],
)
def test_a_long_text_takes_no_long_time(unit: str) -> None:
    unmarked(unit * 20_000)
