"""Who reads a conversation: every organisation in it, invited or connected; what is odd counts as unknown."""

from typing import Any

import pytest

from bot.organisations import Organisation, Registry
from bot.sandbox.cast import User
from bot.sandbox.faults import Fault
from bot.sharing import UNKNOWN, Audience, Reach
from bot.slack import audience as subject
from bot.slack.audience import audience
from bot.slack.identity import Person
from bot.tlp import Label
from tests.slack.conftest import MakeStage, Stage, claim, registry

REGISTRY = Registry(
    host=Organisation(id="igci", name="Centre", teams=frozenset(("T0HOST", "E0HOST"))),
    partners=(
        Organisation(id="kaspersky", name="Kaspersky", teams=frozenset(("T0KASP",))),
        Organisation(id="bureau", name="Bureau", teams=frozenset(("E0BUREAU",))),
    ),
    caps={},
)
HOST, KASP = {"igci"}, {"igci", "kaspersky"}


def channel(**more: Any) -> dict[str, Any]:
    """A private channel of the host alone."""
    return {"id": "C1", "shared_team_ids": ["T0HOST"], "internal_team_ids": ["T0HOST"], **more}


def shared(*teams: str, **more: Any) -> dict[str, Any]:
    """A channel connected with these."""
    lists = {"shared_team_ids": ["T0HOST", *teams], "connected_team_ids": list(teams)}
    return channel(is_shared=True, is_ext_shared=True, **lists, **more)


@pytest.mark.parametrize(
    ("said", "orgs"),
    [
        pytest.param(channel(), HOST, id="the host alone"),
        pytest.param(shared("T0KASP"), KASP, id="one partner"),
        pytest.param(shared("E0BUREAU"), {"igci", "bureau"}, id="one on grid"),
        pytest.param(shared("T0KASP", "T0NEWCO"), KASP | {UNKNOWN}, id="an unregistered team"),
        pytest.param(
            shared("T0KASP", connected_limited_team_ids=["E0BUREAU"]), KASP | {"bureau"}, id="limited"
        ),
        pytest.param(
            channel(internal_team_ids=["T0HOST", "T0HOST2"], is_shared=True, is_org_shared=True),
            HOST,
            id="another workspace of the host's grid",
        ),
        pytest.param(
            shared("T0KASP", internal_team_ids=["T0HOST", "T0KASP"]), KASP, id="a partner said to be internal"
        ),
    ],
)
def test_the_organisations_of_the_team_lists_read_along(said: dict[str, Any], orgs: set[str]) -> None:
    assert audience(said, [], REGISTRY).orgs == orgs


@pytest.mark.parametrize("name", ["pending_shared", "pending_connected_team_ids"])
def test_who_is_invited_reads_along(name: str) -> None:
    found = audience(channel(is_pending_ext_shared=True, **{name: ["T0KASP"]}), [], REGISTRY)

    assert found.orgs == KASP
    assert found.pending_invite


def test_an_invitation_to_nobody_named_is_one_to_the_unknown() -> None:
    found = audience(channel(is_pending_ext_shared=True), [], REGISTRY)

    assert found.orgs == {"igci", UNKNOWN}
    assert found.pending_invite


@pytest.mark.parametrize(
    ("members", "orgs"),
    [
        ([Person("U1", "igci"), Person("U2", "igci")], HOST),
        ([Person("U3", UNKNOWN)], HOST | {UNKNOWN}),
        ([Person("U4", "kaspersky")], KASP),
        ([Person("B1", "bureau", is_bot=True)], HOST | {"bureau"}),
    ],
)
def test_every_member_counts(members: list[Person], orgs: set[str]) -> None:
    assert audience(channel(), members, REGISTRY).orgs == orgs


def test_an_organisation_that_slack_names_is_surely_there_and_a_person_it_says_nothing_of_is_not() -> None:
    named = audience(shared("T0KASP", "T0NEWCO"), [Person("U4", "kaspersky")], REGISTRY)
    unsaid = audience(channel(), [Person("U3", UNKNOWN, is_sure=False)], REGISTRY)

    assert (UNKNOWN in named.orgs, named.fresh) == (True, True)
    assert (UNKNOWN in unsaid.orgs, unsaid.fresh) == (True, False)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(shared("T0KASP", is_frozen=True), id="severed"),
        pytest.param(channel(is_ext_shared=True), id="shared with nobody"),
        pytest.param(channel(is_shared=True), id="shared somehow"),
        pytest.param(channel(connected_team_ids=["T0KASP"]), id="connected but not shared"),
        pytest.param(channel(connected_team_ids="T0KASP"), id="a list that is none"),
        pytest.param(channel(shared_team_ids=[7]), id="an id that is none"),
        pytest.param(channel(is_ext_shared="no"), id="a flag that is none"),
    ],
)
def test_what_contradicts_itself_is_not_fresh(said: dict[str, Any]) -> None:
    assert not audience(said, [], REGISTRY).fresh


