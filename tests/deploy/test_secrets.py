"""first-secrets: certificates that verify for their names, passwords that match, closed files."""

import ssl
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from bot.settings import read_slack, read_store
from tests.deploy.described import compose
from tests.deploy.replicas import secrets_made


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return secrets_made(tmp_path_factory.mktemp("made") / "secrets")


def files(made: Path) -> Iterator[Path]:
    return (path for path in made.rglob("*") if path.is_file())


def test_everything_that_compose_mounts_is_made_but_what_slack_gives(made: Path) -> None:
    mounted = {Path(each["file"]).relative_to("secrets") for each in compose()["secrets"].values()}
    missing = {str(path) for path in mounted if not (made / path).is_file()}

    assert missing == {"bot/SLACK_BOT_TOKEN", "bot/SLACK_SIGNING_SECRET"}


def test_nobody_else_can_read_them(made: Path) -> None:
    opened = {path.name for path in files(made) if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)}

    assert opened == {"ca.crt"}


@pytest.mark.parametrize("name", ["store/db1", "store/db2", "store/etcd1", "store/etcd3", "proxy/proxy"])
def test_a_certificate_proves_its_name_to_whoever_trusts_the_authority(made: Path, name: str) -> None:
    host = Path(name).name.replace("proxy", "localhost")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(made / f"{name}.crt", made / f"{name}.key")
    client = ssl.create_default_context(cafile=str(made / "ca.crt"))

    assert shaken(client, server, host)
    with pytest.raises(ssl.SSLCertVerificationError):
        shaken(client, server, "elsewhere")


def shaken(client: ssl.SSLContext, server: ssl.SSLContext, host: str) -> bool:
    """Whether hands were shaken, in memory."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(back, there, server_hostname=host)
    theirs = server.wrap_bio(there, back, server_side=True)
    for _ in range(4):
        done = 0
        for side in (ours, theirs):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
                done += 1
        if done == 2:
            return True
    return False


def test_both_ends_have_the_same_password_and_no_two_are_alike(made: Path) -> None:
    def text(path: str) -> str:
        return (made / path).read_text(encoding="ascii").strip()

    assert text("bot/LIAISON_STORE_PASSWORD") == text("store/liaison_bot")
    assert text("owner/LIAISON_STORE_PASSWORD") == text("store/liaison_owner")
    passwords = [text(f"store/{role}") for role in ("liaison_bot", "liaison_owner", "replicator", "rewind")]
    assert len(set(passwords)) == 4
    assert all(len(password) >= 48 for password in passwords)


def test_the_bot_reads_them_where_compose_puts_them(tmp_path: Path, made: Path) -> None:
    for name, text in (("SLACK_BOT_TOKEN", "xoxb-canary"), ("SLACK_SIGNING_SECRET", "canary")):
        (tmp_path / name).write_text(text, encoding="ascii")
    (tmp_path / "LIAISON_STORE_PASSWORD").write_bytes((made / "bot" / "LIAISON_STORE_PASSWORD").read_bytes())
    for file in tmp_path.iterdir():
        file.chmod(0o440)  # as Kubernetes mounts them
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path)}

    assert read_slack(environment).signing_secret is not None
    assert read_store(environment).password is not None


def test_running_it_again_changes_nothing(made: Path) -> None:
    before = {path: path.read_bytes() for path in files(made)}

    secrets_made(made)

    assert {path: path.read_bytes() for path in files(made)} == before


def test_a_password_can_be_made_anew_by_deleting_both_copies(tmp_path: Path) -> None:
    made = secrets_made(tmp_path / "secrets")
    old = (made / "store" / "liaison_bot").read_text(encoding="ascii")
    for path in ("store/liaison_bot", "bot/LIAISON_STORE_PASSWORD"):
        (made / path).unlink()

    secrets_made(made)

    new = (made / "store" / "liaison_bot").read_text(encoding="ascii")
    assert new != old
    assert (made / "bot" / "LIAISON_STORE_PASSWORD").read_text(encoding="ascii") == new
