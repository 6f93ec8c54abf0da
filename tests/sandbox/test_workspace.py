"""What always holds in the sandbox's Slack, whatever happens in it."""

from collections.abc import Callable
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox import SlackError, demo_cast
from bot.sandbox.typed import wire
from bot.sandbox.workspace import Workspace, utc_now

CAST = demo_cast()
TEAMS = st.sampled_from([team.id for team in CAST.teams])
USERS = st.sampled_from([user.id for user in CAST.users if not user.is_bot])
CHANNELS = st.sampled_from([place.id for place in CAST.channels])
Happening = Callable[[Workspace], object]
HAPPENINGS = st.one_of(
    st.builds(lambda team, channel: lambda w: w.invite(team, channel), TEAMS, CHANNELS),
    st.builds(lambda team, channel: lambda w: w.accept(team, channel), TEAMS, CHANNELS),
    st.builds(lambda team, channel: lambda w: w.disconnect(team, channel), TEAMS, CHANNELS),
    st.builds(lambda user, channel: lambda w: w.join(user, channel), USERS, CHANNELS),
    st.builds(lambda channel: lambda w: w.post(channel, CAST.bot, "to all"), CHANNELS),
    st.builds(
        lambda user, channel: lambda w: w.post(channel, CAST.bot, user, only_for=user), USERS, CHANNELS
    ),
)


def after(happenings: list[Happening]) -> Workspace:
    """The demo's cast after all of that; what Slack refuses does not happen."""
    workspace = Workspace(CAST, utc_now)
    for happening in happenings:
        with suppress(SlackError):
            happening(workspace)
    return workspace


@given(st.lists(HAPPENINGS, max_size=30))
def test_an_ephemeral_has_one_reader(happenings: list[Happening]) -> None:
    workspace = after(happenings)
    for user in workspace.users:
        for channel in workspace.channels:
            assert {m.only_for for m in workspace.seen_by(user, channel)} <= {None, user}


@given(st.lists(HAPPENINGS, max_size=30))
def test_members_belong_to_the_host_or_to_a_connected_organisation(happenings: list[Happening]) -> None:
    workspace = after(happenings)
    for place in workspace.channels.values():
        orgs = {workspace.team_of(member).org for member in place.members}
        assert orgs <= {"T0HOST", *place.connected}
        assert not set(place.connected) & set(place.pending)


@given(st.lists(HAPPENINGS, max_size=30), USERS, CHANNELS)
def test_who_is_no_member_sees_nothing_new(happenings: list[Happening], user: str, channel: str) -> None:
    workspace = after(happenings)
    before = workspace.seen_by(user, channel)
    workspace.post(channel, CAST.bot, "new")
    member = user in workspace.channel(channel).members
    assert len(workspace.seen_by(user, channel)) == len(before) + member


@given(st.lists(HAPPENINGS, max_size=30), CHANNELS)
def test_time_stamps_rise(happenings: list[Happening], channel: str) -> None:
    stamps = [message.ts for message in after(happenings).channel(channel).messages]
    assert stamps == sorted(set(stamps))


@given(st.text(alphabet="ab.:/<>&|@! com", max_size=60))
def test_what_is_typed_never_opens_a_token_of_its_own(typed: str) -> None:
    sent = wire(typed)
    outside = sent
    for token in _tokens(sent):
        outside = outside.replace(token, "")
        assert token.startswith(("<http", "<mailto:"))
    assert "<" not in outside
    assert ">" not in outside


def _tokens(text: str) -> list[str]:
    return [f"<{piece.split('>')[0]}>" for piece in text.split("<")[1:]]
