"""Who acts is what Slack says about the person, never what the payload or a name says."""

from dataclasses import replace
from typing import Any

import pytest

from bot.organisations import Organisation, Registry
from bot.sandbox.cast import Guest, User
from bot.sandbox.faults import Fault
from bot.sharing import UNKNOWN
from bot.slack import calls
from bot.slack.identity import People, acting_for, person
from bot.tlp import Label
from tests.slack.conftest import HASH, MakeStage, Stage, claim

REGISTRY = Registry(
    host=Organisation(id="igci", name="Centre", teams=frozenset(("T0HOST", "E0HOST"))),
    partners=(
        Organisation(
            id="kaspersky", name="Kaspersky", teams=frozenset(("T0KASP",)), guests=frozenset(("U1",))
        ),
        Organisation(id="bureau", name="Bureau", teams=frozenset(("E0BUREAU",))),
    ),
    caps={},
)


def info(team: str | None, **more: Any) -> dict[str, Any]:
    """The `user` object of users.info."""
    return {"id": "U1", "team_id": team, "name": "igci", "real_name": "Cyber Fusion Centre", **more}


GRID_HOST = {"enterprise_user": {"enterprise_id": "E0HOST"}}
GRID_BUREAU = {"enterprise_user": {"enterprise_id": "E0BUREAU"}}


@pytest.mark.parametrize(
    ("said", "org"),
    [
        pytest.param(info("T0HOST"), "igci", id="a member of the host"),
        pytest.param(info("T0HOST2", **GRID_HOST), "igci", id="a workspace of the host's own grid"),
        pytest.param(info("T0KASP", is_stranger=False), "kaspersky", id="a partner"),
        pytest.param(info("T0ANY", **GRID_BUREAU), "bureau", id="a partner on grid"),
        pytest.param(info("T0HOST", is_restricted=True), "kaspersky", id="a guest with a registered home"),
        pytest.param(info("T0HOST", is_ultra_restricted=True), "kaspersky", id="a single-channel guest"),
        pytest.param(info("T0NEWCO"), UNKNOWN, id="an unregistered team"),
        pytest.param(info("T0KASP", is_stranger=True), UNKNOWN, id="a stranger"),
        pytest.param(info("T0HOST", is_bot=True), UNKNOWN, id="a bot"),
        pytest.param(info("T0HOST", deleted=True), UNKNOWN, id="somebody who left"),
        pytest.param(info("T0KASP", **GRID_BUREAU), UNKNOWN, id="two organisations at once"),
        pytest.param(info(None), UNKNOWN, id="no team"),
        pytest.param(info("T0HOST") | {"id": "U2"}, UNKNOWN, id="somebody else"),
        pytest.param(None, UNKNOWN, id="nothing"),
        pytest.param("T0HOST", UNKNOWN, id="no object"),
        pytest.param(info("T0KASP", enterprise_user="E0HOST"), "kaspersky", id="a malformed grid part"),
    ],
)
def test_the_organisation_comes_from_users_info(said: object, org: str) -> None:
    assert acting_for(person("U1", said, REGISTRY), None, REGISTRY) == org


def test_a_guest_without_a_registered_home_is_unknown() -> None:
    guest = person("U9", info("T0HOST", is_restricted=True) | {"id": "U9"}, REGISTRY)

    assert guest.org == UNKNOWN


@pytest.mark.parametrize(
    ("said", "claimed", "org"),
    [
        (info("T0KASP"), "T0KASP", "kaspersky"),
        (info("T0KASP"), "T0HOST", UNKNOWN),
        (info("T0KASP"), "T0NOBODY", UNKNOWN),
        (info("T0KASP"), "", UNKNOWN),
        (info("T0ANY", **GRID_BUREAU), "E0BUREAU", "bureau"),
        (info("T0ANY", **GRID_BUREAU), "T0ANY", "bureau"),
        (info("T0HOST2", **GRID_HOST), "T0HOST", "igci"),
        (info("T0HOST"), "T0KASP", UNKNOWN),
    ],
)
def test_a_payload_that_contradicts_users_info_makes_the_actor_unknown(
    said: object, claimed: str, org: str
) -> None:
    assert acting_for(person("U1", said, REGISTRY), claimed, REGISTRY) == org


@pytest.mark.parametrize("kind", ["error_500", "rate_limited", "slow"])
async def test_when_slack_does_not_say_who_asks_they_see_what_anybody_may(
    stage: Stage, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "READ_SECONDS", 0.1)
    stage.sandbox.faults.add(Fault("users.info", kind, times=50, seconds=0.5 if kind == "slow" else 60))

    answer = await stage.answer("U0ANA", "C0KASP")

    assert "family" not in answer


KNOWN = "2e" * 32
UNSAID = "Slack did not say who is asking"


