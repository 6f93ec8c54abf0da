"""Release decisions as written down for a compliance officer: all hold, and a malformed file is refused."""

import json
from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.policy_cases import Case, read

SAMPLES = Path(__file__).parent / "samples" / "policy"
SHARED = Path(__file__).parents[2] / "shared" / "policy" / "cases.json"

WRITTEN = [case for name in ("cases", "more_cases") for case in read((SAMPLES / f"{name}.json").read_bytes())]

GREEN = {"source": "kaspersky", "label": "TLP:GREEN"}
GOOD = {
    "case": 7,
    "says": "GREEN -> channel",
    "assertion": GREEN,
    "audience": {"kind": "channel", "orgs": ["host", "kaspersky"]},
    "release": True,
    "reason": "ok",
}


@pytest.mark.parametrize("case", WRITTEN, ids=lambda case: f"{case.number}: {case.says}")
def test_a_decision_is_as_written_down(case: Case) -> None:
    assert case.decided == case.expected
    assert case.holds


def test_the_fifty_cases_of_the_specification_are_all_here() -> None:
    numbers = [case.number for case in WRITTEN]

    assert numbers[:50] == list(range(1, 51))
    assert len(numbers) > 110


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared/policy/cases.json")
def test_our_copy_is_that_of_the_specification() -> None:
    assert (SAMPLES / "cases.json").read_bytes() == SHARED.read_bytes()


def test_a_wrong_expectation_is_noticed_by_decision_and_by_reason() -> None:
    wrong_release = {**GOOD, "case": 1, "release": False}
    wrong_reason = {**GOOD, "case": 2, "reason": "because"}

    cases = _read(GOOD, wrong_release, wrong_reason)

    assert [case.holds for case in cases] == [True, False, False]


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        ({"says": None}, "case 7: Expected `str`, got `null` - at `$.says`"),
        ({"release": "yes"}, "case 7: Expected `bool`, got `str` - at `$.release`"),
        ({"assertion": {"source": "kaspersky"}}, "case 7: Object missing required field `label`"),
        ({"assertion": {"source": "kaspersky", "label": "TLP:AMBR"}}, "case 7: not a TLP label; use one of"),
        (
            {"assertion": {**GREEN, "nevr_to": []}},
            "case 7: Object contains unknown field `nevr_to` - at `$.assertion`",
        ),
        (
            {"assertion": {**GREEN, "pap": "RD"}},
            "case 7: not a PAP level; use one of",
        ),
        (
            {"assertion": {**GREEN, "not_before": "tomorrow"}},
            "case 7: assertion.not_before is 'tomorrow', which is not understood; use one of: ear",
        ),
        (
            {"assertion": {**GREEN, "addressed_to": ["trend"]}},
            "case 7: trend: not in `orgs`; add it there or correct the name",
        ),
        (
            {"audience": {"kind": "chanel", "orgs": []}},
            "case 7: audience.kind is 'chanel', which is unknown;",
        ),
        ({"audience": {"kind": "dm", "orgs": ["x"]}}, "case 7: x: not in `orgs`"),
        ({"audience": {"kind": "dm"}}, "case 7: Object missing required field `orgs` - at `$.audience`"),
        ({"audience": {"kind": "dm", "orgs": [], "cap": "?"}}, "case 7: not a TLP label"),
        ({"case": "seven"}, "case without a number (1 in the list): Expected `int`, got `str`"),
    ],
)
def test_a_malformed_case_is_refused_with_its_number(change: dict[str, object], mistake: str) -> None:
    with pytest.raises(ConfigError) as refused:
        _read({**GOOD, **change})

    (told,) = refused.value.mistakes
    assert told.startswith(mistake)


def test_every_malformed_case_is_reported_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        _read({**GOOD, "case": 1, "says": 1}, GOOD, {**GOOD, "case": 3, "reason": None})

    assert [told.split(":")[0] for told in refused.value.mistakes] == ["case 1", "case 3"]


@pytest.mark.parametrize(
    ("content", "mistake"),
    [
        (b"", "not a file of policy cases: Input data was truncated"),
        (b"[]", "not a file of policy cases: Expected `object`, got `array`"),
        (b'{"cases": []}', "not a file of policy cases: Object missing required field `orgs`"),
        (b'{"orgs": {"x": {"comunity": true}}, "cases": []}', "not a file of policy cases: Object contains"),
        (b'{"orgs": {}, "cases": []}', "the list `cases` is empty; write at least one case"),
        (b'{"orgs": {"\xff": {}}, "cases": []}', "not a file of policy cases: "),
        (b"[" * 100_000, "not a file of policy cases: "),
    ],
)
def test_what_is_no_file_of_cases_is_refused(content: bytes, mistake: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(content)

    (told,) = refused.value.mistakes
    assert told.startswith(mistake)


def test_two_cases_of_one_number_are_refused() -> None:
    with pytest.raises(ConfigError, match="case 7: there are several of that number; give each its own"):
        _read(GOOD, GOOD)


def _read(*cases: object) -> list[Case]:
    orgs = {"host": {}, "kaspersky": {"community": True}}
    return read(json.dumps({"orgs": orgs, "cases": cases}).encode())
