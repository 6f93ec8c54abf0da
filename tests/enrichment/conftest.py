"""A bench for every test, cleared away afterwards."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.enrichment.parts import Bench


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """A real store, hands and a clock; whatever was opened on it is closed."""
    bench = Bench(tmp_path)
    yield bench
    await bench.close()
