"""What is typed behind `digest on`, in any order, and back into words."""

from contextlib import suppress
from datetime import time
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UsageError
from bot.indicators import Kind
from bot.schedules import HOURS, At, Days, Every, Schedule
from bot.subscribing import LONGEST, MOST_NAMES, describe, in_words, parse
from bot.subscriptions import Attach, Filters, Purpose, Subscription


def digest(text: str, *, purpose: Purpose = Purpose.DIGEST) -> Subscription:
    return parse(text, channel="C0KASP", purpose=purpose, default_zone="Europe/Paris")


def subscription(when: Every | At, zone: str = "Europe/Paris", **more: object) -> Subscription:
    chosen = {"attach": more.pop("attach", None), "say_nothing_new": more.pop("say_nothing_new", False)}
    return Subscription(
        channel="C0KASP",
        purpose=Purpose.DIGEST,
        schedule=Schedule(when, zone),
        filters=Filters(**more),  # type: ignore[arg-type]  # a table of tests
        **chosen,  # type: ignore[arg-type]  # likewise
    )


EIGHT = At(Days.DAILY, time(8))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", subscription(EIGHT)),
        ("every 6h", subscription(Every(6))),
        ("hourly", subscription(Every(1))),
        ("weekdays 07:30 tz singapore", subscription(At(Days.WEEKDAYS, time(7, 30)), "Asia/Singapore")),
        ("tz America/New York weekly mon 8:00", subscription(At(Days.MONDAY, time(8)), "America/New_York")),
        ("kinds domain url", subscription(EIGHT, kinds=frozenset((Kind.DOMAIN, Kind.URL)))),
        ("kinds Domains,URLs", subscription(EIGHT, kinds=frozenset((Kind.DOMAIN, Kind.URL)))),
        ("kind ips", subscription(EIGHT, kinds=frozenset((Kind.IPV4, Kind.IPV6)))),
        (
            "kinds hashes",
            subscription(
                EIGHT,
                kinds=frozenset((Kind.MD5, Kind.SHA1, Kind.SHA224, Kind.SHA256, Kind.SHA384, Kind.SHA512)),
            ),
        ),
        ("families Emotet, QakBot", subscription(EIGHT, families=frozenset(("emotet", "qakbot")))),
        (
            "families “Cobalt  Strike” emotet",
            subscription(EIGHT, families=frozenset(("cobalt strike", "emotet"))),
        ),
        ("families emo\x00tet", subscription(EIGHT, families=frozenset(("emo", "tet")))),
        ('family "daily"', subscription(EIGHT, families=frozenset(("daily",)))),
        ("sources Kaspersky", subscription(EIGHT, sources=frozenset(("kaspersky",)))),
        ("min-confidence 50", subscription(EIGHT, min_confidence=50)),
        ("confidence 0", subscription(EIGHT, min_confidence=0)),
        ("attach CSV", subscription(EIGHT, attach=Attach.CSV)),
        ("attach stix say-nothing-new", subscription(EIGHT, attach=Attach.STIX, say_nothing_new=True)),
        (
            "*daily* 09:15, kinds `cve`",
            subscription(At(Days.DAILY, time(9, 15)), kinds=frozenset((Kind.CVE,))),
        ),
    ],
)
def test_words_are_understood(text: str, meant: Subscription) -> None:
    assert digest(text) == meant