@pytest.mark.parametrize("said", [channel(), shared("T0KASP"), channel(is_pending_ext_shared=True)])
def test_what_agrees_with_itself_is_fresh(said: dict[str, Any]) -> None:
    assert audience(said, [], REGISTRY).fresh


def test_a_direct_message_is_read_by_the_person_slack_names() -> None:
    said = {"id": "D1", "is_im": True, "user": "U3"}

    assert audience(said, [Person("U3", "kaspersky")], REGISTRY) == Audience(
        reach=Reach.DM, orgs=frozenset(("kaspersky",)), persons=frozenset(("U3",))
    )


@pytest.mark.parametrize(
    "members", [[], [Person("U4", "igci")], [Person("U3", "igci"), Person("U4", "igci")]]
)
def test_a_direct_message_with_other_members_is_not_trusted(members: list[Person]) -> None:
    found = audience({"id": "D1", "is_im": True, "user": "U3"}, members, REGISTRY)

    assert found.orgs == {UNKNOWN}
    assert not found.fresh


def test_a_group_message_is_read_by_all_its_members() -> None:
    said = {"id": "G1", "is_mpim": True}

    found = audience(said, [Person("U1", "igci"), Person("U3", "kaspersky")], REGISTRY)

    assert found.reach is Reach.MPIM
    assert found.orgs == KASP


# --- as read from Slack --------------------------------------------------------------------------------


async def test_the_channel_is_judged_for_the_thread_of_a_mention(stage: Stage) -> None:
    answer = await stage.mention("U0ANA", "C0ALL")

    assert "trendmicro-green-family" in answer
    assert "kaspersky-amber-family" not in answer


async def test_a_raised_cap_lets_the_source_read_its_own_in_its_channel(make_stage: MakeStage) -> None:
    async with make_stage(claim(label=Label.AMBER)) as stage:
        assert "amber-family" in await stage.mention("U0KIRA", "C0KASP")
        assert "amber-family" not in await stage.mention("U0KIRA", "C0ALL")


@pytest.mark.parametrize("method", ["conversations.info", "conversations.members"])
@pytest.mark.parametrize("kind", ["error_500", "rate_limited"])
async def test_when_slack_does_not_say_who_reads_only_clear_is_said(
    make_stage: MakeStage, method: str, kind: str
) -> None:
    async with make_stage(claim(), claim(source="igci", label=Label.CLEAR)) as stage:
        stage.sandbox.faults.add(Fault(method, kind, times=50, seconds=60))

        answer = await stage.mention("U0ANA", "C0KASP")

        assert "igci-clear-family" in answer
        assert "kaspersky" not in answer


async def test_a_guest_in_the_channel_counts(make_stage: MakeStage) -> None:
    async with make_stage(claim()) as stage:
        assert "family" not in await stage.mention("U0ANA", "C0GUEST")


async def test_more_members_than_liaison_asks_about_are_partly_unknown(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "MAX_MEMBERS", 250)
    async with make_stage(claim()) as stage:
        for number in range(260):
            user = User(id=f"U{number}", name=f"n{number}", real_name=f"N {number}", team="T0HOST")
            stage.sandbox.workspace.users[user.id] = user
            stage.sandbox.workspace.join(user.id, "C0HOST")

        answer = await stage.mention("U0ANA", "C0HOST")

        assert "family" not in answer


async def test_members_whom_slack_does_not_name_are_unknown(make_stage: MakeStage) -> None:
    async with make_stage(claim()) as stage:
        stage.sandbox.faults.add(Fault("users.info", "error_500", times=99))

        assert "family" not in await stage.mention("U0ANA", "C0HOST")


async def test_what_slack_says_about_another_channel_does_not_count(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with make_stage(claim()) as stage:
        slack = stage.bot.connection.slack
        read = slack.read

        async def reading(method: str, **arguments: Any) -> Any:
            answer = await read(method, **arguments)
            if method == "conversations.info":
                return {**answer, "channel": {**answer["channel"], "id": "C0OTHER"}}
            return answer

        monkeypatch.setattr(slack, "read", reading)

        assert "family" not in await stage.mention("U0ANA", "C0HOST")


async def test_an_id_change_keeps_a_stricter_cap(make_stage: MakeStage) -> None:
    clear_only = {"C0KASP": Label.CLEAR}
    async with make_stage(claim(), organisations=registry(clear_only)) as stage:
        await stage.sandbox.change_channel_id("C0KASP", "C0NEW")
        await stage.sandbox.settled()

        assert "family" not in await stage.mention("U0KIRA", "C0NEW")


async def test_an_id_change_gives_the_new_id_no_higher_cap(make_stage: MakeStage) -> None:
    async with make_stage(claim(label=Label.AMBER)) as stage:
        await stage.sandbox.change_channel_id("C0KASP", "C0NEW")
        await stage.sandbox.settled()

        assert "family" not in await stage.mention("U0KIRA", "C0NEW")
