"""Where a PostgreSQL store is and how it may be reached: over verified TLS, unless on this machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from bot.errors import ConfigError
from bot.secret import Secret

FORM = "postgresql://user@host1,host2/liaison"
INSECURE = "LIAISON_STORE_INSECURE"

# Every wait has an end: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
_WAITS = {
    "connect_timeout": 3,  # seconds, for each host
    "tcp_user_timeout": 10_000,  # milliseconds until sent data must be acknowledged
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
_SESSION = {
    "statement_timeout": 60_000,  # milliseconds
    "lock_timeout": 10_000,
    "idle_in_transaction_session_timeout": 60_000,
    "client_min_messages": "warning",
}
_VERIFIED = "verify-full"
_REFUSED = {  # what would make this address mean another, or a session another
    "service": "write the hosts into the address",
    "servicefile": "write the hosts into the address",
    "options": "leave it out",
    "target_session_attrs": "leave it out; Liaison finds the primary itself",
    "replication": "leave it out",
    "client_encoding": "leave it out",
}


@dataclass(frozen=True)
class Address:
    """What a session needs, without the password in any text."""

    parameters: Mapping[str, str | int]
    password: Secret | None = None

    def __repr__(self) -> str:
        return f"Address({self.parameters.get('host', '')})"


def read(url: str, environment: Mapping[str, str], password: Secret | None = None) -> Address:
    """Read an address and what the environment adds to it. Raises ConfigError with every mistake."""
    try:
        said = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    except psycopg.Error:  # its text quotes the address, which may hold a password
        raise ConfigError([f"The store's address cannot be read: it must look like {FORM}."]) from None
    mistakes = [
        f"The store's address: {name} is not possible; {advice}."
        for name, advice in _REFUSED.items()
        if name in said
    ]
    own = said.pop("password", None)
    places = _places(said, environment)
    parameters = {**_WAITS, "application_name": "liaison", "gssencmode": "disable", **said, "host": places}
    parameters |= _tls(
        said,
        _is_local(places, said.get("hostaddr") or environment.get("PGHOSTADDR", "")),
        environment,
        mistakes,
    )
    if mistakes:
        raise ConfigError(mistakes)
    settings = " ".join(f"-c {name}={value}" for name, value in _SESSION.items())
    return Address(parameters | {"options": settings}, password or (Secret(own) if own else None))


def _places(said: Mapping[str, str], environment: Mapping[str, str]) -> str:
    return (
        said.get("host") or environment.get("PGHOST") or ("" if "hostaddr" in said else "/var/run/postgresql")
    )


def _tls(
    said: Mapping[str, str], is_local: bool, environment: Mapping[str, str], mistakes: list[str]
) -> dict[str, str]:
    """How far the server must prove who it is; less than all only on purpose, said twice."""
    mode = said.get("sslmode") or ("prefer" if is_local else _VERIFIED)
    if mode != _VERIFIED and not is_local and environment.get(INSECURE) != "1":
        mistakes.append(
            f"The store's address: sslmode={mode} lets others read and change what is stored; leave it out,"
            f" or set {INSECURE}=1 if the network is yours alone."
        )
    if mode != _VERIFIED or "sslrootcert" in said or environment.get("PGSSLROOTCERT"):
        return {"sslmode": mode}
    if (Path.home() / ".postgresql" / "root.crt").exists():
        return {"sslmode": mode}
    return {"sslmode": mode, "sslrootcert": "system"}


def _is_local(hosts: str, addresses: str) -> bool:
    return all(_is_loopback(each) for each in [*hosts.split(","), *addresses.split(",")] if each)


def _is_loopback(place: str) -> bool:
    if place.startswith(("/", "@")) or place == "localhost":
        return True
    try:
        return ip_address(place).is_loopback
    except ValueError:
        return False
