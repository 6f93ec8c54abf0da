"""Posts in the store: what stands in Slack, and beside it which assertions each of them showed."""

from collections.abc import Iterable, Sequence
from functools import cache
from heapq import nlargest
from typing import Any

import msgspec

from bot.deliveries import Change, Item, Post
from bot.errors import InputError
from bot.store import rows
from bot.store.engine import Connection, Dialect, reading, writing

MAX_BODY = 64_000_000  # bytes of one post as JSON
PORTION = 16  # posts read in one go, so that lookups get their turn between them
MOST = 10_000  # posts in one answer
KEPT = 2_000  # posts of one channel

Place = tuple[int, int]  # when it was posted, its number

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Post)
_places_decoder = msgspec.json.Decoder(list[Place])

_FIND = "SELECT id, body FROM post WHERE channel = ? AND ts = ?"
_PUT = """INSERT INTO post (channel, ts, posted_at, state, body) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (channel, ts) DO UPDATE
SET posted_at = excluded.posted_at, state = excluded.state, body = excluded.body"""
_REPLACE = "UPDATE post SET channel = ?, ts = ?, posted_at = ?, state = ?, body = ? WHERE id = ?"
_OLDEST = """SELECT id, body FROM post WHERE channel = ?
ORDER BY posted_at DESC, id DESC LIMIT 2 OFFSET ?"""
_ITEM = ("text", "bytea", "bigint")
_PAIR = ("text", "bytea")


def record(connection: Connection, post: Post) -> None:
    """Store it in the place of what was known of that message. Raises InputError."""
    row = _row(post)
    with writing(connection, "post"):
        known = connection.execute(_FIND, row[:2]).fetchone()
        if post.state == "deleted":
            if known:
                _forget(connection, *known)
            return
        connection.execute(_PUT, row)
        [number, _] = known or connection.execute(_FIND, row[:2]).fetchone()
        _show(connection, number, _decoder.decode(known[1]).items if known else (), post.items)
        if known is None:
            _forget_oldest(connection, post.channel)


def replace(connection: Connection, old: Post, new: Post) -> bool:
    """Store it in the place of the old one, if that is still there as it was. Raises InputError."""
    row = _row(new)
    with writing(connection, "post"):
        known = connection.execute(_FIND, (old.channel, old.ts)).fetchone()
        if known is None or _decoder.decode(known[1]) != old:
            return False
        if new.state == "deleted":
            _forget(connection, *known)
            return True
        other = connection.execute(_FIND, row[:2]).fetchone()
        if other is not None and other[0] != known[0]:
            return False
        connection.execute(_REPLACE, (*row, known[0]))
        _show(connection, known[0], old.items, new.items)
    return True


def one(connection: Connection, channel: str, ts: str) -> Post | None:
    """The post of that message."""
    found = connection.execute(_FIND, (channel, ts)).fetchone()
    return _decoder.decode(found[1]) if found else None


def find(connection: Connection, channel: str | None, showing: Sequence[Change], most: int) -> list[int]:
    """The numbers of the posts that are asked for, the newest first."""
    most = max(0, min(most, MOST))
    wanted = [most] if channel is None else [channel, most]
    if not showing:
        [found] = connection.execute(latest(connection.dialect, channel is None), wanted).fetchone()
        return [number for _, number in sorted(_places_decoder.decode(found), reverse=True)]
    places: set[Place] = set()
    pairs = {(each.source, rows.key(each.indicator)) for each in showing}
    with reading(connection):
        for part, parameters in connection.dialect.parts(pairs, _PAIR):
            statement = showing_one(connection.dialect, part, channel is None)
            found = connection.execute(statement, [*parameters, *wanted]).fetchone()
            places.update(_places_decoder.decode(found[0]))
    return [number for _, number in nlargest(most, places)]


