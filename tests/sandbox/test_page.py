"""The sandbox's page in headless Chromium, as a newcomer uses it; `app` answers in Liaison's place."""

import base64
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from bot.sandbox import Sandbox
from tests.sandbox.conftest import running_app, running_sandbox
from tests.sandbox.parts import button, modal
from tests.sandbox.stub_app import Body, StubApp, answering

pytestmark = pytest.mark.asyncio(loop_scope="session")  # the browser's; starting one takes long


@pytest_asyncio.fixture(loop_scope="session")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with running_sandbox() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def app(sandbox: Sandbox) -> AsyncIterator[StubApp]:
    async with running_app(sandbox) as connected:
        yield connected


@pytest_asyncio.fixture(loop_scope="session")
async def page(sandbox: Sandbox, app: StubApp, browser: Browser) -> AsyncIterator[Page]:
    """The page as Ana sees it first; whatever it complains about fails the test."""
    opened = await browser.new_page(viewport={"width": 1280, "height": 800})
    complaints: list[str] = []
    asked: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("dialog", lambda dialog: complaints.append(dialog.message))
    opened.on("request", lambda request: asked.append(request.url))
    await opened.goto(sandbox.url)
    await expect(opened.locator("body")).to_have_class("ready")
    yield opened
    await opened.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith((sandbox.url, "data:"))] == []


async def become(page: Page, user: str, channel: str) -> None:
    await page.locator(f'[data-user="{user}"]').click()
    await page.locator(f'[data-channel="{channel}"]').click()
    await expect(page.locator(f'[data-channel="{channel}"]')).to_have_attribute("aria-current", "page")
    await expect(page.locator(f'[data-user="{user}"]')).to_have_attribute("aria-pressed", "true")


async def say(page: Page, text: str) -> None:
    await page.get_by_label("Message", exact=True).fill(text)
    await page.keyboard.press("Enter")


async def test_a_newcomer_is_led_through_one_question_by_two_people(
    page: Page, app: StubApp, sandbox: Sandbox
) -> None:
    app.on_command = answering({"text": "TLP:AMBER for you"})
    composer = page.get_by_label("Message", exact=True)
    first, second, third, *_ = sandbox.workspace.cast.tour

    await page.get_by_role("button", name=first.title).click()
    await expect(composer).to_have_value(first.text)
    await page.keyboard.press("Enter")
    answer = page.locator(".message.ephemeral")
    await expect(answer).to_contain_text("TLP:AMBER for you")
    await expect(answer).to_contain_text("Only visible to you")

    await page.get_by_role("button", name=second.title).click()
    await expect(composer).to_have_value(second.text)
    await expect(composer).to_have_attribute("placeholder", "Message #partners-all as Tomo Sato")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("log")).to_contain_text(second.text)
    assert [body["event"]["user"] for body in app.events("app_mention")] == ["U0TOMO"]

    await page.get_by_role("button", name=third.title).click()
    await expect(composer).to_have_value("@Liaison who")


async def test_the_suggestions_can_be_dismissed_and_called_back(page: Page) -> None:
    await page.get_by_label("Dismiss these suggestions").click()
    await page.reload()
    await expect(page.get_by_role("button", name="Try this")).to_be_visible()
    await expect(page.locator("#tour")).to_be_hidden()
    await page.get_by_role("button", name="Try this").click()
    await expect(page.locator("#tour")).to_be_visible()


async def test_a_vendor_is_told_why_there_is_no_command(page: Page, app: StubApp) -> None:
    await become(page, "U0KIRA", "C0KASP")
    await say(page, "/intel lookup victim.example")
    refusal = page.locator(".message.note")
    await expect(refusal).to_contain_text("/intel is not a valid command")
    await expect(refusal).to_contain_text("From Kaspersky you reach Liaison by a mention")
    await expect(page.locator("#hints")).not_to_contain_text("/intel")
    assert app.bodies == []


async def test_each_person_sees_their_own_channels_and_answers(page: Page, app: StubApp) -> None:
    await app.client.chat_postEphemeral(channel="C0KASP", user="U0ANA", text="for Ana's eyes")
    await become(page, "U0ANA", "C0KASP")
    await expect(page.get_by_role("log")).to_contain_text("for Ana's eyes")
    await become(page, "U0KIRA", "C0KASP")
    await expect(page.get_by_role("log")).not_to_contain_text("for Ana's eyes")
    await expect(page.locator("#channels")).not_to_contain_text("fusion-internal")


