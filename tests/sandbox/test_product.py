"""The product as a newcomer meets it: the real bot, the sample data, the sandbox's page in Chromium."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

import commands
from bot.demo import demo
from bot.demo_check import ABSENT, FILE, HIDDEN
from bot.sandbox.services.knowledge import DISPUTED, MALICIOUS, UNHEARD_OF
from tests.sandbox.test_page import become, say

pytestmark = pytest.mark.asyncio(loop_scope="session")  # the browser's; starting one takes long


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    async with demo(commands.answer, port=0, first_digest=3_600.0) as running:
        opened = await browser.new_page(viewport={"width": 1280, "height": 800})
        await opened.goto(running.sandbox.url)
        await expect(opened.locator("body")).to_have_class("ready")
        yield opened
        await opened.close()


async def newest(page: Page, label: str) -> Locator:
    """The last message, once it is Liaison's answer under that label."""
    message = page.locator(".message").last
    await expect(message).to_contain_text(label)
    return message


async def test_the_same_lookup_is_answered_differently_to_different_people(page: Page) -> None:
    await become(page, "U0ANA", "C0ALL")
    await say(page, f"/intel lookup {FILE}")
    analyst = await newest(page, "TLP:AMBER")
    await expect(analyst).to_contain_text("Only visible to you")
    await expect(analyst).to_contain_text("Kaspersky")

    await become(page, "U0TOMO", "C0ALL")
    await say(page, f"@Liaison lookup {FILE}")
    vendor = await newest(page, "TLP:GREEN")
    await expect(vendor).to_contain_text("Trend Micro")
    await expect(vendor).not_to_contain_text("Kaspersky")
    await expect(page.get_by_role("log")).not_to_contain_text("TLP:AMBER")


async def test_what_is_hidden_reads_like_what_is_absent(page: Page) -> None:
    await become(page, "U0TOMO", "C0TREND")
    read = []
    for value in (HIDDEN, ABSENT):
        await say(page, f"@Liaison lookup {value}")
        defanged = value.replace(".", "[.]")
        message = await newest(page, defanged)
        read.append((await message.locator("[class*=block]").all_inner_texts(), defanged))
    (hidden, hidden_value), (absent, absent_value) = read
    assert hidden
    assert [text.replace(hidden_value, "…") for text in hidden] == [
        text.replace(absent_value, "…") for text in absent
    ]


async def test_an_invitation_silences_what_was_said_before(page: Page) -> None:
    await become(page, "U0ANA", "C0TREND")
    await say(page, "@Liaison who")
    await newest(page, "read by Cyber Fusion Centre (host), Trend Micro.")

    await page.get_by_role("button", name="Invite organisation…").click()
    await page.get_by_role("dialog").get_by_role("button", name="NewCo Security").click()
    await expect(page.get_by_role("group", name="Who reads this conversation")).to_contain_text(
        "NewCo Security"
    )
    await say(page, f"@Liaison lookup {FILE}")
    await newest(page, "Nothing to show")


async def test_an_answer_is_shared_after_a_look_at_its_readers(page: Page) -> None:
    await become(page, "U0ANA", "C0KASP")
    await say(page, f"/intel lookup {FILE}")
    await newest(page, "TLP:AMBER")
    await page.get_by_role("button", name="Share to channel…").click()
    modal = page.get_by_role("dialog")
    await expect(modal).to_contain_text("Kaspersky")
    await expect(modal).to_contain_text("TLP:AMBER")
    await modal.get_by_role("button", name="Share", exact=True).click()

    await become(page, "U0KIRA", "C0KASP")
    await expect(page.get_by_role("log")).to_contain_text(FILE)


async def break_service(page: Page, title: str, state: str) -> None:
    """Choose how a service works, in the panel."""
    panel = page.locator("#services-panel")
    if await panel.get_attribute("open") is None:
        await panel.locator("summary").click()
    await page.get_by_label(f"How {title} works").select_option(state)
    await expect(page.locator(".service.broken", has_text=title)).to_be_visible()


async def test_what_services_say_fills_in_below_what_the_store_says(page: Page) -> None:
    await become(page, "U0ANA", "C0ALL")
    await break_service(page, "VirusTotal", "slow")
    await say(page, f"/intel lookup {MALICIOUS}")
    answer = page.locator(".message.ephemeral")
    await expect(answer).to_contain_text("Family Latrodectus")
    await expect(answer).to_contain_text("asking")
    await expect(answer).not_to_contain_text("44/62")

    await expect(answer).to_contain_text("44/62")
    await expect(answer).not_to_contain_text("asking")
    await expect(answer).to_have_count(1)
    await expect(page.locator("#asked-virustotal")).to_have_text("1 question")


async def test_a_broken_service_is_named_and_the_others_answer(page: Page) -> None:
    await become(page, "U0ANA", "C0ALL")
    await break_service(page, "VirusTotal", "garbage")
    await break_service(page, "MalwareBazaar", "used up")
    await say(page, f"/intel lookup {DISPUTED}")
    answer = page.locator(".message.ephemeral")
    await expect(answer).to_contain_text("known good")
    await expect(answer).to_contain_text("VirusTotal its answer could not be read")
    await expect(answer).to_contain_text("MalwareBazaar quota exhausted")


async def test_all_of_an_enrichment_arrives_as_a_file(page: Page) -> None:
    await become(page, "U0ANA", "direct")
    await say(page, f"enrich {MALICIOUS} {UNHEARD_OF}")
    await page.get_by_text("enrichment.csv").first.click()
    await expect(page.locator(".file pre")).to_contain_text(UNHEARD_OF)
