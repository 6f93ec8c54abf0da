"""What the tests of delivery share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.delivery.stage import Stage, staged


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """Writes one message without parts."""
    async with staged(tmp_path) as stage:
        yield stage


@pytest.fixture
async def long_stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """Writes a message with two parts beneath it and a file."""
    async with staged(tmp_path, parts=2, files=1) as stage:
        yield stage
