"""A started sandbox with an app at its address, and a browser."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from bot.sandbox import Sandbox, Timing
from bot.sandbox.services import Fakes, start_all
from tests.sandbox.stub_app import StubApp

ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@asynccontextmanager
async def running_sandbox() -> AsyncIterator[Sandbox]:
    """The demo's cast; what Slack waits for is short."""
    sandbox = Sandbox(timing=Timing(ack=0.5, retries=(0.0, 0.01, 0.02)))
    await sandbox.start()
    try:
        yield sandbox
    finally:
        await sandbox.stop()


@asynccontextmanager
async def running_app(sandbox: Sandbox) -> AsyncIterator[StubApp]:
    """An app that acknowledges everything, connected over HTTP."""
    app = StubApp(sandbox)
    sandbox.connect(await app.start())
    try:
        yield app
    finally:
        await app.stop()


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with running_sandbox() as started:
        yield started


@pytest.fixture
async def app(sandbox: Sandbox) -> AsyncIterator[StubApp]:
    async with running_app(sandbox) as connected:
        yield connected


@pytest.fixture
async def fakes() -> AsyncIterator[Fakes]:
    started = await start_all()
    yield started
    await started.stop()


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium; without one the test is skipped, in CI it fails."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None and os.environ.get("CI") == "true":
        pytest.fail("needs chromium, which is missing in CI")
    return path or pytest.skip("needs chromium")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """One headless Chromium for all tests; they run in the session's event loop, as it does."""
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield launched
        await launched.close()
