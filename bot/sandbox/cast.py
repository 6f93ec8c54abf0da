"""Who is in the sandbox: organisations, people and channels, as frozen values."""

from dataclasses import dataclass
from enum import StrEnum


class Guest(StrEnum):
    """What a member of a workspace may see of it."""

    NO = "full member"
    MULTI_CHANNEL = "guest"
    SINGLE_CHANNEL = "single-channel guest"


@dataclass(frozen=True, kw_only=True)
class Team:
    """A Slack workspace; `enterprise` is the E... id of the Enterprise Grid organisation it belongs to."""

    id: str
    name: str
    domain: str
    enterprise: str | None = None
    installed: bool = False  # installed the app itself, so its members have slash commands

    @property
    def org(self) -> str:
        """The id that channel lists use for it: E... for Enterprise Grid, else T..."""
        return self.enterprise or self.id


@dataclass(frozen=True, kw_only=True)
class User:
    """A person or the bot."""

    id: str
    name: str  # what stands behind @ in the old days: lower case, no spaces
    real_name: str
    team: str
    title: str = ""
    tz: str = "Etc/UTC"
    guest: Guest = Guest.NO
    is_bot: bool = False
    deleted: bool = False


@dataclass(frozen=True, kw_only=True)
class Place:
    """A channel as it is when the sandbox starts."""

    id: str
    name: str
    host: str  # T... id of the workspace that owns it
    members: tuple[str, ...]
    connected: tuple[str, ...] = ()  # T... or E... ids of the other organisations
    private: bool = True
    purpose: str = ""


@dataclass(frozen=True, kw_only=True)
class Step:
    """Something to try: the page becomes that person there and puts the text into the composer."""

    title: str
    why: str
    user: str
    channel: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Cast:
    """Everyone and every channel at the start; `bot` is the user id of the app's bot in the `host` team."""

    host: str
    bot: str
    teams: tuple[Team, ...]
    users: tuple[User, ...]
    channels: tuple[Place, ...]
    bot_id: str = "B0LIAISON"
    app_id: str = "A0LIAISON"
    tour: tuple[Step, ...] = ()


def demo_cast() -> Cast:
    """A centre, two vendors it shares channels with, a national bureau on Enterprise Grid and a newcomer."""
    return Cast(
        host="T0HOST",
        bot="U0LIAISON",
        teams=_demo_teams(),
        users=_demo_users(),
        channels=_demo_channels(),
        tour=_demo_tour(),
    )


def _demo_teams() -> tuple[Team, ...]:
    return (
        Team(id="T0HOST", name="Cyber Fusion Centre", domain="cyber-fusion", installed=True),
        Team(id="T0KASP", name="Kaspersky", domain="kaspersky"),
        Team(id="T0TREND", name="Trend Micro", domain="trendmicro"),
        Team(id="T0BUREAU", name="National Bureau", domain="national-bureau", enterprise="E0BUREAU"),
        Team(id="T0NEWCO", name="NewCo Security", domain="newco"),
    )


def _demo_users() -> tuple[User, ...]:
    return (
        User(
            id="U0ANA",
            name="ana",
            real_name="Ana Lim",
            team="T0HOST",
            title="Intelligence analyst",
            tz="Asia/Singapore",
        ),
        User(
            id="U0OPS",
            name="omar",
            real_name="Omar Haddad",
            team="T0HOST",
            title="Operator of Liaison",
            tz="Europe/Paris",
        ),
        User(
            id="U0GUEST",
            name="gus",
            real_name="Gus Meyer",
            team="T0HOST",
            title="Visitor, no known organisation",
            tz="Europe/Berlin",
            guest=Guest.SINGLE_CHANNEL,
        ),
        User(id="U0LIAISON", name="liaison", real_name="Liaison", team="T0HOST", is_bot=True),
        User(
            id="U0KIRA",
            name="kira",
            real_name="Kira Volkova",
            team="T0KASP",
            title="Threat researcher",
            tz="Europe/London",
        ),
        User(
            id="U0TOMO",
            name="tomo",
            real_name="Tomo Sato",
            team="T0TREND",
            title="Threat researcher",
            tz="Asia/Tokyo",
        ),
        User(
            id="U0BEA",
            name="bea",
            real_name="Bea Novak",
            team="T0BUREAU",
            title="Liaison officer",
            tz="Europe/Prague",
        ),
        User(
            id="U0NINA",
            name="nina",
            real_name="Nina Roth",
            team="T0NEWCO",
            title="Analyst",
            tz="America/New_York",
        ),
    )


def _demo_channels() -> tuple[Place, ...]:
    host = ("U0LIAISON", "U0ANA", "U0OPS")
    return (
        Place(
            id="C0HOST",
            name="fusion-internal",
            host="T0HOST",
            members=host,
            purpose="The centre, among itself",
        ),
        Place(
            id="C0KASP",
            name="cfc-kaspersky",
            host="T0HOST",
            members=(*host, "U0KIRA"),
            connected=("T0KASP",),
            purpose="Cyber Fusion Centre and Kaspersky",
        ),
        Place(
            id="C0TREND",
            name="cfc-trendmicro",
            host="T0HOST",
            members=(*host, "U0TOMO"),
            connected=("T0TREND",),
            purpose="Cyber Fusion Centre and Trend Micro",
        ),
        Place(
            id="C0ALL",
            name="partners-all",
            host="T0HOST",
            members=(*host, "U0KIRA", "U0TOMO"),
            connected=("T0KASP", "T0TREND"),
            purpose="All partners",
        ),
        Place(
            id="C0GUEST",
            name="visitors",
            host="T0HOST",
            members=(*host, "U0GUEST"),
            private=False,
            purpose="For guests in the building",
        ),
    )


def _demo_tour() -> tuple[Step, ...]:
    # A file in the sample data that Kaspersky restricted and Trend Micro did not; one that services know.
    file = "a3a999d4c563810d6981a005b0369599f93c85dd7b30660803dfec2b2d705e5a"
    known = "7fe955e3bfa79f81f110747d912cdd45c019ff1510ba1d53050c134797c202b9"
    return (
        Step(
            title="Ask as the centre's analyst",
            why="Only Ana Lim reads the answer: all that the centre may see",
            user="U0ANA",
            channel="C0ALL",
            text=f"/intel lookup {file}",
        ),
        Step(
            title="Ask the same as a vendor",
            why="Everyone in the channel reads along: only what all of them may see",
            user="U0TOMO",
            channel="C0ALL",
            text=f"@Liaison lookup {file}",
        ),
        Step(
            title="Let somebody else read along",
            why="Ask who reads this, invite NewCo Security above, and ask again",
            user="U0ANA",
            channel="C0ALL",
            text="@Liaison who",
        ),
        Step(
            title="Have services asked, too",
            why="Fakes of VirusTotal and others fill in; break one in the menu and ask again",
            user="U0ANA",
            channel="C0ALL",
            text=f"/intel enrich {known}",
        ),
        Step(
            title="Take something back",
            why="Digests come 20 seconds after the start; this corrects two of them, in a few seconds",
            user="U0KIRA",
            channel="C0KASP",
            text="@Liaison retract gate2.paperlantern.example",
        ),
    )
