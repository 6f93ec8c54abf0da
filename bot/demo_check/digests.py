"""The scenes about digests: what comes by itself, and what becomes of it when sources or readers change."""

from collections.abc import Callable

from bot.assertions import Assertion
from bot.demo_check.play import Play, words
from bot.indicators import Indicator, Kind
from bot.sandbox.workspace import Message
from bot.services import Store
from bot.tlp import Label

Place = tuple[str, str]  # who reads, and where
KASPERSKY, TREND = ("U0KIRA", "C0KASP"), ("U0TOMO", "C0TREND")
MISTAKEN = "gate2.paperlantern.example"  # Kaspersky's: its feed revokes it
REGRETTED = "198.51.100.77"  # Kaspersky's at TLP:AMBER: it takes that back
FINE = "gate1.paperlantern.example"  # Kaspersky's and Trend Micro's, both TLP:GREEN
PUBLIC = "news.paperlantern.example"  # TLP:CLEAR
RESTRICTED = (REGRETTED, "https://gate3.paperlantern.example/update")
NEVER = ("192.0.2.66", "477f4f1375a9b4024bc401f2dfca3d205dbf047c96bb82277dc4ae1c6fbee93b")  # for no channel
COMES_SECONDS = 30.0  # at most, on a busy machine


async def play_all(play: Play, store: Store) -> None:
    """All of them."""
    await _each_channel_gets_its_own(play)
    await _what_can_be_asked(play)
    await _a_source_revokes(play, store)
    await _a_source_retracts(play)
    await _somebody_joins(play)
    play.scene("What stands in the channels in the end")
    for place in (KASPERSKY, TREND):
        play.promise(len(_digests(play, place)) == 1, f"one digest in {play.called(place[1])}, not two")


async def _each_channel_gets_its_own(play: Play) -> None:
    play.scene("A digest comes by itself: in each channel what its readers may see")
    kira, tomo = [await _comes(play, place) for place in (KASPERSKY, TREND)]
    play.promise(_shows(kira, *RESTRICTED), "Kaspersky's channel shows what it shared at TLP:AMBER")
    play.promise(_shows(kira, FINE, MISTAKEN) and _shows(tomo, FINE, MISTAKEN), "both show what is TLP:GREEN")
    kept = not any(_shows(tomo, each) for each in (*RESTRICTED, *NEVER))
    kept = kept and not any(_shows(kira, each) for each in NEVER)
    play.promise(kept, "neither shows what its readers may not see")
    named = "Trend Micro" in kira and "Partner K" in tomo and "Kaspersky" not in tomo
    play.promise(named, "sources are called what they agreed to: Kaspersky is “Partner K” to Trend Micro")


async def _what_can_be_asked(play: Play) -> None:
    play.scene("What is set, and what would come now")
    settings = await play.slash("U0ANA", "C0KASP", "digest show")
    play.promise("08:00, Asia/Singapore time" in settings, "“digest show” tells when the next one comes")
    preview = await play.slash("U0ANA", "C0KASP", "digest preview")
    play.promise("nothing new" in preview.casefold(), "“digest preview”: nothing is posted twice")
    begun = await play.slash("U0ANA", "C0KASP", "summary on daily 07:30")
    play.promise("07:30" in begun, "the centre's operator has a summary posted every morning")
    figures = await play.slash("U0ANA", "C0KASP", "summary preview")
    play.promise("PaperLantern" in figures, "“summary preview” has the figures of the day")


async def _a_source_revokes(play: Play, store: Store) -> None:
    play.scene("Kaspersky's feed revokes an entry: what was posted is corrected")
    since = play.sandbox.workspace.next_ts()
    mistaken = Indicator(Kind.DOMAIN, MISTAKEN)
    await store.add([Assertion(indicator=mistaken, source="kaspersky", label=Label.GREEN, revoked=True)])
    play.note(f"“{MISTAKEN}” comes again, as revoked")
    post, note = await _corrected(play, KASPERSKY, since)
    [told] = [line for line in post.splitlines() if _shows(line, MISTAKEN)] or [""]
    play.promise("withdrawn" in told and _shows(post, FINE), "in its own channel the post says so")
    play.promise(_shows(note, MISTAKEN), "and a note in the thread, too")
    post, note = await _corrected(play, TREND, since)
    play.promise(not _shows(post, MISTAKEN) and _shows(post, FINE), "elsewhere it shows the others only")
    play.promise("1 entry" in note, "and a note in the thread says that one is gone")


