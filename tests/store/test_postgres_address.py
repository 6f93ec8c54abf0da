"""Which addresses of PostgreSQL are taken, and over what; none gives its password away."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.secret import Secret
from bot.store.postgres_address import read

ALONE = {"LIAISON_STORE_INSECURE": "1"}


@pytest.mark.parametrize(
    ("url", "environment", "mode"),
    [
        ("postgresql://bot@db.example.org/liaison", {}, "verify-full"),
        ("postgres://bot@db1.example.org,db2.example.org/liaison", {}, "verify-full"),
        ("postgresql://bot@127.0.0.1,db2.example.org/liaison", {}, "verify-full"),
        ("postgresql://bot@db.example.org/liaison?hostaddr=127.0.0.1", {}, "verify-full"),
        ("postgresql://bot@localhost/liaison?hostaddr=192.0.2.1", {}, "verify-full"),
        ("postgresql://bot@localhost/liaison", {"PGHOSTADDR": "192.0.2.1"}, "verify-full"),
        ("postgresql:///liaison", {"PGHOST": "db.example.org"}, "verify-full"),
        ("postgresql://bot@db.example.org/liaison", {"PGSSLMODE": "disable"}, "verify-full"),
        ("postgresql://bot@db.example.org/liaison?sslmode=require", ALONE, "require"),
        ("postgresql://bot@127.0.0.1:5433/liaison", {}, "prefer"),
        ("postgresql://bot@[::1]/liaison", {}, "prefer"),
        ("postgresql://bot@localhost/liaison?sslmode=disable", {}, "disable"),
        ("postgresql:///liaison?host=/run/postgresql", {}, "prefer"),
        ("postgresql:///liaison", {}, "prefer"),
    ],
)
def test_servers_elsewhere_must_prove_who_they_are(
    url: str, environment: Mapping[str, str], mode: str
) -> None:
    assert read(url, environment).parameters["sslmode"] == mode


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require", "verify-ca"])
def test_less_than_that_is_refused_unless_said_twice(mode: str) -> None:
    with pytest.raises(ConfigError, match="LIAISON_STORE_INSECURE=1"):
        read(f"postgresql://bot@db.example.org/liaison?sslmode={mode}", {})


def test_without_an_authority_of_its_own_the_system_says_whom_to_trust(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    url = "postgresql://bot@db.example.org/liaison"

    assert read(url, {}).parameters["sslrootcert"] == "system"
    assert read(f"{url}?sslrootcert=/run/ca.crt", {}).parameters["sslrootcert"] == "/run/ca.crt"
    assert "sslrootcert" not in read(url, {"PGSSLROOTCERT": "/run/ca.crt"}).parameters


@pytest.mark.parametrize("word", ["service=one", "options=-csearch_path%3Dx", "target_session_attrs=any"])
def test_what_would_mean_another_server_or_session_is_refused(word: str) -> None:
    with pytest.raises(ConfigError, match=word.split("=", maxsplit=1)[0]):
        read(f"postgresql://bot@localhost/liaison?{word}", {})


def test_every_wait_has_an_end() -> None:
    parameters = read("postgresql://bot@localhost/liaison", {}).parameters

    waits = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    assert all(wait in str(parameters["options"]) for wait in waits)
    assert {"connect_timeout", "tcp_user_timeout", "keepalives_idle"} <= parameters.keys()


def test_the_password_is_in_no_text() -> None:
    address = read("postgresql://bot:canary-1@localhost/liaison", {})

    assert address.password == Secret("canary-1")
    assert "canary-1" not in repr(address) + str(address) + str(dict(address.parameters))


def test_a_password_of_the_environment_comes_before_that_of_the_address() -> None:
    address = read("postgresql://bot:canary-1@localhost/liaison", {}, Secret("canary-2"))

    assert address.password == Secret("canary-2")


@pytest.mark.parametrize("url", ["postgresql://bot:canary-1@[/x", "postgresql://bot:canary-1@h/d?canary-2=3"])
def test_an_address_that_cannot_be_read_is_not_quoted(url: str) -> None:
    with pytest.raises(ConfigError, match=r"must look like postgresql://user@host1,host2/liaison") as refused:
        read(url, {})

    assert "canary" not in str(refused.value)
