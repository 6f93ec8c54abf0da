"""A started sandbox with an app at its address, and a browser."""

import os
import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright

from bot.sandbox import Sandbox, Timing
from tests.sandbox.stub_app import StubApp

ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """The demo's cast; what Slack waits for is short."""
    started = Sandbox(timing=Timing(ack=0.5, retries=(0.0, 0.01, 0.02)))
    await started.start()
    yield started
    await started.stop()


@pytest.fixture
async def app(sandbox: Sandbox) -> AsyncIterator[StubApp]:
    """An app that acknowledges everything, connected over HTTP."""
    stub = StubApp(sandbox)
    sandbox.connect(await stub.start())
    yield stub
    await stub.stop()


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium; without one the test is skipped, in CI it fails."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None and os.environ.get("CI") == "true":
        pytest.fail("needs chromium, which is missing in CI")
    return path or pytest.skip("needs chromium")


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """A headless Chromium."""
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield launched
        await launched.close()
