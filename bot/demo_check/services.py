"""The scenes about external services, which are fakes that count and check what they are asked."""

from bot.demo_check.play import Play
from bot.sandbox.services import Fakes, Trouble
from bot.sandbox.services.knowledge import DISPUTED, MALICIOUS, UNHEARD_OF

CLEAR = "3a950d7e6736f17c3df90844c76d934dc66c17ec76841a4ad58de07af7955f0f"  # TLP:CLEAR, known to no service
ANOTHER_CLEAR = "2b36385eea638d0d1b6cd608a1ecf500281c94cbb6454fe1bf13dc92e4a8b028"


async def play_all(play: Play, fakes: Fakes, restricted: str) -> None:
    """All of them; `restricted` is a hash that Kaspersky shared at TLP:AMBER."""
    await _findings_fill_in(play, fakes)
    await _the_label_forbids(play, fakes, restricted)
    await _a_conflict(play)
    await _only_who_agreed(play, fakes)
    await _not_in_front_of_others(play, fakes)
    await _many_at_once(play)
    await _services_in_trouble(play, fakes)
    await _budgets(play)
    play.scene("What the services saw")
    play.promise(fakes.mistakes == [], "every question was asked as its service wants it")


async def _findings_fill_in(play: Play, fakes: Fakes) -> None:
    play.scene("External services are asked, too, and what they say fills in")
    fakes.virustotal.trouble = Trouble.SLOW
    first, last = await play.growing("U0ANA", "C0ALL", f"lookup {MALICIOUS}")
    fakes.virustotal.trouble = None
    play.promise("Latrodectus" in first and "44/62" not in first, "the store's part is there at once")
    play.promise("44/62" in last and last.count(MALICIOUS) == 1, "what VirusTotal said came into its place")


async def _the_label_forbids(play: Play, fakes: Fakes, restricted: str) -> None:
    play.scene("What a partner restricted is told to no service")
    ana = await play.slash("U0ANA", "C0ALL", f"lookup {restricted}")
    play.promise("Not asked" in ana and "is above" in ana, "the centre reads which were not asked, and why")
    kira = await play.direct("U0KIRA", f"lookup {restricted}")
    play.promise("Not asked" in kira and "is above" not in kira, "Kaspersky reads that they were not asked")
    asked = {call.value for fake in fakes.all for call in fake.calls}
    play.promise(restricted not in asked, "no service heard of it")


async def _a_conflict(play: Play) -> None:
    play.scene("One service vouches for a file, another condemns it")
    ana = await play.slash("U0ANA", "C0ALL", f"lookup {DISPUTED}")
    play.promise("disagree" in ana, "the answer calls it a conflict")


async def _only_who_agreed(play: Play, fakes: Fakes) -> None:
    play.scene("A partner's question is the partner's information")
    before = _questions(fakes)
    tomo = await play.direct("U0TOMO", f"lookup {MALICIOUS}")
    no_question = _questions(fakes) == before
    play.promise("Not asked" in tomo and no_question, "Trend Micro did not agree: no service is asked for it")
    kira = await play.direct("U0KIRA", f"lookup {MALICIOUS}")
    play.promise("44/62" in kira and _questions(fakes) > before, "Kaspersky agreed and has its own answer")


async def _not_in_front_of_others(play: Play, fakes: Fakes) -> None:
    play.scene("In front of others no service is asked")
    before = _questions(fakes)
    thread = await play.mention("U0KIRA", "C0ALL", f"lookup {ANOTHER_CLEAR}")
    play.promise(
        "in private only" in thread and _questions(fakes) == before, "the answer in the channel says so"
    )


async def _many_at_once(play: Play) -> None:
    play.scene("Many hashes at once, asked on purpose")
    await play.slash("U0ANA", "C0ALL", f"enrich {MALICIOUS} {DISPUTED} {UNHEARD_OF}")
    received = play.files("U0ANA")
    names = [file.name for file in received]
    rows = "".join(file.text for file in received)
    arrived = names == ["enrichment.csv"] and all(each in rows for each in (MALICIOUS, DISPUTED, UNHEARD_OF))
    play.promise(arrived, "all of it arrives as a CSV file in the direct conversation")


async def _services_in_trouble(play: Play, fakes: Fakes) -> None:
    play.scene("One service is used up, another one never answers")
    fakes.virustotal.trouble, fakes.urlhaus.trouble = Trouble.QUOTA, Trouble.HUNG
    play.note("VirusTotal and URLhaus are broken by hand")
    first, last = await play.growing("U0ANA", "C0ALL", f"lookup {CLEAR}")
    fakes.virustotal.trouble = fakes.urlhaus.trouble = None
    play.promise("Latrodectus" in first, "the store's part does not wait for them")
    play.promise("VirusTotal quota exhausted" in last and "URLhaus no answer in time" in last, "it says so")
    play.promise("MalwareBazaar knows nothing of it" in last, "the others answer as always")


async def _budgets(play: Play) -> None:
    play.scene("What is left of the budgets")
    ana = await play.slash("U0ANA", "C0ALL", "status")
    play.promise("VirusTotal: on" in ana and "left" in ana, "“status” tells the centre")


def _questions(fakes: Fakes) -> int:
    return sum(len(fake.calls) for fake in fakes.all)
