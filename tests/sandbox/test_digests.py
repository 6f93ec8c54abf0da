"""Digests as a reader meets them: one comes by itself, and is corrected once it was taken back."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

import commands
from bot.demo import demo
from tests.sandbox.test_page import become, say

pytestmark = pytest.mark.asyncio(loop_scope="session")  # the browser's; starting one takes long

PATIENCE = 20_000.0  # milliseconds; Liaison looks every five seconds for what is due
MISTAKEN, FINE = "gate2[.]paperlantern[.]example", "gate1[.]paperlantern[.]example"
RESTRICTED = "198[.]51[.]100[.]77"  # Kaspersky's at TLP:AMBER


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    async with demo(commands.answer, port=0, first_digest=1.0) as running:
        opened = await browser.new_page(viewport={"width": 1280, "height": 800})
        await opened.goto(running.sandbox.url)
        await expect(opened.locator("body")).to_have_class("ready")
        yield opened
        await opened.close()


async def test_a_digest_comes_by_itself_and_is_corrected_when_its_source_takes_something_back(
    page: Page,
) -> None:
    await become(page, "U0KIRA", "C0KASP")
    digest = page.locator(".message", has_text="digest: 11 new indicators")
    await expect(digest).to_contain_text(MISTAKEN, timeout=PATIENCE)
    await expect(digest).to_contain_text(RESTRICTED)

    await become(page, "U0TOMO", "C0TREND")
    log = page.get_by_role("log")
    await expect(log).to_contain_text(MISTAKEN, timeout=PATIENCE)
    await expect(log).not_to_contain_text(RESTRICTED)

    await become(page, "U0KIRA", "C0KASP")
    await say(page, f"@Liaison retract {MISTAKEN}")
    corrected = page.locator(".message", has_text="corrected digest")
    await expect(corrected).to_contain_text(FINE, timeout=PATIENCE)
    await expect(corrected).not_to_contain_text(MISTAKEN)
    await expect(page.locator(".message", has_text="No longer shared here: 1 entry,")).to_be_visible(
        timeout=PATIENCE
    )

    await become(page, "U0TOMO", "C0TREND")
    await expect(page.locator(".message", has_text="corrected digest")).to_contain_text(
        FINE, timeout=PATIENCE
    )
    await expect(log).not_to_contain_text(MISTAKEN)
