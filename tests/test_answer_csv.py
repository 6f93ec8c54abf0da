"""An answer in a spreadsheet: its label first, all that was cleared and nothing that runs."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings

from bot.answer_csv import COLUMNS, as_csv
from bot.chat import Lookup
from bot.feeds.csv_file import FORMULA
from bot.findings import Outcome
from bot.sharing import clear
from bot.telling import tell
from bot.tlp import Label
from bot.verdicts import Verdict
from tests.test_blocks import DOMAIN, HOST, NOW, WORLD, claim
from tests.test_service_lines import HASH, MALICIOUS, PAGE, answer, finding, lookups


def rows(reply: Lookup) -> list[dict[str, str]]:
    _, header, *lines = csv.reader(io.StringIO(as_csv(reply), newline=""))
    return [dict(zip(header, line, strict=True)) for line in lines]


def told(reply: Lookup, *columns: str) -> list[Sequence[str]]:
    return [tuple(row[column] for column in columns) for row in rows(reply)]


def test_the_first_line_is_the_label_and_the_second_names_the_columns() -> None:
    reply = answer(MALICIOUS, claims=[claim(HASH, label=Label.AMBER)])
    first, second, *_ = as_csv(reply).split("\r\n")
    assert first == '"TLP:AMBER"'
    assert second == ",".join(f'"{column}"' for column in COLUMNS)


def test_there_is_a_row_for_each_claim_and_each_service() -> None:
    good = finding("hashlookup", verdict=Verdict.BENIGN)
    out = finding("opentip", Outcome.QUOTA, again_at=NOW, fetched_at=None)
    reply = answer(MALICIOUS, good, out, asked=[HASH, DOMAIN], claims=[claim(HASH, confidence=80)])

    assert told(reply, "value", "overall", "source", "outcome", "verdict", "score") == [
        (HASH.value, "malicious", "Kaspersky", "claim", "malicious", "confidence 80"),
        (HASH.value, "malicious", "VirusTotal", "found", "malicious", "47/65"),
        (HASH.value, "malicious", "CIRCL hashlookup", "found", "benign", ""),
        (HASH.value, "malicious", "OpenTIP", "quota", "unknown", ""),
        (DOMAIN.value, "unknown", "", "nothing to show", "", ""),
    ]
    assert {row["conflict"] for row in rows(reply)[:4]} == {"true"}
    assert (rows(reply)[1]["link"], rows(reply)[1]["fetched_at"]) == (PAGE, "2026-11-23T03:00:00.000Z")
    assert rows(reply)[3]["again_at"] == "2026-11-23T03:00:00.000Z"
    assert rows(reply)[4]["well_known"] == "reserved for documentation"


@pytest.mark.parametrize("family", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2", "\u202e=1", "＝1"])
def test_no_cell_is_a_formula(family: str) -> None:
    [row] = rows(answer(finding("virustotal", family=family)))
    assert row["family"].startswith("'")


def test_reasons_and_keys_that_do_not_work_are_for_the_host_alone() -> None:
    findings = [finding("virustotal", Outcome.AUTH), finding("opentip", Outcome.BLOCKED, reason="why")]
    partner = replace(HOST, orgs=frozenset({"kaspersky"}))
    hosts, partners = (tell(clear([], who, WORLD), findings, "kaspersky", WORLD) for who in (HOST, partner))

    assert [(each.outcome, each.reason) for each in hosts.findings] == [
        (Outcome.AUTH, ""),
        (Outcome.BLOCKED, "why"),
    ]
    assert [(each.outcome, each.reason) for each in partners.findings] == [
        (Outcome.UNAVAILABLE, ""),
        (Outcome.BLOCKED, ""),
    ]


@settings(deadline=None)
@given(reply=lookups)
def test_whatever_services_write_the_file_is_sound(reply: Lookup) -> None:
    [label], header, *lines = csv.reader(io.StringIO(as_csv(reply), newline=""))
    assert label == str(reply.cleared.label)
    assert tuple(header) == COLUMNS
    assert all(len(line) == len(COLUMNS) for line in lines)
    assert not any(cell[:1] and cell[0] in FORMULA for line in lines for cell in line)