async def test_what_happens_elsewhere_appears_by_itself(page: Page, app: StubApp) -> None:
    await become(page, "U0ANA", "C0KASP")
    posted = await app.client.chat_postMessage(channel="C0KASP", text="first words")
    await expect(page.get_by_role("log")).to_contain_text("first words")
    await app.client.chat_update(channel="C0KASP", ts=posted["ts"], text="better words")
    await expect(page.get_by_role("log")).to_contain_text("better words")
    await app.client.chat_postMessage(channel="C0ALL", text="elsewhere")
    await expect(page.locator('[data-channel="C0ALL"]')).to_have_class("place fresh")


HOSTILE = '<img src=x onerror="alert(1)"><script>alert(2)</script>'


async def test_nothing_in_a_message_can_act(page: Page, app: StubApp, sandbox: Sandbox) -> None:
    escaped = HOSTILE.replace("<", "&lt;").replace(">", "&gt;")
    text = {"type": "plain_text", "text": HOSTILE}
    blocks = [
        {"type": "header", "text": text},
        {"type": "section", "text": {"type": "mrkdwn", "text": escaped}, "fields": [text]},
        {"type": "rich_text", "elements": [section({"type": "text", "text": HOSTILE})]},
        {
            "type": "rich_text",
            "elements": [section({"type": "link", "url": "javascript:alert(3)", "text": "go"})],
        },
        {"type": "table", "rows": [[{"type": "raw_text", "text": HOSTILE}]]},
    ]
    await become(page, "U0ANA", "C0KASP")
    sandbox.workspace.post(
        "C0KASP", "U0LIAISON", "x", blocks=blocks
    )  # Slack might refuse some; the page must not care
    await app.client.chat_postMessage(channel="C0KASP", text=f"<javascript:alert(4)|go> {HOSTILE}")
    await app.client.files_upload_v2(channel="C0KASP", filename="a.txt", title=HOSTILE, content=HOSTILE)
    await say(page, HOSTILE)
    await expect(page.locator("#log article")).to_have_count(4)
    assert await page.locator("#log img, #log script, #log a").count() == 0
    await expect(page.locator("#log .b-header")).to_have_text(HOSTILE)
    await expect(page.locator("#log td, #log th")).to_have_text(HOSTILE)


def section(*elements: Body) -> Body:
    return {"type": "rich_text_section", "elements": list(elements)}


async def test_every_block_is_rendered(page: Page, app: StubApp, sandbox: Sandbox) -> None:
    word = {"type": "text", "text": "word"}
    rich = [
        section(
            {**word, "style": {"bold": True}},
            {"type": "user", "user_id": "U0KIRA"},
            {"type": "emoji", "name": "lock"},
        ),
        {"type": "rich_text_list", "style": "bullet", "elements": [section(word), section(word)]},
        {"type": "rich_text_quote", "elements": [word]},
        {"type": "rich_text_preformatted", "elements": [word]},
    ]
    blocks: list[Body] = [
        {"type": "header", "text": {"type": "plain_text", "text": "Head"}},
        {"type": "section", "text": {"type": "mrkdwn", "text": "*bold* `code` ~gone~ <@U0ANA>\n&gt; quoted"}},
        {
            "type": "section",
            "fields": [{"type": "mrkdwn", "text": "left"}, {"type": "mrkdwn", "text": "right"}],
        },
        {"type": "divider"},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "small"}]},
        {"type": "rich_text", "elements": rich},
        {
            "type": "table",
            "rows": [[{"type": "raw_text", "text": "h"}], [{"type": "raw_text", "text": "cell"}]],
        },
        button(),
    ]
    await app.client.chat_postMessage(channel="C0KASP", text="fallback", blocks=blocks)
    await become(page, "U0ANA", "C0KASP")
    body = page.locator("#log .blocks")
    for selector, words in [
        ("h3", "Head"), (".b-section strong", "bold"), (".b-section code", "code"), ("s", "gone"),
        (".b-section blockquote", "quoted"), (".b-context", "small"), (".b-rich strong", "word"),
        (".b-rich pre", "word"), (".b-rich blockquote", "word"), ("th", "h"), ("td", "cell"),
    ]:  # fmt: skip
        await expect(body.locator(selector)).to_have_text(words)
    await expect(body.locator(".b-fields > *")).to_have_text(["left", "right"])
    await expect(body.locator(".b-rich li")).to_have_count(2)
    await expect(body.locator(".mention")).to_have_text(["@Ana Lim", "@Kira Volkova"])
    await expect(body.locator("hr")).to_have_count(1)
    await expect(body.get_by_role("button", name="More")).to_be_visible()
    await expect(body).not_to_contain_text("fallback")

    sandbox.workspace.post("C0KASP", "U0LIAISON", "x", blocks=[{"type": "hologram", "depth": 3}])
    await expect(page.locator("#log .unknown")).to_contain_text('"hologram"')


