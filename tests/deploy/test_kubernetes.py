"""The Kubernetes objects: restricted, probed where the bot answers, closed but for what is needed."""

from typing import Any

import pytest

from bot.app import LIFE_PATH
from bot.delivery import corrections, office
from bot.slack import work
from tests.deploy.described import DEPLOY, OWNER_AND_GROUP_MAY_READ, compose, kind, objects, pods

PODS = {pod["containers"][0]["name"]: pod for pod in pods()}


def names(of: str) -> set[str]:
    return {each["metadata"]["name"] for each in kind(of)}


def test_every_file_is_applied_and_every_object_is_in_the_namespace() -> None:
    [kustomization] = kind("Kustomization")
    files = {path.name for path in (DEPLOY / "kubernetes").glob("*.yaml")} - {"kustomization.yaml"}

    assert set(kustomization["resources"]) == files
    [namespace] = names("Namespace")
    for each in objects():
        if each["kind"] not in ("Namespace", "Kustomization"):
            assert each["metadata"]["namespace"] == namespace == kustomization["namespace"]


def test_the_namespace_takes_nothing_that_is_not_restricted() -> None:
    [namespace] = kind("Namespace")

    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize("name", sorted(PODS))
def test_a_pod_is_restricted(name: str) -> None:
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted"""
    pod = PODS[name]
    [container] = pod["containers"]

    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"].keys() == {"cpu", "memory"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    assert not any("hostPath" in volume for volume in pod["volumes"])


@pytest.mark.parametrize("name", sorted(PODS))
def test_a_pod_mounts_what_it_has_and_reads_only_closed_secrets(name: str) -> None:
    pod = PODS[name]
    [container] = pod["containers"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}

    assert {mount["name"] for mount in container["volumeMounts"]} == volumes.keys()
    assert volumes["secrets"]["projected"]["defaultMode"] == OWNER_AND_GROUP_MAY_READ
    [ca] = volumes["store-ca"]["secret"]["items"]  # the operator keeps the key of its CA beside it
    assert ca["key"] == "ca.crt"
    [secrets] = [mount for mount in container["volumeMounts"] if mount["name"] == "secrets"]
    environment = {each["name"]: each["value"] for each in container["env"]}
    assert environment["CREDENTIALS_DIRECTORY"] == secrets["mountPath"]
    assert not any("valueFrom" in each for each in container["env"])  # secrets are files


@pytest.mark.parametrize("probe", ["startupProbe", "readinessProbe", "livenessProbe"])
def test_probes_ask_whether_the_bot_lives_and_not_whether_the_store_does(probe: str) -> None:
    """A lost primary would take all replicas out at once, and restart them for nothing."""
    [container] = PODS["bot"]["containers"]

    assert container[probe]["httpGet"] == {"path": LIFE_PATH, "port": "http"}
    assert container["ports"] == [{"name": "http", "containerPort": 3000}]


def test_replicas_are_replaced_one_by_one_and_stopped_gracefully() -> None:
    [deployment] = kind("Deployment")
    [budget] = kind("PodDisruptionBudget")
    [container] = PODS["bot"]["containers"]
    pause = float(container["lifecycle"]["preStop"]["exec"]["command"][1])
    needed = pause + 2 * work.DRAIN_SECONDS + office.CLOSE_SECONDS + corrections.CLOSE_SECONDS + 10.0

    assert deployment["spec"]["replicas"] >= 2
    assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert budget["spec"]["minAvailable"] < deployment["spec"]["replicas"]
    assert PODS["bot"]["terminationGracePeriodSeconds"] >= needed


def test_selectors_find_what_they_mean() -> None:
    [deployment] = kind("Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    [service] = kind("Service")
    [budget] = kind("PodDisruptionBudget")

    for selector in (
        deployment["spec"]["selector"]["matchLabels"],
        service["spec"]["selector"],
        budget["spec"]["selector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()
    [job] = kind("Job")
    assert not service["spec"]["selector"].items() <= job["spec"]["template"]["metadata"]["labels"].items()


def test_slack_comes_in_at_one_path_by_tls() -> None:
    [ingress] = kind("Ingress")
    [rule] = ingress["spec"]["rules"]
    [path] = rule["http"]["paths"]

    assert (path["path"], path["pathType"]) == ("/slack/events", "Exact")
    assert ingress["spec"]["tls"][0]["hosts"] == [rule["host"]]
    assert path["backend"]["service"]["name"] in names("Service")


def policies() -> dict[str, Any]:
    return {each["metadata"]["name"]: each["spec"] for each in kind("NetworkPolicy")}


def test_nothing_is_open_that_is_not_named() -> None:
    assert policies()["nothing"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_the_store_is_reached_by_liaison_and_its_own_only() -> None:
    [cluster] = kind("Cluster")
    store = policies()["store"]

    assert store["podSelector"]["matchLabels"] == {"cnpg.io/cluster": cluster["metadata"]["name"]}
    sources = [source for rule in store["ingress"] for source in rule["from"]]
    assert sources
    assert not any("ipBlock" in source or source.get("podSelector") == {} for source in sources)
    assert all(rule["ports"] for rule in store["ingress"])


def test_the_bot_calls_out_by_https_only_and_not_into_the_house() -> None:
    [outside, store] = policies()["bot"]["egress"]

    assert outside["ports"] == [{"protocol": "TCP", "port": 443}]
    assert "169.254.0.0/16" in outside["to"][0]["ipBlock"]["except"]  # where clouds keep their credentials
    assert store["ports"] == [{"protocol": "TCP", "port": 5432}]


def test_the_cluster_loses_no_acknowledged_write_with_any_one_node() -> None:
    [cluster] = kind("Cluster")

    assert cluster["spec"]["instances"] == 3
    assert cluster["spec"]["postgresql"]["synchronous"] == {
        "method": "any",
        "number": 1,
        "dataDurability": "required",
    }
    assert cluster["spec"]["enableSuperuserAccess"] is False


def test_kubernetes_and_compose_say_the_same_to_the_bot() -> None:
    [container] = PODS["bot"]["containers"]
    service = compose()["services"]["bot"]

    assert container["args"] == service["command"]
    assert {each["name"] for each in container["env"]} == service["environment"].keys()


def test_the_store_keeps_statements_out_of_its_log_everywhere() -> None:
    """Their texts hold what somebody asked about."""
    [cluster] = kind("Cluster")
    patroni = (DEPLOY / "postgresql" / "patroni.yml").read_text(encoding="utf-8")

    for name, value in (("log_min_error_statement", "panic"), ("log_error_verbosity", "terse")):
        assert cluster["spec"]["postgresql"]["parameters"][name] == value
        assert f"{name}: {value}" in patroni
