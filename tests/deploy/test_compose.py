"""compose.yaml: what each container may do and reach, and that its parts fit the code and one another."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner

from bot.__main__ import cli
from bot.delivery import corrections, office
from bot.settings import read_store
from bot.slack import bolt, verify, work
from bot.store import postgres_address
from tests.deploy.described import DEPLOY, ROOT, bot_containers, compose, instructions

SERVICES = sorted(compose()["services"])
NUMBERS = {
    "liaison": "10001",
    "liaison-postgresql": "10002",
    "liaison-etcd": "10002",
    "liaison-proxy": "10003",
}
MADE_BY_OPERATORS = {"SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"}


def seconds(words: str) -> float:
    return float(words.removesuffix("s"))


def mounted(service: str) -> set[str]:
    """The files in its /run/secrets."""
    given = compose()["services"][service].get("secrets", [])
    return {each if isinstance(each, str) else each["target"] for each in given}


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_has_no_rights_and_no_writable_root(name: str) -> None:
    service = compose()["services"][name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"] == f"{NUMBERS[service['image']]}:{NUMBERS[service['image']]}"
    assert not {"privileged", "cap_add", "pid", "ipc", "network_mode", "devices"} & service.keys()
    assert not any("docker.sock" in str(volume) for volume in service.get("volumes", []))


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_has_limits_and_comes_back(name: str) -> None:
    service = compose()["services"][name]

    assert {"cpus", "mem_limit", "pids_limit"} <= service.keys()
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")


def test_store_and_votes_are_on_no_network_that_leads_out() -> None:
    networks = compose()["networks"]
    inward = {name for name, network in networks.items() if network.get("internal")}

    for name in ("db1", "db2", "etcd1", "etcd2", "etcd3", "migrate"):
        assert set(compose()["services"][name]["networks"]) <= inward, name
    assert [name for name, each in compose()["services"].items() if "ports" in each] == ["proxy"]
    assert not set(compose()["services"]["proxy"]["networks"]) & {"store", "quorum"}
    assert not set(compose()["services"]["bot"]["networks"]) & {"quorum"}


def test_there_are_two_replicas_two_databases_and_a_majority_of_three() -> None:
    services = compose()["services"]

    assert services["bot"]["deploy"]["replicas"] == 2
    assert sum(each["image"] == "liaison-postgresql" for each in services.values()) == 2
    members = services["etcd1"]["environment"]["ETCD_INITIAL_CLUSTER"].split(",")
    assert [member.partition("=")[0] for member in members] == ["etcd1", "etcd2", "etcd3"]
    assert {member.partition("=")[0] for member in members} <= services.keys()


@pytest.mark.parametrize("name", SERVICES)
def test_every_secret_is_a_file_that_is_made_or_told_of(name: str) -> None:
    script = (DEPLOY / "first-secrets").read_text(encoding="utf-8")
    declared = compose()["secrets"]
    given = compose()["services"][name].get("secrets", [])

    for each in given:
        file = Path(declared[each if isinstance(each, str) else each["source"]]["file"])
        assert file.parts[0] == "secrets"
        stem = file.stem if file.suffix in (".crt", ".key") else file.name
        assert re.search(rf"\b{re.escape(stem)}\b", script), file


def test_every_secret_is_used() -> None:
    used = {
        each if isinstance(each, str) else each["source"]
        for service in compose()["services"].values()
        for each in service.get("secrets", [])
    }

    assert used == compose()["secrets"].keys()


@pytest.mark.parametrize("name", ["db1", "db2"])
def test_the_scripts_of_a_database_read_only_secrets_that_it_has(name: str) -> None:
    texts = [
        (DEPLOY / "postgresql" / file).read_text(encoding="utf-8")
        for file in ("patroni.yml", "post_init", "start")
    ]
    read = {found for text in texts for found in re.findall(r"/run/secrets/([\w.-]+)", text)}
    read |= set(re.findall(r"\$\(secret (\w+)\)", texts[2]))

    assert read == mounted(name)


def test_both_ends_get_the_same_passwords() -> None:
    script = (DEPLOY / "first-secrets").read_text(encoding="utf-8")
    secrets = compose()["secrets"]

    for role, source in (("liaison_bot", "LIAISON_STORE_PASSWORD"), ("liaison_owner", "owner-password")):
        ours = Path(secrets[source]["file"]).relative_to("secrets")
        assert f'password "$folder/store/{role}" "$folder/{ours}"' in script


def test_the_bot_has_time_to_finish_what_is_under_way() -> None:
    """Drained twice, couriers and corrections put down, services and store closed."""
    needed = 2 * work.DRAIN_SECONDS + office.CLOSE_SECONDS + corrections.CLOSE_SECONDS + 10.0

    assert seconds(compose()["services"]["bot"]["stop_grace_period"]) >= needed


def test_the_proxy_has_time_to_stop() -> None:
    text = (DEPLOY / "proxy" / "haproxy.cfg").read_text(encoding="utf-8")
    [hard] = re.findall(r"hard-stop-after (\d+)s", text)

    assert seconds(compose()["services"]["proxy"]["stop_grace_period"]) > float(hard)


def test_the_proxy_refuses_what_the_bot_would_refuse_and_waits_longer_than_it() -> None:
    text = (DEPLOY / "proxy" / "haproxy.cfg").read_text(encoding="utf-8")

    assert f"gt {verify.MAX_BODY_BYTES} }}" in text
    [server] = re.findall(r"timeout server (\d+)s", text)
    assert float(server) > bolt.DISPATCH_SECONDS
    assert "retry-on" not in text  # what a bot may have taken is not sent to another


@pytest.mark.parametrize("container", bot_containers(), ids=lambda each: " ".join(each["arguments"][:2]))
def test_what_a_container_runs_is_a_command_there_is(container: dict[str, list[str]]) -> None:
    done = CliRunner().invoke(cli, [*container["arguments"], "--help"])

    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("container", bot_containers(), ids=lambda each: " ".join(each["arguments"][:2]))
def test_the_store_is_reached_by_tls_that_is_verified_and_in_the_right_role(
    container: dict[str, dict[str, str]],
) -> None:
    address = urlsplit(container["environment"]["LIAISON_STORE"])
    migrates = "migrate" in container["arguments"]

    assert address.scheme == "postgresql"
    assert address.username == ("liaison_owner" if migrates else "liaison_bot")
    assert address.password is None
    options = parse_qs(address.query)
    assert options["sslmode"] == ["verify-full"]
    assert options["sslrootcert"][0].endswith("ca.crt")


def read_by_code() -> set[str]:
    """Names of environment variables that stand in the code, or in click's options."""
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "bot").rglob("*.py")]
    return {found for text in texts for found in re.findall(r'"([A-Z][A-Z0-9_]{4,})"', text)}


@pytest.mark.parametrize("container", bot_containers(), ids=lambda each: " ".join(each["arguments"][:2]))
def test_every_variable_and_secret_is_one_that_the_code_reads(container: dict[str, dict[str, str]]) -> None:
    ours = {name for name, _ in _image_environment() if name.startswith("LIAISON")}
    secrets = {name for name in mounted("bot") | mounted("migrate") if name.isupper()}

    assert container["environment"].keys() | ours | secrets <= read_by_code()


def _image_environment() -> Iterator[tuple[str, str]]:
    for word, rest in instructions(DEPLOY / "Dockerfile"):
        if word == "ENV":
            for pair in rest.split():
                name, _, value = pair.partition("=")
                yield name, value


def test_the_bot_takes_the_environment_that_compose_gives_it() -> None:
    environment = compose()["services"]["bot"]["environment"]

    assert read_store(environment).stale_seconds > 0
    address = postgres_address.read(environment["LIAISON_STORE"], environment)
    assert address.parameters["host"] == "db1,db2"
