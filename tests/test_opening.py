"""What liaison.toml turns on is opened with the store, and nothing is left open when that fails."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot import config, opening
from bot.errors import ConfigError, UnavailableError
from bot.services import Store
from bot.store import open_store

HOST = '[host]\nid = "igci"\nname = "Cyber Fusion Centre"\nteams = ["T0HOST"]\n'
VIRUSTOTAL = "[provider.virustotal]\non = true\n"
KEY = {"VIRUSTOTAL_KEY": "0f" * 32}


def configured(folder: Path, text: str = "") -> config.Configuration:
    """The settings of a file."""
    path = folder / "liaison.toml"
    path.write_text(HOST + text)
    return config.read(path)


def clock() -> datetime:
    return datetime(2026, 11, 23, tzinfo=UTC)


async def test_without_providers_nothing_asks_services(tmp_path: Path) -> None:
    services = await opening.open_services(f"sqlite:///{tmp_path / 'a.db'}", configured(tmp_path), clock)
    assert services.enrichment is None
    assert await services.store.head() == 0
    await services.store.close()


async def test_a_provider_that_is_on_can_be_asked(tmp_path: Path) -> None:
    configuration = opening.with_keys(configured(tmp_path, VIRUSTOTAL), KEY)
    services = await opening.open_services(f"sqlite:///{tmp_path / 'a.db'}", configuration, clock)
    assert services.enrichment is not None
    standings = await services.enrichment.standing("igci")
    await services.enrichment.close()
    await services.store.close()

    assert [each.provider for each in standings if each.is_on] == ["virustotal"]
    assert "opentip" in [each.provider for each in standings if not each.is_on]


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="VIRUSTOTAL_KEY: is missing"):
        opening.with_keys(configured(tmp_path, VIRUSTOTAL), {})


async def test_what_cannot_be_opened_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "odd.bloom").write_text("no filter")
    offline = '[provider.hashlookup-offline]\non = true\nfile = "odd.bloom"\n'
    configuration, opened = configured(tmp_path, offline), []

    async def remembering(url: str) -> Store:
        opened.append(await open_store(url))
        return opened[-1]

    monkeypatch.setattr(opening, "open_store", remembering)
    with pytest.raises(ConfigError, match=r"odd\.bloom"):
        await opening.open_services(f"sqlite:///{tmp_path / 'a.db'}", configuration, clock)

    with pytest.raises(UnavailableError):
        await opened[0].head()
