"""The crash matrix: bots are killed at every named step, and at random under faults, and started again.

    python -m tests.delivery.matrix --kills 500

prints the table: step, kills, posts that were due, lost, doubled.
"""

import argparse
import asyncio
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from bot.deliveries import Post, State
from bot.sandbox.alone import Alone, Posted, own_sandbox
from bot.sandbox.faults import OVERTAKEN_SECONDS, Fault, Weather
from tests.delivery.cases import Case, books, cast, channels, prepare, restrict, revoke
from tests.delivery.verdicts import Row, Verdict
from tests.delivery.victim import READER, Order

LONGEST_LIFE = 0.35  # seconds until a random kill; a delivery without faults takes less
LINGER_SECONDS = 1_800.0  # of a bot's clock: all channels are looked at meanwhile
AGAIN = 4  # times that one part is run with random kills, at most as many kills in each
LATE_FILE = Fault("files.completeUploadExternal", "overtaken", seconds=OVERTAKEN_SECONDS)
FAULTS = {
    "drop_after_accept": 0.12,
    "lost_reply": 0.08,
    "error_500": 0.08,
    "rate_limited": 0.03,
    f"overtaken:{LATE_FILE.method}": 0.15,  # it comes after the one that was sent in its place
}
FAULTY = frozenset(
    (
        *("chat.postMessage", "chat.update", "chat.delete", "files.delete", "upload"),
        *("files.getUploadURLExternal", "files.completeUploadExternal"),
        *("conversations.history", "conversations.replies", "conversations.info"),
    )
)


class Bots:
    """Where bots come from and die."""

    def __init__(self, process: subprocess.Popen[str], slack: Alone) -> None:
        self._process, self.slack = process, slack

    def run(
        self,
        case: Case,
        *,
        life: float | None = None,
        linger: float = 0.0,
        retract: str = "",
        answer: str = "",
        die_before: str = "",
        die_after: str = "",
    ) -> list[str]:
        """Let a bot work until it finishes, kills itself or has lived that long; what it said."""
        order = Order(
            path=case.path.as_posix(),
            api_url=self.slack.api_url,
            token=self.slack.bot_token,
            retract=retract,
            answer=answer,
            channel=case.filed,
            die_before=die_before,
            die_after=die_after,
            life=life,
            linger=linger,
        )
        assert self._process.stdin is not None
        print(msgspec.json.encode(order).decode(), file=self._process.stdin, flush=True)
        lines: list[str] = []
        while lines[-1:] != ["over"]:
            lines.append(self._line())
        return lines[:-1]

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the process that starts bots has ended"
        return line.strip()


@contextmanager
def bots(cases: int) -> Iterator[Bots]:
    """A sandbox with channels for so many cases, and bots for it."""
    command = [sys.executable, "-m", "tests.delivery.victim"]
    root = Path(__file__).parents[2]
    with (
        own_sandbox(cast=cast(cases)) as slack,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root
        ) as process,
    ):
        yield Bots(process, slack)
        assert process.stdin is not None
        process.stdin.close()