def read(connection: Connection, numbers: Sequence[int]) -> list[Post]:
    """At most PORTION posts by their numbers, the newest first."""
    found: list[Any] = []
    for among, parameters in connection.dialect.sets(numbers, "bigint"):
        found += connection.execute(by_number(among), parameters).fetchall()
    return [_decoder.decode(body) for (body,) in found]


@cache
def by_number(among: str) -> str:
    """The statement that reads posts by their numbers."""
    return f"SELECT body FROM post WHERE id {among} ORDER BY posted_at DESC, id DESC"  # noqa: S608 (marks)


@cache
def put_items(part: str) -> str:
    """The statement that stores what posts show: source, key, number of the post."""
    return (
        "INSERT INTO post_item (source, key, post)"  # noqa: S608 (marks)
        f" SELECT * FROM {part} WHERE column1 IS NOT NULL"
    )


@cache
def forget_items(part: str) -> str:
    """The statement that deletes what posts show no more; with `IN (VALUES` SQLite would read them all."""
    return (
        "DELETE FROM post_item WHERE (source, key, post) IN (SELECT source, key, post"  # noqa: S608 (marks)
        f" FROM {part} CROSS JOIN post_item"
        " WHERE source = part.column1 AND key = part.column2 AND post = part.column3)"
    )


@cache
def latest(dialect: Dialect, anywhere: bool) -> str:
    """The statement that finds the latest posts, anywhere or in a channel."""
    return _places(dialect, "post", "", anywhere)


@cache
def showing_one(dialect: Dialect, part: str, anywhere: bool) -> str:
    """The statement that finds the latest posts that showed one of these: source, key."""
    return _places(
        dialect,
        f"{part} CROSS JOIN post_item CROSS JOIN post",
        "source = part.column1 AND key = part.column2 AND post.id = post_item.post AND",
        anywhere,
    )


def _places(dialect: Dialect, tables: str, condition: str, anywhere: bool) -> str:
    """A query for when posts that stand were posted, and their numbers; it ends with channel and limit."""
    where = "" if anywhere else " AND channel = ?"
    return (
        f"SELECT {dialect.listed('posted_at, id')} FROM (SELECT DISTINCT posted_at, id"  # noqa: S608 (names from the code, marks)
        f" FROM {tables} WHERE {condition} state <> 'deleted'{where}"
        " ORDER BY posted_at DESC, id DESC LIMIT ?) AS place"
    )


def _show(connection: Connection, number: int, before: Iterable[Item], now: Iterable[Item]) -> None:
    """Write down what else a post shows, and forget what it shows no more."""
    shows, showed = _keys(now), _keys(before)
    for part, parameters in connection.dialect.parts(((*key, number) for key in shows - showed), _ITEM):
        connection.execute(put_items(part), parameters)
    for part, parameters in connection.dialect.parts(((*key, number) for key in showed - shows), _ITEM):
        connection.execute(forget_items(part), parameters)


def _forget_oldest(connection: Connection, channel: str) -> None:
    """Keep the newest of a channel: what was said long before them is not corrected any more."""
    for number, body in connection.execute(_OLDEST, (channel, KEPT)).fetchall():
        _forget(connection, number, body)


def _forget(connection: Connection, number: int, body: str) -> None:
    _show(connection, number, _decoder.decode(body).items, ())
    connection.execute("DELETE FROM post WHERE id = ?", (number,))


def _row(post: Post) -> tuple[str, str, int, str, str]:
    rows.check_names(post.channel, post.ts)
    if any(time is not None and time.tzinfo is None for time in (post.posted_at, post.busy_until)):
        raise InputError("the time of a post has no zone")
    body = _encoder.encode(post)
    if len(body) > MAX_BODY:
        raise InputError(f"a post is longer than {MAX_BODY} bytes")
    return post.channel, post.ts, rows.micros(post.posted_at), post.state, body.decode()


def _keys(items: Iterable[Item]) -> set[tuple[str, bytes]]:
    return {(item.source, rows.key(item.indicator)) for item in items}