async def test_times_are_in_the_readers_zone(page: Page, app: StubApp) -> None:
    await app.client.chat_postMessage(
        channel="C0KASP", text="<!date^1767225600^{date_num} {time}|midnight UTC>"
    )
    await become(page, "U0ANA", "C0KASP")  # Singapore
    await expect(page.locator("#log .mrkdwn time")).to_have_text("2026-01-01 08:00")
    await become(page, "U0KIRA", "C0KASP")  # London
    await expect(page.locator("#log .mrkdwn time")).to_have_text("2026-01-01 00:00")


async def test_a_modal_is_filled_in_and_keeps_what_was_typed(page: Page, app: StubApp) -> None:
    async def on_interactive(body: Body) -> Body | None:
        if body["type"] == "block_actions":
            await app.client.views_open(trigger_id=body["trigger_id"], view=modal())
            return None
        note = body["view"]["state"]["values"]["b-note"]["note"]["value"]
        return {"response_action": "errors", "errors": {"b-note": "Say more."}} if len(note) < 5 else None

    app.on_interactive = on_interactive
    await app.client.chat_postMessage(channel="C0KASP", text="x", blocks=[button()])
    await become(page, "U0ANA", "C0KASP")
    await page.get_by_role("button", name="More").click()
    dialog = page.get_by_role("dialog", name="Share")
    await dialog.get_by_label("Note").fill("hm")
    await dialog.get_by_label("Label").select_option("green")
    await dialog.get_by_role("button", name="Share").click()
    await expect(dialog).to_contain_text("Say more.")
    await expect(dialog.get_by_label("Note")).to_have_value("hm")
    await expect(dialog.get_by_label("Label")).to_have_value("green")
    await dialog.get_by_label("Note").fill("hm, all right")
    await dialog.get_by_role("button", name="Share").click()
    await expect(dialog).to_be_hidden()
    values = app.bodies[-1]["view"]["state"]["values"]
    assert values["b-note"]["note"]["value"] == "hm, all right"
    assert values["b-label"]["label"]["selected_option"]["value"] == "green"


async def test_a_modal_can_be_left(page: Page, app: StubApp, sandbox: Sandbox) -> None:
    await become(page, "U0ANA", "C0KASP")
    sandbox.workspace.put_view("U0ANA", modal())
    await expect(page.get_by_role("dialog", name="Share")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog", name="Share")).to_be_hidden()
    assert sandbox.views_of("U0ANA") == []


async def test_an_organisation_is_invited_accepts_and_is_disconnected(
    page: Page, app: StubApp, sandbox: Sandbox
) -> None:
    await app.client.chat_postMessage(channel="C0KASP", text="said before")
    await become(page, "U0ANA", "C0KASP")
    readers = page.get_by_role("group", name="Who reads this conversation")
    await page.get_by_role("button", name="Invite organisation…").click()
    await page.get_by_role("dialog").get_by_role("button", name="NewCo Security").click()
    await expect(readers).to_contain_text("NewCo Security is invited")

    await page.locator('[data-user="U0NINA"]').click()
    await expect(page.locator("#banners")).to_contain_text("invites NewCo Security into #cfc-kaspersky")
    await page.get_by_role("button", name="Accept", exact=True).click()
    await expect(page.get_by_role("log")).to_contain_text("said before")
    assert sandbox.workspace.channel("C0KASP").connected == ["T0KASP", "T0NEWCO"]

    await become(page, "U0ANA", "C0KASP")
    await expect(readers).to_contain_text("Nina")
    await page.get_by_role("button", name="Disconnect NewCo Security").click()
    await expect(readers).not_to_contain_text("NewCo")
    await page.locator('[data-user="U0NINA"]').click()
    await expect(page.locator("#banners")).to_contain_text("You are no longer in this channel")
    await expect(page.get_by_role("log")).to_contain_text("said before")
    await expect(page.locator("#composer")).to_be_hidden()


async def test_only_full_members_of_the_host_manage_a_channel(page: Page) -> None:
    for user, channel in [("U0KIRA", "C0KASP"), ("U0GUEST", "C0GUEST")]:
        await become(page, user, channel)
        await expect(page.get_by_role("button", name="Invite organisation…")).to_be_hidden()
        await expect(page.locator(".chip button")).to_have_count(0)


async def test_threads_are_inline_and_take_no_commands(page: Page, app: StubApp, sandbox: Sandbox) -> None:
    await sandbox.say("U0KIRA", "C0KASP", "look at this")
    await become(page, "U0ANA", "C0KASP")
    await page.get_by_role("button", name="Reply in thread").click()
    await say(page, "/intel help")
    await expect(page.get_by_role("alert")).to_contain_text("/intel is not supported in threads")
    await say(page, "@Liaison lookup 192.0.2.7")
    await expect(page.get_by_role("group", name="Thread")).to_contain_text("@Liaison lookup 192.0.2.7")
    await sandbox.settled()
    (mention,) = app.events("app_mention")
    assert mention["event"]["thread_ts"] == sandbox.seen_by("U0ANA", "C0KASP")[0].ts


async def test_a_picture_is_shown(page: Page, app: StubApp) -> None:
    picture = base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
    )
    await app.client.files_upload_v2(
        channel="C0KASP", filename="chart.png", title="Reports a day", content=picture
    )

    await become(page, "U0ANA", "C0KASP")
    drawn = page.get_by_alt_text("Reports a day")
    await expect(drawn).to_be_visible()
    assert await drawn.evaluate("image => image.complete && image.naturalWidth") == 1