class Matrix:
    """Runs cases, each in channels of its own, and knows what stands there when nobody is killed."""

    def __init__(self, made: Bots, folder: Path) -> None:
        self.bots, self._folder, self._cases = made, folder, 0
        self.rows: dict[str, Row] = {}
        self.steps: dict[str, list[str]] = {}
        self._whole: dict[str, Counter[tuple[str, bool, int]]] = {}
        for part in PARTS:
            self._learn(part)
        self._learn_answers()

    def kill_at(self, part: str, step: str, *, is_done: bool, fault: Fault | None = None) -> Row:
        """Kill a bot before or after that step, start another; whether all of it stands there once."""
        case = self._case(part)
        if fault is not None:
            self.bots.slack.add(fault)
        before, after = ("", step) if is_done else (step, "")
        lines = self.bots.run(case, die_before=before, die_after=after, retract=_wish(part, case))
        killed = "finished" not in lines
        assert self._again(case, part, lines)
        self.bots.slack.clear()
        named = f"{part}{', its file comes late' if fault else ''}: {step.partition(' (')[0]}"
        return self._judge(named, int(killed), case, part)

    def kill_answering(self, step: str, *, is_done: bool) -> Row:
        """Kill a bot before or after that step of an answer, whose source revokes it then; start another."""
        case = self._case(ANSWER)
        before, after = ("", step) if is_done else (step, "")
        lines = self.bots.run(case, answer=case.domain(1), die_before=before, die_after=after)
        killed = "finished" not in lines
        asyncio.run(revoke(case))
        assert "finished" in self.bots.run(case)
        return self._judge_revoked(case, f"{ANSWER}: {step}", int(killed), "revoke")

    def kill_somewhere(self, chance: random.Random, *, most: int) -> int:
        """Kill bots at any moment of any part, in bad weather; gives the kills."""
        part = chance.choice((*PARTS, ANSWER, "overtake"))
        if part == ANSWER:
            return self.answer_at_random(chance, most=most)
        if part == "overtake":
            return self.overtake_at_random(chance, most=most)
        return self.kill_at_random(part, chance, most=most)

    def kill_at_random(self, part: str, chance: random.Random, *, most: int) -> int:
        """Kill bots at any moment in bad weather, then let one finish in good weather; gives the kills."""
        case = self._case(part)
        self._forecast(chance)
        kills = 0
        lines: list[str] = []
        while "finished" not in lines and kills < most:
            wish = "" if "wished" in lines else _wish(part, case)
            said = self.bots.run(case, life=chance.uniform(0.01, LONGEST_LIFE), retract=wish)
            kills += "finished" not in said
            lines += said
        self.bots.slack.forecast(None)
        if "finished" not in lines:
            assert self._again(case, part, lines)
        self._judge(f"{part}: any moment, with faults", kills, case, part)
        return kills

    def overtake_at_random(self, chance: random.Random, *, most: int) -> int:
        """Kill bots that deliver what its source revokes or restricts meanwhile; gives the kills."""
        case = self._case(DELIVER)
        change = chance.choice((revoke, restrict))
        self._forecast(chance)
        kills = 0
        for number in range(most):
            kills += "finished" not in self.bots.run(case, life=chance.uniform(0.01, LONGEST_LIFE))
            if number == 0:
                asyncio.run(change(case))
        self.bots.slack.forecast(None)
        assert "finished" in self.bots.run(case, linger=LINGER_SECONDS)
        self._judge_overtaken(case, kills, change.__name__)
        return kills

    def answer_at_random(self, chance: random.Random, *, most: int) -> int:
        """Kill bots that answer what its source revokes or restricts meanwhile; gives the kills."""
        case, kills = self._case(ANSWER), 0
        change = chance.choice((revoke, restrict))
        self._forecast(chance)
        for number in range(most):
            asked = case.domain(1) if number < 2 else ""
            lines = self.bots.run(case, answer=asked, life=chance.uniform(0.01, LONGEST_LIFE))
            kills += "finished" not in lines
            if number == 0:
                asyncio.run(change(case))
        self.bots.slack.forecast(None)
        assert "finished" in self.bots.run(case, linger=LINGER_SECONDS)
        name = f"{ANSWER}, {change.__name__}: any moment, with faults"
        self._judge_revoked(case, name, kills, change.__name__)
        return kills

    def table(self) -> str:
        """The rows with their sums."""
        width = max(map(len, self.rows))
        whole = Row()
        lines = [f"{'step':{width}}  kills    due   lost  doubled"]
        for name, row in self.rows.items():
            lines.append(f"{name:{width}}  {row.kills:5}  {row.due:5}  {row.lost:5}  {row.doubled:7}")
            whole.add(row.kills, Verdict(row.due, row.lost, row.doubled))
        lines.append(f"{'all':{width}}  {whole.kills:5}  {whole.due:5}  {whole.lost:5}  {whole.doubled:7}")
        return "\n".join([*lines, *(each for row in self.rows.values() for each in row.complaints)])

    def _learn(self, part: str) -> None:
        """Run it once unharmed: its steps, and what stands there then."""
        case = self._case(part)
        lines = self.bots.run(case, retract=_wish(part, case))
        assert "finished" in lines, lines
        self.steps[part] = [
            line.removeprefix("step ")
            for line in lines
            if line.startswith("step ") and line.endswith("(1)") and not (part != DELIVER and "lease" in line)
        ]
        self._whole[part] = self._standing(case)

    def _learn_answers(self) -> None:
        """Have something answered unharmed: its steps."""
        case = self._case(ANSWER)
        lines = self.bots.run(case, answer=case.domain(1))
        assert "finished" in lines, lines
        until = lines.index("answered")
        self.steps[ANSWER] = [
            line.removeprefix("step ") for line in lines[:until] if line.startswith("step ")
        ]

    def _again(self, case: Case, part: str, lines: Sequence[str]) -> bool:
        """Whoever wished something and got no answer wishes it again."""
        wish = "" if "wished" in lines else _wish(part, case)
        return "finished" in self.bots.run(case, retract=wish)

    def _case(self, part: str) -> Case:
        number = self._cases
        self._cases += 1
        case = Case(self._folder / f"{number}.db", *channels(number))
        asyncio.run(prepare(case))
        if part != DELIVER:
            assert "finished" in self.bots.run(case)
        if part == "revoke":
            asyncio.run(revoke(case))
        return case

    def _forecast(self, chance: random.Random) -> None:
        weather = Weather(chance.randrange(2**32), FAULTS, methods=FAULTY, seconds=0.5)
        self.bots.slack.forecast(weather)

    # --- judging ---------------------------------------------------------------------------------------

    def _judge(self, name: str, kills: int, case: Case, part: str) -> Row:
        standing, whole = self._standing(case), self._whole[part]
        verdict = Verdict(
            due=whole.total(),
            lost=(whole - standing).total(),
            doubled=(standing - whole).total(),
        )
        if part == "retract" and any(case.domain(1) in words for words in self._digests(case)):
            verdict.complaints.append("what was retracted stands there")
        if verdict.lost or verdict.doubled:
            verdict.complaints.append(f"{dict(standing)} in the place of {dict(whole)}")
        return self._enter(name, case, kills, verdict)

    def _judge_overtaken(self, case: Case, kills: int, change: str) -> Row:
        deliveries, _ = asyncio.run(books(case))
        standing = {each.nonce for channel in case.channels for each in self._posted(channel)}
        lost = [each for each in deliveries if each.nonce not in standing]
        verdict = Verdict(due=len(deliveries), lost=len(lost))
        verdict.complaints += self._unchanged(case, self._digests(case), change)
        return self._enter(f"{change} while delivering: any moment, with faults", case, kills, verdict)

    def _judge_revoked(self, case: Case, name: str, kills: int, change: str) -> Row:
        """Of answers none must stand there; whether one got through nobody promises."""
        _, posts = asyncio.run(books(case))
        direct = {each.channel for each in posts if each.channel.startswith("D")}
        seen = [words for each in direct for words in self.bots.slack.seen_by(READER, each)]
        texts = [*self._digests(case), *(words.replace("[.]", ".") for words in seen)]
        verdict = Verdict(complaints=self._unchanged(case, texts, change))
        return self._enter(name, case, kills, verdict)

    def _unchanged(self, case: Case, texts: Sequence[str], change: str) -> list[str]:
        naming = [words for words in texts if case.domain(1) in words]
        wrong = [words for words in naming if change == "restrict" or "withdrawn" not in words]
        return [f"what its source changed ({change}) stands there as before"] if wrong else []

    def _enter(self, name: str, case: Case, kills: int, verdict: Verdict) -> Row:
        """Look at what must be true of every case, and put it into its row."""
        deliveries, posts = asyncio.run(books(case))
        posted = [each for channel in case.channels for each in self._posted(channel)]
        nonces = Counter(each.nonce for each in posted if each.nonce)
        verdict.doubled = max(verdict.doubled, nonces.total() - len(nonces))
        for each in deliveries:
            if each.state is not State.DONE:
                verdict.complaints.append(f"{each.state} {each.error}")
        verdict.complaints += filter(None, (self._compared(channel, posts) for channel in case.channels))
        verdict.complaints = [f"{name}, case {case.path.stem}: {words}" for words in verdict.complaints]
        row = Row()
        row.add(kills, verdict)
        self.rows.setdefault(name, Row()).add(kills, verdict)
        return row

    def _standing(self, case: Case) -> Counter[tuple[str, bool, int]]:
        """How many posts stand there of each form: where, edited or not, with how many files."""
        return Counter(
            (f"{channel[:3]}{' beneath' if each.thread else ''}", each.edited, len(each.files))
            for channel in case.channels
            for each in self._posted(channel)
        )

    def _posted(self, channel: str) -> list[Posted]:
        return self.bots.slack.posted(channel)

    def _digests(self, case: Case) -> list[str]:
        """What can be read of them; notes of a correction may name what its readers may see."""
        seen = [words for each in case.channels[:2] for words in self.bots.slack.seen_by(READER, each)]
        return [words.replace("[.]", ".") for words in seen if "· correction" not in words]

    def _compared(self, channel: str, posts: Sequence[Post]) -> str:
        """How the ledger differs from what stands there."""
        posted = self._posted(channel)
        known = [each for each in posts if each.channel == channel and each.state in ("shown", "corrected")]
        texts = {each.ts for each in posted if each.nonce}
        recorded = {each.ts for each in known if not each.files}
        if texts != recorded:
            return f"ledger of {channel}: {sorted(recorded)} for {sorted(texts)}"
        files, kept = sum(len(each.files) for each in posted), sum(len(each.files) for each in known)
        return "" if files == kept else f"ledger of {channel}: {kept} files for {files}"