async def test_when_slack_does_not_say_who_asks_the_answer_says_so(make_stage: MakeStage) -> None:
    clear = claim(KNOWN, label=Label.CLEAR, family="clear-family")
    async with make_stage(claim(), clear) as stage:
        stage.sandbox.faults.add(Fault("users.info", "error_500", times=99))
        for text in (HASH, KNOWN, f"{HASH} {KNOWN}", "recent 30d"):
            for answer in (await stage.answer("U0ANA", "C0KASP", text), await stage.direct("U0KIRA", text)):
                assert answer.count(UNSAID) == 2  # text and blocks
                assert ("clear-family" in answer) is (text != HASH)
        stage.sandbox.faults.clear()

        assert UNSAID not in await stage.answer("U0ANA", "C0KASP")
        assert UNSAID not in await stage.direct("U0GUEST")  # whom Slack does name


async def test_hidden_and_absent_are_the_same_when_slack_does_not_say_who_asks(make_stage: MakeStage) -> None:
    told = []
    for assertions in ((claim(),), ()):
        async with make_stage(*assertions) as stage:
            stage.sandbox.faults.add(Fault("users.info", "error_500", times=99))
            told.append([await stage.direct("U0KIRA", text) for text in (HASH, "recent 30d", "help", "who")])

    assert told[0] == told[1]


async def test_help_blames_nobody_when_slack_does_not_say_who_asks(stage: Stage) -> None:
    stage.sandbox.faults.add(Fault("users.info", "error_500", times=99))

    answer = await stage.direct("U0KIRA", "help")

    assert "does not know your organisation" not in answer
    assert UNSAID in answer


async def test_nothing_is_shared_when_slack_does_not_say_who_clicks(make_stage: MakeStage) -> None:
    async with make_stage(claim(label=Label.CLEAR)) as stage:
        stage.sandbox.faults.add(Fault("users.info", "error_500", times=99))
        await stage.answer("U0ANA", "C0KASP")
        [answer] = stage.sandbox.seen_by("U0ANA", "C0KASP")

        await stage.sandbox.click("U0ANA", "C0KASP", answer.ts, "share")
        await stage.sandbox.settled()

        assert stage.calls("views.open") == []
        assert UNSAID in stage.sandbox.seen_by("U0ANA", "C0KASP")[-1].readable


async def test_a_channel_whose_readers_are_unsaid_is_told_so(make_stage: MakeStage) -> None:
    async with make_stage(claim()) as stage:
        stage.sandbox.faults.add(Fault("conversations.info", "error_500", times=99))

        answer = await stage.mention("U0KIRA", "C0KASP")

        assert "family" not in answer
        assert answer.count("Slack did not say for sure who reads this") == 2


async def test_a_direct_message_is_answered_when_slack_names_the_asker_at_last(make_stage: MakeStage) -> None:
    async with make_stage(claim()) as stage:
        stage.sandbox.faults.add(Fault("users.info", "error_500", times=2))  # a read is tried twice

        answer = await stage.direct("U0KIRA")

        assert "family" in answer
        assert len(stage.calls("chat.postMessage")) == 1


async def test_a_guest_of_the_host_is_not_the_host(make_stage: MakeStage) -> None:
    async with make_stage(claim()) as stage:
        assert "family" not in await stage.answer("U0GUEST", "C0GUEST")
        assert "family" in await stage.answer("U0ANA", "C0GUEST")


async def test_a_bureau_on_grid_is_known_by_its_enterprise(make_stage: MakeStage) -> None:
    async with make_stage(claim()) as stage:
        await stage.sandbox.invite("E0BUREAU", "C0TREND")
        await stage.sandbox.accept("E0BUREAU", "C0TREND")

        assert "family" in await stage.direct("U0BEA")


async def test_an_organisation_nobody_registered_sees_clear_only(make_stage: MakeStage) -> None:
    async with make_stage(claim()) as stage:
        await stage.sandbox.invite("T0NEWCO", "C0TREND")
        await stage.sandbox.accept("T0NEWCO", "C0TREND")

        assert "family" not in await stage.direct("U0NINA")


async def test_who_acts_is_known_for_a_minute_and_who_reads_along_for_ten(stage: Stage) -> None:
    now = [0.0]
    people = People(stage.bot.connection.slack, REGISTRY, timer=lambda: now[0])
    users = stage.sandbox.workspace.users
    assert (await people.actor("U0ANA")).org == "igci"
    users["U0ANA"] = replace(users["U0ANA"], guest=Guest.MULTI_CHANNEL)

    seen = []
    for now[0] in (59.0, 601.0):
        seen.append((await people.member("U0ANA")).org)
    users["U0ANA"] = replace(users["U0ANA"], guest=Guest.NO)
    now[0] += 61.0

    assert seen == ["igci", UNKNOWN]
    assert (await people.member("U0ANA")).org == UNKNOWN
    assert (await people.actor("U0ANA")).org == "igci"


async def test_a_name_like_the_hosts_gives_nothing(make_stage: MakeStage) -> None:
    async with make_stage(claim(label=claim().label)) as stage:
        users = stage.sandbox.workspace.users
        users["U0EVE"] = User(
            id="U0EVE", name="ana", real_name="Ana Lim", team="T0HOST", guest=Guest.MULTI_CHANNEL
        )
        await stage.sandbox.join("U0EVE", "C0HOST")

        assert "family" not in await stage.answer("U0EVE", "C0HOST")
