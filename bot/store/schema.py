"""The store's tables, made and changed by migrations; `sqlite-utils migrate` and its kin understand them."""

from sqlite_utils import Database, Migrations

from bot.errors import ConfigError
from bot.store.engine import writing
from bot.store.sqlite_connection import SqliteConnection

migrations = Migrations("liaison")


@migrations()
def m001_assertions(db: Database) -> None:
    """One row per source and indicator; sequence numbers come from the clock, so they follow commit order."""
    db.table("clock").insert({"id": 1, "head": 0}, pk="id", not_null={"head"})
    columns = {
        "seq": int,
        "key": bytes,  # rows.key of the indicator
        "source": str,
        "kind": str,
        "family": str,  # in folded case, to search by
        "file": str,  # equal for hashes that this source says belong to one file
        "stored_at": int,  # microseconds since 1970; when the row took its number
        "body": str,  # the assertion as JSON, without seq and file
    }
    table = db.table("assertion").create(
        columns, pk="seq", not_null={"key", "source", "kind", "stored_at", "body"}
    )
    table.create_index(["key", "source"], index_name="assertion_key", unique=True)
    table.create_index(["kind"], index_name="assertion_kind")
    table.create_index(["stored_at"], index_name="assertion_stored_at")
    db.execute("CREATE INDEX assertion_family ON assertion (family) WHERE family IS NOT NULL")
    db.execute("CREATE INDEX assertion_file ON assertion (source, file) WHERE file IS NOT NULL")


@migrations()
def m002_file_aliases(db: Database) -> None:
    """Other ids under which a source spoke of a file, kept so that importing again ends in the same place."""
    db.execute(
        "CREATE TABLE file_alias (source TEXT NOT NULL, alias TEXT NOT NULL, file TEXT NOT NULL,"
        " PRIMARY KEY (source, alias)) WITHOUT ROWID"
    )
    db.execute("CREATE INDEX file_alias_file ON file_alias (source, file)")


@migrations()
def m003_claims(db: Database) -> None:
    """Keys somebody has claimed until a moment, against replays."""
    db.execute("CREATE TABLE claim (key BLOB PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID")
    db.execute("CREATE INDEX claim_until ON claim (until)")


@migrations()
def m004_findings(db: Database) -> None:
    """What services found, for each organisation by itself."""
    db.execute(
        "CREATE TABLE finding (org TEXT NOT NULL, key BLOB NOT NULL, provider TEXT NOT NULL,"
        " until INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (org, key, provider))"
    )
    db.execute("CREATE INDEX finding_until ON finding (until)")


@migrations()
def m005_budgets(db: Database) -> None:
    """What was used: of calendar periods a count, of rolling ones each moment, numbered in order."""
    db.execute(
        "CREATE TABLE budget (key TEXT NOT NULL, period TEXT NOT NULL, start INTEGER NOT NULL,"
        " used INTEGER NOT NULL, PRIMARY KEY (key, period, start)) WITHOUT ROWID"
    )
    db.execute(
        "CREATE TABLE spending (key TEXT NOT NULL, number INTEGER NOT NULL, moment INTEGER NOT NULL,"
        " PRIMARY KEY (key, number)) WITHOUT ROWID"
    )


@migrations()
def m006_deliveries(db: Database) -> None:
    """Who gets what by itself and when, and how far each delivery is."""
    db.execute(
        "CREATE TABLE subscription (channel TEXT NOT NULL, purpose TEXT NOT NULL, schedule TEXT NOT NULL,"
        " filters TEXT NOT NULL, attach TEXT, say_nothing_new INTEGER NOT NULL, set_by TEXT NOT NULL,"
        " since INTEGER NOT NULL, next_at INTEGER NOT NULL, PRIMARY KEY (channel, purpose)) WITHOUT ROWID"
    )
    db.execute(
        "CREATE TABLE delivery (id INTEGER PRIMARY KEY, channel TEXT NOT NULL, purpose TEXT NOT NULL,"
        " period TEXT NOT NULL, state TEXT NOT NULL, ended INTEGER NOT NULL, not_before INTEGER,"
        " owner TEXT, leased_until INTEGER, body TEXT NOT NULL)"
    )
    db.execute("CREATE UNIQUE INDEX delivery_period ON delivery (channel, purpose, period)")
    db.execute("CREATE INDEX delivery_open ON delivery (channel, id) WHERE NOT ended")