def test_the_order_is_free() -> None:
    parts = ("weekly mon 08:00", "tz Asia/Singapore", "kinds domain, url", "families emotet", "attach csv")

    assert len({digest(" ".join(order)) for order in permutations(parts)}) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("dayly 08:00", "“dayly” is not understood here. Did you mean “daily”?"),
        ("08:00", "“08:00” is not understood here. Write for example “digest on weekdays 08:00"),
        ("daily 25:00", "Write it from 00:00 to 23:59"),
        ("every 5h", "An interval is one of 1h, 2h"),
        ("daily 08:00 weekly mon 09:00", "“weekly” comes on top of the same before"),
        ("kinds domain kinds url", "“kinds” comes on top of the same before"),
        ("tz Asia/Singapor", "Did you mean Asia/Singapore?"),
        ("tz", "Which time zone?"),
        ("kinds domian", "“domian” is no kind of indicator. Did you mean “domain”?"),
        ("kinds xyzzy", "Kinds are md5, sha1"),
        ("kinds", "Behind “kinds” stands what is meant: for example “kinds domain, url”."),
        ("families", "Behind “families” stands what is meant"),
        ("families emotet atach csv", "If “atach” is meant as “attach”, write it so"),
        ("min-confidence", "from 0 to 100"),
        ("min-confidence 101", "one number from 0 to 100"),
        ("min-confidence -1", "one number from 0 to 100"),
        ("min-confidence ５", "one number from 0 to 100"),
        ("min-confidence 10 20", "one number from 0 to 100"),
        ("attach pdf", "write “attach csv” or “attach stix”"),
        ("attach csv stix", "One file can come with it"),
        ("attach", "“attach csv” or “attach stix”"),
        ("say-nothing-new please", "“please” is not understood here"),
        ("cap TLP:RED", "is its cap, which only the host sets"),
        ("families emotet cap amber", "is its cap, which only the host sets"),
        ("families " + " ".join(f"f{number}" for number in range(MOST_NAMES + 1)), "At most 50 families"),
        ("x" * (LONGEST + 1), "That is too long"),
    ],
)
def test_a_mistake_says_what_to_write(text: str, told: str) -> None:
    with pytest.raises(UsageError) as refused:
        digest(text)

    assert told in str(refused.value)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("every 6h", "A summary is of a day"),
        ("daily 07:30 kinds domain", "“kinds” is for digests"),
        ("attach csv", "“attach” is for digests"),
    ],
)
def test_a_summary_is_of_a_day_and_of_everything(text: str, told: str) -> None:
    assert digest("weekly fri 17:00", purpose=Purpose.SUMMARY).schedule.when == At(Days.FRIDAY, time(17))

    with pytest.raises(UsageError, match=told):
        digest(text, purpose=Purpose.SUMMARY)


# --- and back ------------------------------------------------------------------------------------------

names = st.text(st.characters(exclude_characters='"“”„«»', codec="utf-8"), min_size=1, max_size=30)
folded = names.map(lambda name: " ".join(name.casefold().split())).filter(
    lambda name: name and name.isprintable()
)
chosen = st.frozensets(
    folded | st.sampled_from(["daily", "cap", "tz", "cobalt strike", "a,b", "*x*"]), max_size=4
)
whens = st.builds(Every, st.sampled_from(HOURS)) | st.builds(
    At, st.sampled_from(Days), st.times().map(lambda at: at.replace(second=0, microsecond=0, tzinfo=None))
)
filters = st.builds(
    Filters,
    kinds=st.frozensets(st.sampled_from(Kind)),
    families=chosen,
    sources=chosen,
    min_confidence=st.none() | st.integers(0, 100),
)
subscriptions = st.builds(
    Subscription,
    channel=st.just("C0KASP"),
    purpose=st.just(Purpose.DIGEST),
    schedule=st.builds(Schedule, whens, st.sampled_from(["UTC", "Asia/Singapore", "America/New_York"])),
    filters=filters,
    attach=st.none() | st.sampled_from(Attach),
    say_nothing_new=st.booleans(),
)


@given(subscriptions)
def test_words_for_a_subscription_mean_it(wanted: Subscription) -> None:
    assert digest(in_words(wanted)) == wanted


@given(
    st.text(max_size=200)
    | st.lists(st.sampled_from(["kinds", "daily", "tz", "domain", '"', ",", "08:00", "attach"])).map(" ".join)
)
def test_any_text_is_understood_or_explained(text: str) -> None:
    understood: Subscription | None = None
    with suppress(UsageError):
        understood = digest(text)

    assert understood is None or digest(in_words(understood)) == understood


def test_a_subscription_is_told_in_sentences() -> None:
    told = describe(
        digest("weekdays 08:00 tz singapore kinds url families emotet min-confidence 50 attach stix")
    )

    assert told == [
        "When: Monday to Friday at 08:00, Asia/Singapore time.",
        "About: url · families emotet · with a confidence of 50 or more.",
        "The full list comes as a STIX file.",
    ]
    assert describe(digest("every 6h say-nothing-new"))[1:] == [
        "About: everything that all readers may see.",
        "It is also posted when nothing is new.",
    ]