DELIVER = "deliver"
PARTS = (DELIVER, "retract", "revoke")
ANSWER = "answer"


def _wish(part: str, case: Case) -> str:
    return case.domain(1) if part == "retract" else ""


def run(kills: int, seed: int, *, named: bool = True) -> Matrix:
    """All named steps, then so many kills at random."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder, bots(kills + 400) as made:
        matrix = Matrix(made, Path(folder))
        if named:
            for part in PARTS:
                for step in matrix.steps[part]:
                    for is_done in (False, True):
                        matrix.kill_at(part, step, is_done=is_done)
            for step in matrix.steps[DELIVER]:
                for is_done in (False, True):
                    matrix.kill_at(DELIVER, step, is_done=is_done, fault=LATE_FILE)
            for step in matrix.steps[ANSWER]:
                for is_done in (False, True):
                    matrix.kill_answering(step, is_done=is_done)
        left = kills
        while left > 0:
            left -= matrix.kill_somewhere(chance, most=min(left, AGAIN))
        return matrix


if __name__ == "__main__":
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--kills", type=int, default=500)
    reader.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    given = reader.parse_args()
    print(f"seed {given.seed}")
    done = run(given.kills, given.seed)
    print(done.table())
    sys.exit(any(row.complaints or row.lost or row.doubled for row in done.rows.values()))
