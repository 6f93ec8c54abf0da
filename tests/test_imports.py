"""Import: every kind of file into the real store, safely repeated, safely interrupted."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from bot import imports
from bot.assertions import Assertion
from bot.feeds.parsed import Defaults
from bot.feeds.sniffing import Format
from bot.imports import Refusal, Summary
from bot.services import Store, Tally
from bot.store import open_store
from bot.tlp import Label

ROOT = Path(__file__).parents[1]
DEFAULTS = Defaults("kaspersky", Label.GREEN)
DOMAINS = [f"host{number}.example.org" for number in range(5)]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(f"sqlite:///{tmp_path / 'store.db'}")
    yield opened
    await opened.close()


async def everything(store: Store) -> list[Assertion]:
    return [assertion async for page in store.everything() for assertion in page]


def lines(values: Sequence[str], **more: Any) -> bytes:
    return b"\n".join(json.dumps({"kind": "domain", "value": value, **more}).encode() for value in values)


def stix(values: Sequence[str]) -> bytes:
    objects = [
        {"type": "indicator", "id": f"indicator--{value}", "pattern": f"[domain-name:value = '{value}']"}
        for value in values
    ]
    return json.dumps({"type": "bundle", "id": "bundle--1", "objects": objects}).encode()


def misp(values: Sequence[str], *tags: str) -> bytes:
    attributes = [{"type": "domain", "value": value} for value in values]
    event = {"info": "x", "Attribute": attributes, "Tag": [{"name": tag} for tag in tags]}
    return json.dumps({"Event": event}).encode()


def table(values: Sequence[str]) -> bytes:
    return "\n".join(["value,type", *(f"{value},domain" for value in values)]).encode()


FORMATS = {
    "bundle.json": stix(DOMAINS),
    "bundle.stix2": stix(DOMAINS),
    "no-extension": stix(DOMAINS),
    "wide.json": stix(DOMAINS).decode().encode("utf-16"),
    "bom.json": b"\xef\xbb\xbf" + stix(DOMAINS),
    "packed.json.gz": gzip.compress(stix(DOMAINS)),
    "event.json": misp(DOMAINS),
    "list.json": b"[" + misp(DOMAINS) + b"]",
    "table.csv": table(DOMAINS),
    "table.txt": table(DOMAINS),
    "table.csv.gz": gzip.compress(table(DOMAINS)),
    "bare.csv": "\n".join(DOMAINS).encode(),
    "report.md": ("# Report\n\n" + " and ".join(DOMAINS)).encode(),
    "badge.md": ("[![badge](x)]\n\n" + " and ".join(DOMAINS)).encode(),
    "attributes.adoc": ("[[anchor]]\n[cols=2]\n" + " and ".join(DOMAINS)).encode(),
    "lines.jsonl": lines(DOMAINS),
    "lines.json": lines(DOMAINS),
    "lines.ndjson.gz": gzip.compress(lines(DOMAINS)),
}


@pytest.mark.parametrize(("name", "data"), FORMATS.items(), ids=FORMATS)
async def test_every_format_is_recognised(name: str, data: bytes, tmp_path: Path, store: Store) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    summary = await imports.run([path], DEFAULTS, store)
    assert summary == Summary(read=5, tally=Tally(new=5))
    assert sorted(assertion.indicator.value for assertion in await everything(store)) == DOMAINS
    assert {assertion.label for assertion in await everything(store)} == {Label.GREEN}


async def test_a_second_import_changes_nothing(tmp_path: Path, store: Store) -> None:
    for name, data in FORMATS.items():
        (tmp_path / name).write_bytes(data)
    folder = [tmp_path / name for name in FORMATS]
    await imports.run(folder, DEFAULTS, store)
    before, head = await everything(store), await store.head()
    summary = await imports.run(folder, DEFAULTS, store)
    assert summary.tally == Tally(unchanged=5 * len(FORMATS))
    assert await everything(store) == before
    assert await store.head() == head


async def test_no_import_lowers_a_label(tmp_path: Path, store: Store) -> None:
    path = tmp_path / "event.json"
    for tags, expected in ((["tlp:red"], Label.RED), (["tlp:clear"], Label.RED), ([], Label.RED)):
        path.write_bytes(misp(DOMAINS, *tags))
        await imports.run([path], Defaults("kaspersky", Label.CLEAR), store)
        assert {assertion.label for assertion in await everything(store)} == {expected}


async def test_a_folder_is_walked_without_hidden_files_and_links(tmp_path: Path, store: Store) -> None:
    folder = tmp_path / "feed"
    (folder / "deep" / "deeper").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    outside = tmp_path / "outside.txt"
    for number, path in enumerate(
        [
            folder / "a.txt",
            folder / "deep" / "deeper" / "b.txt",
            folder / ".c.txt",
            folder / ".hidden" / "d.txt",
            outside,
        ]
    ):
        path.write_text(DOMAINS[number])
    (folder / "link.txt").symlink_to(outside)
    (folder / "loop").symlink_to(folder)
    summary = await imports.run([folder], DEFAULTS, store)
    assert sorted(assertion.indicator.value for assertion in await everything(store)) == DOMAINS[:2]
    assert summary.rejected == []


async def test_the_index_of_a_misp_feed_is_no_data(tmp_path: Path, store: Store) -> None:
    feed = tmp_path / "feed"
    feed.mkdir()
    (feed / "manifest.json").write_text('{"uuid": {"info": "x"}}')
    (feed / "hashes.csv").write_text("0123456789abcdef0123456789abcdef,uuid\n")
    (feed / "uuid.json").write_bytes(misp(DOMAINS))
    summary = await imports.run([feed], DEFAULTS, store)
    assert summary == Summary(read=5, tally=Tally(new=5))


async def test_bad_files_are_named_and_the_good_ones_are_read(tmp_path: Path, store: Store) -> None:
    bad = {
        "a-cut.json": (stix(DOMAINS)[:-10], "cut off"),
        "b-other.json": (b'{"name": "x"}', "neither STIX nor MISP"),
        "c-zip.docx": (b"PK\x03\x04rest", "an archive or office document"),
        "d-openioc.ioc": (b"<?xml version='1.0'?><ioc/>", "XML"),
        "e-image.png": (bytes(range(256)) * 40, "not a text file"),
        "f-cut.gz": (gzip.compress(stix(DOMAINS))[:-12], "cannot be read"),
        "g-no.gz": (b"\x1f\x8bnonsense", "cannot be read"),
        "h-bomb.gz": (gzip.compress(b"\n" * 60_000_000, 9), "larger than 50,000,000 bytes"),
        "i-report.pdf": (b"%PDF-1.7", "a PDF"),
    }
    for name, (data, _) in bad.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "z-good.json").write_bytes(stix(DOMAINS))
    os.mkfifo(tmp_path / "pipe")
    paths = [tmp_path / name for name in (*bad, "pipe", "z-good.json")]
    summary = await imports.run(paths, DEFAULTS, store)
    assert summary.read == 5
    assert [(refusal.file, refusal.where) for refusal in summary.rejected] == [
        (str(tmp_path / name), "file") for name in (*bad, "pipe")
    ]
    for refusal, (_, reason) in zip(summary.rejected, bad.values(), strict=False):
        assert reason in refusal.reason
    assert summary.rejected[-1].reason == "not a regular file"


async def test_a_packed_bomb_of_lines_ends_at_a_limit(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "MAX_UNPACKED", 20_000_000)
    path = tmp_path / "bomb.jsonl.gz"
    path.write_bytes(gzip.compress(lines(DOMAINS) + b"\n" + bytes(40_000_000), 1))
    summary = await imports.run([path], DEFAULTS, store)
    assert summary.read == 5
    assert [refusal.where for refusal in summary.rejected] == ["file"]
    assert "20,000,000 bytes when unpacked" in summary.rejected[0].reason


async def test_one_bad_object_never_loses_the_rest(tmp_path: Path, store: Store) -> None:
    bad = b'{"type": "indicator", "id": "indicator--x", "pattern": NaN},'
    path = tmp_path / "bundle.json"
    path.write_bytes(stix(DOMAINS).replace(b'"objects": [', b'"objects": [' + bad))
    summary = await imports.run([path], DEFAULTS, store)
    assert summary.read == 5
    assert summary.rejected == [Refusal(str(path), "objects[0]", "NaN is not JSON")]


async def test_many_refusals_are_counted_but_not_all_listed(tmp_path: Path, store: Store) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b"nonsense\n" * 2_500 + lines(DOMAINS))
    summary = await imports.run([path], DEFAULTS, store)
    assert summary.read == 5
    assert len(summary.rejected) == 1_001
    assert summary.rejected[-1] == Refusal(str(path), "…", "1,500 more, not listed")


async def test_quarantined_claims_are_counted(tmp_path: Path, store: Store) -> None:
    path = tmp_path / "event.json"
    path.write_bytes(misp(DOMAINS, "tlp:ex:chr"))
    summary = await imports.run([path], DEFAULTS, store)
    assert (summary.read, summary.quarantined) == (5, 5)
    assert all(assertion.quarantined for assertion in await everything(store))


async def test_a_named_format_is_not_guessed(tmp_path: Path, store: Store) -> None:
    path = tmp_path / "other.json"
    path.write_text(json.dumps({"iocs": DOMAINS}))
    assert (await imports.run([path], DEFAULTS, store)).read == 0
    assert (await imports.run([path], DEFAULTS, store, chosen=Format.TEXT)).read == 5
    assert (await imports.run([path], DEFAULTS, store, chosen=Format.STIX)).rejected[0].where == "document"


async def test_progress_counts_the_bytes_of_the_files(tmp_path: Path, store: Store) -> None:
    paths = []
    for name, data in FORMATS.items():
        paths.append(tmp_path / name)
        paths[-1].write_bytes(data)
    told: list[int] = []
    await imports.run(paths, DEFAULTS, store, progress=told.append)
    assert sum(told) == sum(path.stat().st_size for path in paths)


class KilledError(Exception):
    """What becomes of an import when its process is killed."""


class Dying:
    """A store that dies before its n-th transaction, as a killed process does."""

    def __init__(self, store: Store, after: int) -> None:
        self._store = store
        self._left = after

    async def add(self, assertions: Sequence[Assertion]) -> Tally:
        if self._left == 0:
            raise KilledError
        self._left -= 1
        return await self._store.add(assertions)


@pytest.mark.parametrize("after", range(6))
async def test_an_import_killed_half_way_and_run_again_ends_like_an_unbroken_one(
    after: int, tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "CHUNK", 500)
    files = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    domains = [f"host{number}.example.org" for number in range(2_200)]
    files[0].write_bytes(lines(domains, label="TLP:GREEN", tags=["a"], last_seen="2026-01-01T00:00:00Z"))
    files[1].write_bytes(lines(domains[100:300] * 2, label="TLP:AMBER", tags=["b"], context="later"))
    unbroken = await open_store(f"sqlite:///{tmp_path / 'unbroken.db'}")
    await imports.run(files, DEFAULTS, unbroken)
    expected = await everything(unbroken)
    await unbroken.close()

    dying: Any = Dying(store, after)
    with pytest.raises(KilledError):
        await imports.run(files, DEFAULTS, dying)
    await imports.run(files, DEFAULTS, store)

    assert await everything(store) == expected


def test_a_bundle_of_50_000_objects_takes_little_memory(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.json"
    _write_bundle(bundle, 50_000)
    assert bundle.stat().st_size > 24_000_000
    done = subprocess.run(
        [sys.executable, "-m", "tests.feeds.bundle_memory", str(bundle), str(tmp_path / "memory.db")],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=100,
    )
    told = json.loads(done.stdout)
    assert told["read"] == 25_000
    assert told["extra_mb"] < 200


def _write_bundle(path: Path, objects: int) -> None:
    """Half indicators, half relationships to one malware, with a character outside the basic plane."""
    malware = "malware--00000000-0000-4000-8000-000000000000"
    common = {
        "spec_version": "2.1",
        "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-01-01T00:00:00.000Z",
    }
    with path.open("w", encoding="utf-8") as file:
        file.write('{"type": "bundle", "id": "bundle--1", "objects": [')
        name = {"type": "malware", "id": malware, "name": "Exampler \U0001f600", **common}
        file.write(json.dumps(name, ensure_ascii=False))
        for number in range(objects // 2):
            indicator = f"indicator--00000000-0000-4000-8000-{number:012}"
            claim = {
                "type": "indicator",
                "id": indicator,
                **common,
                "pattern": f"[file:hashes.'SHA-256' = '{number:064x}']",
                "pattern_type": "stix",
                "valid_from": "2026-01-01T00:00:00Z",
                "description": f"An invented sample, number {number}. " * 8,
            }
            link = {
                "type": "relationship",
                "id": f"relationship--00000000-0000-4000-8000-{number:012}",
                **common,
                "relationship_type": "indicates",
                "source_ref": indicator,
                "target_ref": malware,
            }
            file.write(f",\n{json.dumps(claim)},\n{json.dumps(link)}")
        file.write("]}")
