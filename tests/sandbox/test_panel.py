"""The panel of external services on the sandbox's page, and answers that are drawn again in place."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from bot.sandbox import Sandbox
from bot.sandbox.services import Fakes, Trouble, start_all
from tests.sandbox.asking import asking, good_question
from tests.sandbox.conftest import running_app, running_sandbox
from tests.sandbox.stub_app import StubApp
from tests.sandbox.test_page import become

pytestmark = pytest.mark.asyncio(loop_scope="session")  # the browser's; starting one takes long


@pytest_asyncio.fixture(loop_scope="session")
async def fakes() -> AsyncIterator[Fakes]:
    started = await start_all()
    yield started
    await started.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def sandbox(fakes: Fakes) -> AsyncIterator[Sandbox]:
    async with running_sandbox() as started:
        started.show(fakes)
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def app(sandbox: Sandbox) -> AsyncIterator[StubApp]:
    async with running_app(sandbox) as connected:
        yield connected


@pytest_asyncio.fixture(loop_scope="session")
async def page(sandbox: Sandbox, browser: Browser) -> AsyncIterator[Page]:
    opened = await browser.new_page(viewport={"width": 1280, "height": 800})
    await opened.goto(sandbox.url)
    await expect(opened.locator("body")).to_have_class("ready")
    yield opened
    await opened.close()


async def test_a_service_is_broken_and_mended_by_hand(page: Page, fakes: Fakes) -> None:
    await page.get_by_text("External services").click()
    menu = page.get_by_label("How VirusTotal works")
    await menu.select_option("used up")
    await expect(page.locator('[data-service="virustotal"]')).to_have_class("service broken")
    assert fakes.virustotal.trouble is Trouble.QUOTA
    assert fakes.opentip.trouble is None

    await page.get_by_label("How VirusTotal works").select_option("works")
    await expect(page.locator('[data-service="virustotal"]')).to_have_class("service")
    assert fakes.virustotal.trouble is None


async def test_every_question_is_counted_as_it_comes(page: Page, fakes: Fakes) -> None:
    await page.get_by_text("External services").click()
    await expect(page.locator(".service small")).to_have_text(["0 questions"] * 7)
    async with aiohttp.ClientSession() as client:
        for service in ("urlhaus", "urlhaus", "trend"):
            async with asking(client, fakes, service, **good_question(service)):
                pass

    await expect(page.locator("#asked-urlhaus")).to_have_text("2 questions")
    await expect(page.locator("#asked-trend")).to_have_text("1 question")
    await expect(page.locator("#services-asked")).to_have_text("3 questions")


async def test_without_services_there_is_no_panel(browser: Browser) -> None:
    async with running_sandbox() as bare:
        page = await browser.new_page()
        await page.goto(bare.url)
        await expect(page.locator("body")).to_have_class("ready")
        await expect(page.get_by_text("External services")).to_be_hidden()
        await page.close()


async def test_an_answer_that_grows_does_not_move_what_somebody_reads(page: Page, app: StubApp) -> None:
    await become(page, "U0ANA", "C0KASP")
    posted = [await app.client.chat_postMessage(channel="C0KASP", text=f"line {n}\n" * 9) for n in range(9)]
    await expect(page.locator("#log article")).to_have_count(9)
    log = page.get_by_role("log")
    await log.evaluate("log => { log.scrollTop = 300; log.children[2].dataset.kept = 'yes'; }")

    await app.client.chat_update(channel="C0KASP", ts=posted[8]["ts"], text="what services say")
    await expect(log).to_contain_text("what services say")
    assert await log.evaluate("log => log.scrollTop") == 300
    assert await log.evaluate("log => log.children[2].dataset.kept") == "yes"
