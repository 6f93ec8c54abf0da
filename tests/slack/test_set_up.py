"""Setting up a digest by buttons and a form: whoever presses is judged anew, and reads alone."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from bot.organisations import Member, Registry
from bot.sandbox.deliveries import Delivery
from bot.sandbox.workspace import Message, View
from bot.services import Services
from bot.sharing import Audience, Reach
from bot.subscribing import in_words
from bot.subscriptions import Purpose, Subscribed
from bot.tlp import Label
from tests.commands.steering import Writer
from tests.slack.conftest import MakeStage, Stage, claim, registry

KASPERSKYS = "C0KASP"


def named() -> Registry:
    """Ana is an operator, Kira a steward."""
    known = registry()
    kaspersky, *others = known.partners
    return replace(
        known,
        host=replace(known.host, stewards=frozenset({Member("U0ANA", "T0HOST")})),
        partners=(replace(kaspersky, stewards=frozenset({Member("U0KIRA", "T0KASP")})), *others),
        timezone="Asia/Singapore",
    )


async def pressed(stage: Stage, channel: str, message: Message, words: str, user: str) -> Delivery:
    """Press the button of that name."""
    [action] = [
        each["action_id"]
        for block in message.blocks
        for each in block.get("elements", ())
        if each.get("type") == "button" and each["text"]["text"] == words
    ]
    delivery = await stage.sandbox.click(user, channel, message.ts, action)
    await stage.sandbox.settled()
    return delivery


async def asked(stage: Stage, text: str, channel: str = KASPERSKYS) -> Message:
    """Ana's answer to a slash command."""
    return (await stage.sandbox.slash("U0ANA", channel, text)).shown[0]


async def mentioned(stage: Stage, user: str, text: str, channel: str = KASPERSKYS) -> Message:
    """The answer in the thread."""
    ts = await stage.sandbox.say(user, channel, f"<@U0LIAISON> {text}")
    await stage.sandbox.settled()
    return [m for m in stage.sandbox.seen_by(user, channel) if m.thread_ts == ts and m.ts != ts][-1]


def view(stage: Stage, user: str) -> View:
    [shown] = stage.sandbox.views_of(user)
    return shown


def text_of(shown: View) -> str:
    return json.dumps(shown.view, ensure_ascii=False)


async def set_words(stage: Stage, channel: str = KASPERSKYS) -> list[str]:
    return [in_words(each.subscription) for each in await stage.store.subscriptions(channel)]


async def submitted(stage: Stage, user: str, **values: str) -> Delivery:
    delivery = await stage.sandbox.submit(user, view(stage, user).id, values)
    await stage.sandbox.settled()
    return delivery


async def test_an_operator_sets_up_a_digest_by_a_form(make_stage: MakeStage) -> None:
    async with make_stage(organisations=named()) as stage:
        await pressed(stage, KASPERSKYS, await asked(stage, "digest"), "Set up…", "U0ANA")
        assert "TLP:GREEN · digest of this channel" in text_of(view(stage, "U0ANA"))

        await submitted(stage, "U0ANA", when="weekdays", time="07:30", kinds="domain, url", attach="stix")

        assert await set_words(stage) == ["weekdays 07:30 tz Asia/Singapore kinds domain, url attach stix"]
        assert "TLP:GREEN · digest is on" in text_of(view(stage, "U0ANA"))
        assert "Monday to Friday at 07:30, Asia/Singapore time" in text_of(view(stage, "U0ANA"))
        assert stage.calls("chat.postMessage") == []


async def test_a_steward_without_slash_commands_does_by_mention(make_stage: MakeStage) -> None:
    async with make_stage(organisations=named()) as stage:
        answer = await mentioned(stage, "U0KIRA", "digest")
        await pressed(stage, KASPERSKYS, answer, "Set up…", "U0KIRA")
        await submitted(stage, "U0KIRA", when="every 6h", also="families R&D")

        assert await set_words(stage) == ["every 6h tz Asia/Singapore families r&d"]


async def test_a_mistake_is_told_at_its_field_and_the_form_stays(make_stage: MakeStage) -> None:
    async with make_stage(organisations=named()) as stage:
        await pressed(stage, KASPERSKYS, await asked(stage, "digest"), "Set up…", "U0ANA")

        delivery = await submitted(stage, "U0ANA", zone="Asia/Singapor", kinds="domian")

        assert delivery.answer["response_action"] == "errors"
        assert delivery.answer["errors"].keys() == {"zone", "kinds"}
        assert await set_words(stage) == []

        await submitted(stage, "U0ANA", zone="Asia/Tokyo", kinds="domain")
        assert await set_words(stage) == ["daily 08:00 tz Asia/Tokyo kinds domain"]


@pytest.mark.parametrize("user", ["U0TOMO", "U0KIRA"])
async def test_whoever_presses_is_judged(make_stage: MakeStage, user: str) -> None:
    """In a channel of all, Kira is a steward and Tomo is not."""
    async with make_stage(organisations=named()) as stage:
        answer = await mentioned(stage, "U0KIRA", "digest", "C0ALL")
        await pressed(stage, "C0ALL", answer, "Set up…", user)

        has_form = view(stage, user).view["callback_id"] == "form_view"
        assert has_form is (user == "U0KIRA")
        assert has_form or "That is for the operators of Cyber Fusion Centre" in text_of(view(stage, user))


