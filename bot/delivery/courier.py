"""Courier: brings one delivery from state to state, so that whoever comes after a crash knows where it was.

Every state is committed before the next thing is done. A post that may be under way is written down first;
until it has had time to arrive nobody sends it again, and then only if it is not found by its nonce.
"""

import asyncio
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec

from bot.deliveries import ENDED, Delivery, Post, State
from bot.delivery import retrying
from bot.delivery.alerts import LOG, Alert, Alerts, Trouble
from bot.delivery.changed import changes_mark
from bot.delivery.drafting import Drafts, Writing
from bot.delivery.edition import (
    Edition,
    File,
    Piece,
    Sheet,
    continued,
    decode,
    digest_of,
    encode,
    without_files,
)
from bot.delivery.posting import (
    ClaimsChangedError,
    FilesRefusedError,
    HistoryRefusedError,
    LockedOutError,
    NotTakenError,
    Posting,
    ReadersChangedError,
    RefusedError,
)
from bot.errors import BotError
from bot.logs import log_mistake
from bot.services import Store
from bot.sharing import Audience

REWRITES = 3  # in one go; a channel whose readers or claims change all the time waits
LOOK_BACK = timedelta(hours=25)  # before a post was started, for our clock may be wrong by an hour or a day


@dataclass(frozen=True, kw_only=True)
class Means:
    """What a courier works with."""

    store: Store
    posting: Posting
    writing: Writing
    alerts: Alerts
    clock: Callable[[], datetime]
    nonce: Callable[[], str] = lambda: secrets.token_urlsafe(16)
    jitter: Callable[[], float] = random.random


class _LostError(Exception):
    """Somebody else has the delivery now."""