async def test_a_file_opens_in_place(page: Page, app: StubApp) -> None:
    await app.client.files_upload_v2(
        channel="C0KASP", filename="all.csv", title="All of it", content="row one"
    )
    await become(page, "U0ANA", "C0KASP")
    await expect(page.get_by_text("row one")).to_be_hidden()
    await page.get_by_text("All of it").click()
    await expect(page.get_by_text("row one")).to_be_visible()


async def test_a_direct_conversation_with_the_bot(page: Page, app: StubApp, sandbox: Sandbox) -> None:
    await become(page, "U0KIRA", "direct")
    await say(page, "help")
    await sandbox.settled()
    (message,) = app.events("message")
    assert message["event"]["channel_type"] == "im"
    await page.locator('[data-user="U0NINA"]').click()
    await expect(page.locator("#channels")).to_contain_text("shares no channel with the centre yet")
    await expect(page.locator('[data-channel="direct"]')).to_have_count(0)


async def test_a_permalink_opens_its_message(page: Page, app: StubApp) -> None:
    posted = await app.client.chat_postMessage(channel="C0ALL", text="the one")
    link = await app.client.chat_getPermalink(channel="C0ALL", message_ts=posted["ts"])
    await page.goto(str(link["permalink"]))
    await expect(page.locator(".flash")).to_contain_text("the one")


async def test_a_failing_app_is_explained(page: Page, app: StubApp, sandbox: Sandbox) -> None:
    await app.client.chat_postMessage(channel="C0KASP", text="x", blocks=[button()])
    sandbox.connect("http://127.0.0.1:9/slack/events")
    await become(page, "U0ANA", "C0KASP")
    await say(page, "/intel help")
    await expect(page.locator(".note")).to_contain_text("/intel failed with the error “dispatch_failed”")
    await page.get_by_role("button", name="More").click()
    await expect(page.get_by_role("alert")).to_have_text("Liaison cannot be reached.")


async def test_the_keyboard_is_enough(page: Page, app: StubApp) -> None:
    app.on_command = answering({"text": "answered"})
    await page.keyboard.press("Tab")
    await expect(page.get_by_text("Skip to the composer")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.get_by_label("Message", exact=True).focus()
    await page.keyboard.type("one")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("two")
    await expect(page.get_by_label("Message", exact=True)).to_have_value("one\ntwo")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("log")).to_contain_text("one\ntwo")
    unnamed = await page.locator("button:visible").evaluate_all(
        "all => all.filter(b => !(b.getAttribute('aria-label') || b.textContent).trim()).length"
    )
    assert unnamed == 0


async def test_a_narrow_window_has_a_menu(page: Page) -> None:
    await page.set_viewport_size({"width": 420, "height": 760})
    await expect(page.locator("#people")).to_be_hidden()
    await page.get_by_label("Open the menu: who you are, channels").click()
    await page.locator('[data-user="U0TOMO"]').click()
    await page.locator('[data-channel="C0ALL"]').click()
    await expect(page.locator("#people")).to_be_hidden()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("partners-all")
    wide = await page.locator("body").evaluate("body => body.scrollWidth > body.clientWidth")
    assert wide is False