async def test_rights_that_ended_meanwhile_count_when_the_form_comes_back(make_stage: MakeStage) -> None:
    async with make_stage(organisations=named()) as stage:
        answer = await mentioned(stage, "U0KIRA", "digest", "C0ALL")
        await pressed(stage, "C0ALL", answer, "Set up…", "U0KIRA")
        await stage.sandbox.disconnect("T0KASP", "C0ALL")
        await stage.sandbox.settled()  # Slack has told so

        await submitted(stage, "U0KIRA")

        assert await set_words(stage, "C0ALL") == []
        assert "Only members of an organisation that reads this channel" in text_of(view(stage, "U0KIRA"))


async def test_another_persons_form_is_refused(make_stage: MakeStage) -> None:
    async with make_stage(organisations=named()) as stage:
        await pressed(stage, KASPERSKYS, await asked(stage, "digest"), "Set up…", "U0ANA")
        stolen = view(stage, "U0ANA")
        stage.sandbox.workspace.put_view("U0KIRA", stolen.view, view_id="V0STOLEN")

        delivery = await stage.sandbox.submit("U0KIRA", "V0STOLEN", {})

        assert "too old" in json.dumps(delivery.answer)
        assert await set_words(stage) == []


# --- preview -------------------------------------------------------------------------------------------


async def subscribe(stage: Stage, channel: str = KASPERSKYS) -> None:
    await stage.sandbox.slash("U0ANA", channel, "digest on")
    await stage.sandbox.settled()


FOR_ALL = claim(source="trendmicro", family="for-all")
FOR_HOST = claim(source="igci", label=Label.AMBER_STRICT, family="for-host")


async def test_a_preview_below_a_command_is_for_one_and_shows_what_all_may_see(make_stage: MakeStage) -> None:
    async with make_stage(organisations=named()) as stage:
        await subscribe(stage)
        await stage.store.add([FOR_ALL, FOR_HOST])

        message = await asked(stage, "digest preview")

        assert message.ephemeral
        assert message.readable.startswith("TLP:GREEN")
        assert "for-all" in message.readable
        assert "for-host" not in message.readable
        assert stage.calls("chat.postMessage") == []


async def test_a_preview_after_a_mention_opens_for_whoever_presses(make_stage: MakeStage) -> None:
    async with make_stage(organisations=named()) as stage:
        await subscribe(stage)
        await stage.store.add([FOR_ALL, FOR_HOST])

        answer = await mentioned(stage, "U0KIRA", "digest preview")
        assert "for-all" not in answer.readable
        await pressed(stage, KASPERSKYS, answer, "Preview…", "U0KIRA")

        assert "for-all" in text_of(view(stage, "U0KIRA"))
        assert "for-host" not in text_of(view(stage, "U0KIRA"))
        assert stage.sandbox.views_of("U0ANA") == []


class Leaving(Writer):
    """The asker leaves the channel's organisations while the preview is written."""

    def __init__(self, services: Services, audiences: Sequence[Audience]) -> None:
        super().__init__(services)
        self._audiences = audiences

    async def preview(self, subscribed: Subscribed, readers: Audience, *, viewer: Audience) -> Any:
        written = await super().preview(subscribed, readers, viewer=viewer)
        return replace(written, audience=self._audiences[0])


@pytest.mark.parametrize("orgs", [{"trendmicro"}, {"kaspersky", "trendmicro"}])
async def test_a_preview_for_others_reaches_nobody(make_stage: MakeStage, orgs: set[str]) -> None:
    """The outbox looks once more whether its one reader is among those that it was written for."""
    others: list[Audience] = []

    def leaving(services: Services) -> Services:
        return replace(services, digests=Leaving(services, others))

    async with make_stage(organisations=named(), completed=leaving) as stage:
        await subscribe(stage)
        await stage.store.add([FOR_ALL])
        others.append(Audience(reach=Reach.CHANNEL, orgs=frozenset(orgs), read_at=stage.clock()))

        message = await asked(stage, "digest preview")

        assert "for-all" not in message.readable
        assert "changed just now" in message.readable


async def test_now_begins_a_delivery(make_stage: MakeStage) -> None:
    async with make_stage(organisations=named()) as stage:
        await subscribe(stage)

        await stage.answer("U0ANA", KASPERSKYS, "digest now")

        [delivery] = await stage.store.deliveries(KASPERSKYS)
        assert delivery.purpose is Purpose.DIGEST


async def test_a_channel_that_gets_another_id_keeps_its_digest(make_stage: MakeStage) -> None:
    async with make_stage(organisations=named()) as stage:
        await subscribe(stage)

        await stage.sandbox.change_channel_id(KASPERSKYS, "C0NEW")
        await stage.sandbox.settled()

        assert await set_words(stage) == []
        assert await set_words(stage, "C0NEW") == ["daily 08:00 tz Asia/Singapore"]