class Errand:
    """One delivery in the hands of one owner, until that moment."""

    def __init__(self, means: Means, delivery: Delivery, *, owner: str, until: datetime) -> None:
        self._means, self._owner, self._until = means, owner, until
        self._delivery = msgspec.structs.replace(delivery, not_before=None)  # as it was committed last
        self._edition: Edition | None = None
        self._is_held = True
        self._rewrites = 0
        self._drafts = Drafts(delivery.channel, means.store, means.posting, means.writing, means.clock)

    async def run(self) -> Delivery:
        """Go on until it ends, must wait, or is somebody else's; gives how far it is."""
        try:
            while self._goes_on():
                await self._step()
            await self._let_go()
        except _LostError:
            LOG.info("a delivery for %s is somebody else's now", self._delivery.channel)
        except asyncio.CancelledError:
            await asyncio.shield(self._let_go())
            raise
        except Exception as error:  # noqa: BLE001 - a mistake of ours must not end all other deliveries
            await self._fail(error)
        return self._delivery

    def _goes_on(self) -> bool:
        return self._is_held and self._delivery.state not in ENDED and self._means.clock() < self._until

    async def _step(self) -> None:
        match self._delivery.state:
            case State.DUE:
                await self._write()
            case State.COMPILED:
                await self._send(0)
            case State.SENDING:
                await self._look(0)
            case _ if not self._delivery.message:
                await self._take_up()
            case _ if self._delivery.started_at is not None:
                await self._look(self._delivery.parts + 1)
            case _ if self._delivery.parts + 1 < len(self._content().pieces):
                await self._send(self._delivery.parts + 1)
            case _:
                await self._finish()

    # --- writing ---------------------------------------------------------------------------------------

    async def _write(self) -> None:
        if self._delivery.written_at is None:
            self._delivery = self._with(written_at=self._means.clock())
        await self._put_written(await self._drafts.first(self._delivery))

    async def _put_written(self, edition: Edition) -> None:
        if not edition.pieces:
            await self._told(edition)
            await self._put(retrying.got_on(self._with(state=State.EMPTY, message="")))
            return
        nonce = self._delivery.nonce or self._means.nonce()  # one for all tries, so that each can be found
        await self._put_edition(edition, self._with(state=State.COMPILED, nonce=nonce))

    async def _rewrite(self, number: int, readers: Audience | None, why: BotError) -> None:
        """Something changed before that piece: write it, or what is left of it, for those of now."""
        self._delivery = retrying.unsent(self._delivery)
        if self._rewrites >= REWRITES:
            raise why
        self._rewrites += 1
        edition = await self._drafts.written(self._delivery, readers)
        if number == 0:
            await self._put_written(edition)
            return
        await self._put_edition(continued(self._content(), edition, number), self._delivery)

    async def _take_up(self) -> None:
        """An operator has it go on; what was written is gone: behind what stands there follows the rest."""
        await self._put_edition(await self._drafts.first(self._delivery), self._delivery)

    async def _put_edition(self, edition: Edition, delivery: Delivery) -> None:
        message, readers = await asyncio.to_thread(encode, edition), digest_of(edition.audience)
        await self._put(msgspec.structs.replace(delivery, message=message, readers=readers))
        self._edition = edition

    def _content(self) -> Edition:
        if self._edition is None:
            self._edition = decode(self._delivery.message)
        return self._edition

    # --- sending ---------------------------------------------------------------------------------------

    async def _send(self, number: int) -> None:
        """Bring one piece; the first into the channel, the others beneath it."""
        piece = self._content().pieces[number]
        try:
            ts = await (
                self._post(piece, number) if isinstance(piece, Sheet) else self._attach(piece, number)
            )
        except FilesRefusedError:
            self._delivery = retrying.unsent(self._delivery)
            await self._say_instead(number)
        except ReadersChangedError as error:
            await self._rewrite(number, error.readers, error)
        except ClaimsChangedError as error:
            await self._rewrite(number, self._content().audience, error)
        except (NotTakenError, RefusedError):
            self._delivery = retrying.unsent(self._delivery)
            raise
        else:
            await self._arrived(number, ts)

    async def _post(self, sheet: Sheet, number: int) -> str:
        return await self._means.posting.post_marked(
            self._delivery.channel,
            self._content().letter(sheet),
            nonce=self._nonce(number),
            thread=self._delivery.ts,
            starting=self._start,
            checking=lambda: self._drafts.check(self._content(), number),
        )

    async def _attach(self, file: File, number: int) -> str:
        content = await asyncio.to_thread(lambda: file.content)
        return await self._means.posting.attach(
            self._delivery.channel,
            file.name,
            content,
            self._content().letter(file.words),
            thread=self._delivery.ts,
            starting=self._start,
            checking=lambda: self._drafts.check(self._content(), number),
        )

    async def _start(self) -> None:
        """From now on a post may be under way."""
        state = State.SENDING if self._delivery.state is State.COMPILED else self._delivery.state
        await self._put(self._with(state=state, started_at=self._means.clock()))

    async def _say_instead(self, number: int) -> None:
        """Files are not taken there: the words that were written for that case follow."""
        edition = without_files(self._content(), number)
        await self._put_edition(edition, self._delivery)

    async def _arrived(self, number: int, ts: str, *, is_found: bool = False) -> None:
        """It stands there: into the ledger with it, then on to the next."""
        await self._record(number, ts, is_found)
        if number == 0:
            sent = self._with(state=State.SENT, ts=ts, started_at=None)
        else:
            sent = self._with(parts=number, started_at=None)
        try:
            await self._put(retrying.got_on(sent))
        except _LostError:
            if number == 0:
                await self._make_way(ts)
            raise
        if not is_found:
            await self._drafts.remember(self._content().audience)

    async def _record(self, number: int, ts: str, is_found: bool) -> None:
        if is_found and await self._recorded(ts) is not None:
            return  # what became of it since stays
        content = self._content()
        piece = content.pieces[number]
        post = Post(
            channel=self._delivery.channel,
            ts=ts,
            thread=self._delivery.ts,
            purpose=self._delivery.purpose,
            period=self._delivery.period,
            posted_at=self._means.clock(),
            readers=tuple(sorted(content.audience.orgs)),
            items=piece.items,
            entitled=content.entitled,
            files=(ts,) if isinstance(piece, File) else (),
            # Much may have happened since it was sent: found again, it is judged anew.
            state="doubted" if is_found else "shown",
        )
        await self._means.store.record_post(post)

    # --- looking ---------------------------------------------------------------------------------------

    async def _look(self, number: int) -> None:
        """See whether a piece arrived that was under way when something broke."""
        if not await self._is_settled():
            return
        found = await self._found(number)
        if found:
            await self._withdraw(found[1:], self._content().pieces[number])
            await self._arrived(number, found[0], is_found=True)
        else:
            await self._put(msgspec.structs.replace(retrying.unsent(self._delivery), resent=True))

    async def _is_settled(self) -> bool:
        """Whether it has had time to arrive; else wait for that."""
        now = self._means.clock()
        started_at = min(self._delivery.started_at or now, now)  # a clock that went back tells nothing else
        settled_at = retrying.settled_at(started_at)
        if now >= settled_at:
            return True
        await self._put(self._with(started_at=started_at, not_before=settled_at), release=True)
        return False

    async def _found(self, number: int) -> list[str]:
        posting, delivery, piece = self._means.posting, self._delivery, self._content().pieces[number]
        oldest = self._oldest()
        if isinstance(piece, File):
            return await posting.find_attached(
                delivery.channel, piece.name, oldest=oldest, thread=delivery.ts
            )
        thread = delivery.ts if number else ""
        return await posting.find_marked(delivery.channel, self._nonce(number), oldest=oldest, thread=thread)

    def _oldest(self) -> datetime:
        """Since when to look for what was sent."""
        return (self._delivery.started_at or self._delivery.written_at or self._means.clock()) - LOOK_BACK

    async def _finish(self) -> None:
        """All of it stands there: once."""
        if self._delivery.resent:
            await self._withdraw_late_ones()
        await self._told(self._content())
        await self._put(retrying.got_on(self._with(state=State.DONE, message="")))

    async def _told(self, edition: Edition) -> None:
        """The next one tells only of changes after these."""
        if edition.changes_upto:
            await self._means.store.set_mark(changes_mark(self._delivery.channel), edition.changes_upto)

    async def _withdraw_late_ones(self) -> None:
        try:
            for number, piece in enumerate(self._content().pieces):
                await self._withdraw(await self._late(number), piece)
        except HistoryRefusedError:
            await self._means.alerts.tell(Alert(Trouble.PERHAPS_TWICE, self._delivery))

    async def _late(self, number: int) -> list[str]:
        """What stands there besides the one that counts: what was sent first and came last."""
        found = await self._found(number)
        if number == 0:
            return [ts for ts in found if ts != self._delivery.ts]
        recorded = [ts for ts in found if await self._recorded(ts) is not None]
        return [ts for ts in found if ts not in recorded[:1]] if recorded else found[1:]

    async def _make_way(self, ts: str) -> None:
        """Somebody else took over while we were sending: what they sent counts."""
        for other in await self._means.store.deliveries(self._delivery.channel):
            if _is_same(other, self._delivery) and other.ts not in ("", ts):
                await self._withdraw([ts], self._content().pieces[0])

    async def _withdraw(self, duplicates: list[str], piece: Piece) -> None:
        posting = self._means.posting
        for ts in duplicates:
            try:
                if isinstance(piece, File):
                    oldest, thread = self._oldest(), self._delivery.ts
                    await posting.withdraw_file(self._delivery.channel, ts, oldest=oldest, thread=thread)
                else:
                    await posting.withdraw(self._delivery.channel, ts)
            except LockedOutError:
                raise
            except RefusedError:
                await self._means.alerts.tell(Alert(Trouble.DUPLICATE, self._delivery))
                continue
            if (known := await self._recorded(ts)) is not None:
                await self._means.store.record_post(msgspec.structs.replace(known, state="deleted"))

    # --- keeping the books -----------------------------------------------------------------------------

    async def _recorded(self, ts: str) -> Post | None:
        return await self._means.store.post(self._delivery.channel, ts)

    def _nonce(self, number: int) -> str:
        """That of the first piece is random, those of the others follow from it."""
        nonce = self._delivery.nonce
        return sha256(f"{nonce}/{number}".encode()).hexdigest()[:32] if number else nonce

    def _with(self, **changed: object) -> Delivery:
        return msgspec.structs.replace(self._delivery, **changed)

    async def _put(self, delivery: Delivery, *, release: bool = False) -> None:
        if not await self._means.store.put_delivery(delivery, owner=self._owner, release=release):
            raise _LostError
        self._delivery, self._is_held = delivery, not release

    async def _let_go(self) -> None:
        """Put it down for whoever comes next."""
        if self._is_held and self._delivery.state not in ENDED:
            self._is_held = False
            await self._means.store.put_delivery(self._delivery, owner=self._owner, release=True)

    async def _fail(self, error: Exception) -> None:
        if not isinstance(error, BotError):
            log_mistake(LOG, error)
        now, jitter = self._means.clock(), self._means.jitter()
        failed = retrying.failed(self._delivery, error, now=now, jitter=jitter)
        if trouble := _trouble(failed, error):
            await self._means.alerts.tell(Alert(trouble, failed))
        try:
            await self._put(failed, release=True)
        except (_LostError, BotError):
            LOG.warning("a delivery for %s waits for the end of its lease", failed.channel)


def _trouble(failed: Delivery, error: Exception) -> Trouble | None:
    if failed.state is State.PARKED:
        return Trouble.PARKED
    if failed.state is State.UNCERTAIN:
        return Trouble.UNCERTAIN
    return Trouble.LOCKED_OUT if isinstance(error, LockedOutError) else None


def _is_same(one: Delivery, other: Delivery) -> bool:
    return (one.channel, one.purpose, one.period) == (other.channel, other.purpose, other.period)