async def _a_source_retracts(play: Play) -> None:
    play.scene("Kaspersky takes back an entry that it should not have shared")
    since = play.sandbox.workspace.next_ts()
    answer = await play.direct("U0KIRA", f"retract {REGRETTED}")
    play.promise("2 posts" in answer, "it is told how many messages of Liaison show it")
    post, note = await _corrected(play, KASPERSKY, since)
    play.promise(not _shows(post, REGRETTED), "the digest does not show it any more")
    play.promise(not _shows(note, REGRETTED), "nor does the note in its thread")


async def _somebody_joins(play: Play) -> None:
    play.scene("Another organisation joins, and could read what was posted before")
    since = play.sandbox.workspace.next_ts()
    await play.sandbox.invite("T0TREND", "C0KASP")
    await play.sandbox.accept("T0TREND", "C0KASP")
    play.note("Trend Micro accepted an invitation into #cfc-kaspersky")
    post, note = await _corrected(play, KASPERSKY, since)
    kept = _shows(post, FINE) and not any(_shows(post, each) for each in RESTRICTED)
    play.promise(kept and "TLP:AMBER" not in post, "what Kaspersky shared at TLP:AMBER is taken out")
    play.promise("No longer shared here" in note, "a note in the thread says that something is gone")
    play.promise(not any(_shows(note, each) for each in RESTRICTED), "and not what")
    await play.sandbox.disconnect("T0TREND", "C0KASP")


# --- what stands there ---------------------------------------------------------------------------------


async def _comes(play: Play, place: Place) -> str:
    """The digest and what came beneath it, once it is there."""
    await _until(play, lambda: _digests(play, place))
    await play.sandbox.settled(COMES_SECONDS)
    return play.reads(*place, [*_digests(play, place), *_beneath(play, place)])


async def _corrected(play: Play, place: Place, since: str) -> tuple[str, str]:
    """The digest and the newest note in its thread, once there is one later than that."""
    await _until(play, lambda: any(each.ts > since for each in _notes(play, place)))
    await play.sandbox.settled(COMES_SECONDS)
    post = play.reads(*place, _digests(play, place))
    return post, play.reads(*place, _notes(play, place)[-1:])


async def _until(play: Play, holds: Callable[[], object]) -> None:
    """Wait; whether it holds at last is for promises to say."""
    try:
        await play.sandbox.until(holds, COMES_SECONDS)
    except TimeoutError:
        play.note("in vain")


def _digests(play: Play, place: Place) -> list[Message]:
    return [each for each in _own(play, place) if not _thread(each) and " digest" in _title(each)]


def _beneath(play: Play, place: Place) -> list[Message]:
    roots = {each.ts for each in _digests(play, place)}
    return [each for each in _own(play, place) if _thread(each) in roots]


def _notes(play: Play, place: Place) -> list[Message]:
    return [each for each in _beneath(play, place) if _title(each).endswith("· correction")]


def _own(play: Play, place: Place) -> list[Message]:
    bot = play.sandbox.workspace.cast.bot
    return [each for each in play.sandbox.seen_by(*place) if each.user == bot and not each.ephemeral]


def _thread(message: Message) -> str:
    return message.thread_ts or "" if message.thread_ts != message.ts else ""


def _title(message: Message) -> str:
    return words(message).partition("\n")[0]


def _shows(text: str, *values: str) -> bool:
    """Whether all of these stand there, in the form in which nothing can be clicked."""
    return all(each.replace(".", "[.]").replace("http", "hxxp") in text for each in values)
