"""Labels: every spelling that is read, and all those that must not be."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import tlp
from bot.errors import InputError
from bot.tlp import Label, Pap
from tests.strategies import proof

WORDS = {
    "clear": Label.CLEAR,
    "white": Label.CLEAR,
    "green": Label.GREEN,
    "amber": Label.AMBER,
    "amber+strict": Label.AMBER_STRICT,
    "red": Label.RED,
}
PAP_WORDS = {"clear": Pap.CLEAR, "white": Pap.CLEAR, "green": Pap.GREEN, "amber": Pap.AMBER, "red": Pap.RED}
FORMS = ("{}", "tlp:{}", " {} ", "tlp:{}\n", "\t{}", "\N{NO-BREAK SPACE}tlp:{}")
CASES = (str.lower, str.upper, str.title, str.swapcase)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("word", "label"), WORDS.items())
def test_a_label_is_read_in_every_spelling_of_tlp(word: str, label: Label, form: str, case: object) -> None:
    text = case(form.format(word))  # type: ignore[operator]  # one of the four methods of str above

    assert tlp.parse(text) is label


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("form", [form.replace("tlp", "pap") for form in FORMS])
@pytest.mark.parametrize(("word", "level"), PAP_WORDS.items())
def test_a_pap_level_is_read_in_every_spelling(word: str, level: Pap, form: str, case: object) -> None:
    text = case(form.format(word))  # type: ignore[operator]  # one of the four methods of str above

    assert tlp.parse_pap(text) is level


NOT_LABELS = [
    "",
    " ",
    "tlp",
    "tlp:",
    ":amber",
    "TLP:AMBR",
    "tlp:unclear",
    "tlp:ex:chr",
    "tlp::amber",
    "tlp amber",
    "tlp: amber",
    "tlp-amber",
    "tlp=amber",
    'tlp:"amber"',
    "amber-strict",
    "amber_strict",
    "amber strict",
    "amberstrict",
    "amber +strict",
    "amber+ strict",
    "amber+strict+",
    "amber++strict",
    "+strict",
    "strict",
    "green+strict",
    "red+strict",
    "amber+red",
    "amber, green",
    "amber\ngreen",
    "tlp:green tlp:red",
    "tlp:tlp:green",
    "greenish",
    "ungreen",
    "gr een",
    "TLP:RED.",
    "TLP:2.0:GREEN",
    "TLP:ORANGE",
    "pap:green",
    "0",
    "None",
    "TLP:СLEAR",  # Cyrillic Es
    "ТLP:CLEAR",  # Cyrillic Te
    "TLP:GREEΝ",  # Greek Nu
    "tlp:cleаr",  # Cyrillic a
    "TLP:WHİTE",  # dotted capital I, which folds to i
    "tlp:whıte",  # dotless i, which folds to I
    "ＴＬＰ：ＣＬＥＡＲ",  # full width
    "TLP：CLEAR",  # full-width colon
    "amber＋strict",  # full-width plus
    "tlp:cle\u200bar",  # zero-width space
    "\u200btlp:clear",
    "\ufefftlp:clear",  # byte order mark
    "tlp:clear\u202e",  # right-to-left override
    "tlp:clear\x00",
    "tlp:cle\u0301ar",  # combining acute
    "tlp:gre\u00aden",  # soft hyphen
    "🔴",
]


@pytest.mark.parametrize("text", NOT_LABELS)
def test_anything_else_is_no_label(text: str) -> None:
    with pytest.raises(InputError, match="not a TLP label; use one of TLP:CLEAR, TLP:GREEN, TLP:AMBER,"):
        tlp.parse(text)


@pytest.mark.parametrize(
    "text", [*NOT_LABELS[:6], "amber+strict", "pap:amber+strict", "tlp:green", "PAP:GREЕN"]
)
def test_anything_else_is_no_pap_level(text: str) -> None:
    with pytest.raises(
        InputError, match="not a PAP level; use one of PAP:CLEAR, PAP:GREEN, PAP:AMBER, PAP:RED"
    ):
        tlp.parse_pap(text)


look_alikes = st.text(
    alphabet=st.sampled_from("clearwhitgnmbsdpCLEARWHITGNMBSDP:+ \tсеаıİſK\u200b\u0301"), max_size=14
)


@proof
@given(st.one_of(look_alikes, st.text(max_size=16)))
def test_only_what_reads_as_a_label_to_the_eye_of_a_machine_is_one(text: str) -> None:
    plain = text.strip()
    known = plain.isascii() and plain.lower().removeprefix("tlp:") in WORDS

    try:
        label = tlp.parse(text)
    except InputError:
        assert not known
    else:
        assert known
        assert label is WORDS[plain.lower().removeprefix("tlp:")]


@pytest.mark.parametrize("label", Label)
def test_a_label_is_written_as_first_spells_it_and_read_back(label: Label) -> None:
    assert tlp.parse(str(label)) is label
    assert str(label) in {"TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"}


@pytest.mark.parametrize("level", Pap)
def test_a_pap_level_is_written_and_read_back(level: Pap) -> None:
    assert tlp.parse_pap(str(level)) is level
    assert str(level) == f"PAP:{level.name}"


def test_the_strictest_of_several_labels_counts() -> None:
    for labels in permutations(Label):
        assert tlp.strictest(labels) is Label.RED
    assert tlp.strictest([Label.AMBER, Label.AMBER_STRICT]) is Label.AMBER_STRICT
    assert tlp.strictest([Label.GREEN, Label.CLEAR]) is Label.GREEN
    assert tlp.strictest([]) is Label.CLEAR


def test_the_order_is_that_of_strictness() -> None:
    assert sorted(Label) == [Label.CLEAR, Label.GREEN, Label.AMBER, Label.AMBER_STRICT, Label.RED]
    assert sorted(Pap) == [Pap.CLEAR, Pap.GREEN, Pap.AMBER, Pap.RED]


@pytest.mark.parametrize(
    ("label", "level"),
    [
        (Label.CLEAR, Pap.GREEN),
        (Label.GREEN, Pap.AMBER),
        (Label.AMBER, Pap.RED),
        (Label.AMBER_STRICT, Pap.RED),
        (Label.RED, Pap.RED),
    ],
)
def test_a_label_implies_what_may_be_done(label: Label, level: Pap) -> None:
    assert tlp.permitted_by_default(label) is level


def test_unmarked_data_is_strict() -> None:
    assert tlp.UNMARKED is Label.AMBER_STRICT


@pytest.mark.parametrize(
    ("marking", "label"),
    [
        ("613f2e26-407d-48c7-9eca-b8e91df99dc9", Label.CLEAR),
        ("34098fce-860f-48ae-8e50-ebd3cc5e41da", Label.GREEN),
        ("f88d31f6-486f-44da-b317-01333bde0b82", Label.AMBER),
        ("5e57c739-391a-4eb3-b6be-7d15ca92d5ed", Label.RED),
        ("94868c89-83c2-464b-929b-a1a8aa3c8487", Label.CLEAR),
        ("bab4a63c-aed9-4cf5-a766-dfca5abac2bb", Label.GREEN),
        ("55d920b0-5e8b-4f79-9ee9-91f868d9b421", Label.AMBER),
        ("939a9414-2ddd-4d32-a0cd-375ea402b003", Label.AMBER_STRICT),
        ("e828b379-4e03-4974-9ac4-e53a884c97c1", Label.RED),
        ("826578e1-40ad-459f-bc73-ede076f81f37", Label.AMBER_STRICT),
    ],
)
def test_the_markings_of_stix_are_those_of_the_standard(marking: str, label: Label) -> None:
    assert tlp.STIX_MARKINGS[f"marking-definition--{marking}"] is label
    assert len(tlp.STIX_MARKINGS) == 10
