"""A server that cannot prove who it is gets no question, and no password."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.store import open_store
from tests.postgres.cluster import FAST, SUPERUSER, Ground, Node

pytestmark = pytest.mark.usefixtures("postgres_binaries")
OPENSSL = shutil.which("openssl") or ""


@pytest.fixture(scope="module")
def server(postgres_binaries: Path) -> Iterator[Node]:
    """It shows a certificate that it made itself, for the name `localhost`."""
    if not OPENSSL:
        pytest.skip("openssl is needed to make a certificate")
    with Ground() as ground:
        files = {"ssl_cert_file": ground.folder / "own.crt", "ssl_key_file": ground.folder / "own.key"}
        node = Node(ground, "tls", {**FAST, "ssl": "on", **{name: str(file) for name, file in files.items()}})
        node.initialise()
        made = ["-keyout", files["ssl_key_file"], "-out", files["ssl_cert_file"]]
        names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        words = [OPENSSL, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *made, *names]
        assert ground.spawn(words, "openssl.log").wait(60) == 0
        node.start()
        yield node
        node.stop()


def _url(server: Node, host: str, mode: str = "verify-full", **more: object) -> str:
    extra = "".join(f"&{name}={value}" for name, value in more.items())
    place = f"{host}:{server.port}/postgres"
    return f"postgresql://{SUPERUSER}:{server.ground.password}@{place}?sslmode={mode}{extra}"


async def test_a_server_whose_authority_we_trust_is_believed(server: Node) -> None:
    own = server.ground.folder / "own.crt"

    store = await open_store(_url(server, "localhost", sslrootcert=own, hostaddr="127.0.0.1"))

    assert await store.head() == 0
    await store.close()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_server_with_a_certificate_of_its_own_making_is_not(server: Node, host: str) -> None:
    with pytest.raises(ConfigError, match="could not prove who it is"):
        await open_store(_url(server, host, sslrootcert="system", hostaddr="127.0.0.1"))


async def test_a_server_with_the_certificate_of_another_is_not(server: Node) -> None:
    own = server.ground.folder / "own.crt"

    with pytest.raises(ConfigError, match="could not prove who it is"):
        await open_store(_url(server, "db.example.org", sslrootcert=own, hostaddr="127.0.0.1"))


async def test_a_server_without_tls_is_not(postgres: str) -> None:
    with pytest.raises(ConfigError, match="could not prove who it is"):
        await open_store(f"{postgres}?sslmode=verify-full&sslrootcert=system")