@migrations()
def m007_posts(db: Database) -> None:
    """What stands in Slack, and what it showed; what was narrowed since, numbered in order of commits."""
    db.execute(
        "CREATE TABLE post (id INTEGER PRIMARY KEY, channel TEXT NOT NULL, ts TEXT NOT NULL,"
        " posted_at INTEGER NOT NULL, state TEXT NOT NULL, body TEXT NOT NULL)"
    )
    db.execute("CREATE UNIQUE INDEX post_message ON post (channel, ts)")
    db.execute("CREATE INDEX post_posted_at ON post (posted_at)")
    db.execute("CREATE INDEX post_channel ON post (channel, posted_at)")
    db.execute(
        "CREATE TABLE post_item (source TEXT NOT NULL, key BLOB NOT NULL, post INTEGER NOT NULL,"
        " PRIMARY KEY (source, key, post)) WITHOUT ROWID"
    )
    db.execute(
        "CREATE TABLE change (number INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL,"
        " kind TEXT NOT NULL, value TEXT NOT NULL)"
    )
    db.execute("CREATE TABLE mark (name TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID")


@migrations()
def m008_asked(db: Database) -> None:
    """How many indicators an organisation looked up in a minute since 1970, and how many were known."""
    db.execute(
        "CREATE TABLE asked (minute INTEGER NOT NULL, org TEXT NOT NULL, asked INTEGER NOT NULL,"
        " answered INTEGER NOT NULL, PRIMARY KEY (minute, org)) WITHOUT ROWID"
    )


@migrations()
def m009_readers(db: Database) -> None:
    """Who read each channel at the last look; and deliveries of a channel in their order."""
    db.execute("CREATE TABLE readers (channel TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID")
    db.execute("CREATE INDEX delivery_channel ON delivery (channel, id)")


@migrations()
def m010_replicas(db: Database) -> None:
    """What several replicas share: what buttons refer to, turns at Slack, leases, former ids of channels."""
    db.execute(
        "CREATE TABLE kept (token BLOB PRIMARY KEY, until INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID"
    )
    db.execute("CREATE INDEX kept_until ON kept (until)")
    db.execute(
        "CREATE TABLE turn (lane TEXT NOT NULL, channel TEXT NOT NULL, due INTEGER NOT NULL,"
        " held_until INTEGER NOT NULL, PRIMARY KEY (lane, channel)) WITHOUT ROWID"
    )
    db.execute(
        "CREATE TABLE lease (name TEXT PRIMARY KEY, owner TEXT NOT NULL, until INTEGER NOT NULL,"
        " note TEXT NOT NULL) WITHOUT ROWID"
    )
    db.execute("CREATE INDEX lease_until ON lease (until)")
    db.execute(
        "CREATE TABLE renamed (channel TEXT NOT NULL, former TEXT NOT NULL, PRIMARY KEY (channel, former))"
        " WITHOUT ROWID"
    )


@migrations()
def m011_open_deliveries(db: Database) -> None:
    """Index open deliveries by a condition that every engine understands."""
    db.execute("DROP INDEX delivery_open")
    db.execute("CREATE INDEX delivery_open ON delivery (channel, id) WHERE ended = 0")


@migrations()
def m012_merges(db: Database) -> None:
    """Which merge wrote a row last, counted where several work at the same time; SQLite knows only one."""
    db.execute("ALTER TABLE assertion ADD COLUMN touched INTEGER NOT NULL DEFAULT 0")
    db.execute("ALTER TABLE file_alias ADD COLUMN touched INTEGER NOT NULL DEFAULT 0")
    db.execute("ALTER TABLE clock ADD COLUMN merges INTEGER NOT NULL DEFAULT 0")


_STEPS = (
    m001_assertions,
    m002_file_aliases,
    m003_claims,
    m004_findings,
    m005_budgets,
    m006_deliveries,
    m007_posts,
    m008_asked,
    m009_readers,
    m010_replicas,
    m011_open_deliveries,
    m012_merges,
)
KNOWN = {step.__name__ for step in _STEPS}
NEWER = "The store was written by a newer Liaison: update Liaison, or name another --store."
FOREIGN = "That database belongs to something else: name another one with --store."


def migrate(connection: SqliteConnection) -> None:
    """Bring the tables up to date. Raises ConfigError for a file that is not a store, or a newer one."""
    db = Database(connection)
    if _is_current(db):
        return
    with writing(connection):  # of several processes that open at once the second finds everything done
        if not _is_current(db):
            migrations.apply(db)


def _is_current(db: Database) -> bool:
    """Whether nothing is left to do. Raises ConfigError."""
    applied = {migration.name for migration in migrations.applied(db)}
    if applied - KNOWN:
        raise ConfigError([NEWER])
    if not applied and set(db.table_names()) - {migrations.migrations_table}:
        raise ConfigError([FOREIGN])
    return applied == KNOWN
