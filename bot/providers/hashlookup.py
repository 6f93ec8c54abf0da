"""CIRCL hashlookup: files that operating systems and software packages bring, by their hash."""

from typing import Any

from bot.findings import Outcome, Report
from bot.indicators import Indicator, Kind
from bot.providers.fields import facts, hexadecimal, mapping, number, text
from bot.providers.options import Options, as_run
from bot.providers.remote import Reply, Request, decoded, refuse_errors
from bot.providers.spec import Budget, NoAnswerError, Spec
from bot.tlp import Label
from bot.verdicts import Verdict

BASE_URL = "https://hashlookup.circl.lu"
SPEC = Spec(
    name="hashlookup",
    title="CIRCL hashlookup",
    kinds=frozenset({Kind.MD5, Kind.SHA1, Kind.SHA256}),
    operators=frozenset({"circl"}),
    # Its software shows everybody the hashes that are asked for most, also unknown ones (/stats/top), and
    # can publish every question as it comes. Whether this instance does is not known, so it counts as if.
    # An operator who knows more may allow TLP:GREEN; what must not leave is for `hashlookup-offline`.
    ceiling=Label.CLEAR,
    publishes=True,
    label=Label.CLEAR,
    budget=Budget(per_minute=120),  # no number is published, "best effort": a list of 100 at once is polite
)

TRUSTED_ABOVE = 50  # of 100; every source that knows the file adds to it

_FIELDS = {Kind.MD5: ("MD5", 32), Kind.SHA1: ("SHA-1", 40), Kind.SHA256: ("SHA-256", 64)}


class Hashlookup:
    """The collection as a `remote.Service`; https://www.circl.lu/services/hashlookup/ says how it talks."""

    def __init__(self, options: Options) -> None:
        self.spec = as_run(SPEC, options)

    def request(self, indicator: Indicator) -> Request:
        """Ask for one file; nobody needs a key."""
        path = f"/lookup/{indicator.kind}/{indicator.value}"
        return Request(path=path, headers={"Accept": "application/json"})

    def read(self, indicator: Indicator, reply: Reply) -> Report | None:
        """What is known of the file. Raises NoAnswerError."""
        refuse_errors(reply)
        answer = decoded(reply)
        # Only its own 404 means absence; one without its message comes from something in between.
        if reply.status == 404 and text(answer.get("message")) is not None:
            return None
        if reply.status == 404 or not _is_about(indicator, answer):
            raise NoAnswerError(Outcome.BAD_ANSWER)
        return _report(answer)


def _is_about(indicator: Indicator, answer: dict[str, Any]) -> bool:
    """Whether a record is of the file that was asked for, which may be vouched for.

    Older records do not hold all three hashes, but each holds one.
    """
    said = {kind: hexadecimal(answer.get(name), digits) for kind, (name, digits) in _FIELDS.items()}
    return said[indicator.kind] == indicator.value if said[indicator.kind] else any(said.values())


def _report(answer: dict[str, Any]) -> Report:
    trust = number(answer.get("hashlookup:trust"))
    product, system = mapping(answer.get("ProductCode")), mapping(answer.get("OpSystemCode"))
    size = number(answer.get("FileSize"))
    packages = number(answer.get("hashlookup:parent-total"))
    return Report(
        verdict=_verdict(answer, trust),
        score=None if trust is None else f"trust {trust}",
        facts=facts(
            ("known as malicious by", _condemned_by(answer)),
            ("file name", text(answer.get("FileName"))),
            ("size", None if size is None else f"{size} bytes"),
            ("package", text(answer.get("PackageName"))),
            ("package version", text(answer.get("PackageVersion"))),
            ("product", text(product.get("ProductName"))),
            ("product version", text(product.get("ProductVersion"))),
            ("system", text(system.get("OpSystemName"))),
            ("packages with this file", None if packages is None else str(packages)),
            ("database", text(answer.get("db"))),
            ("source", text(answer.get("source"))),
        ),
    )


def _verdict(answer: dict[str, Any], trust: int | None) -> Verdict:
    """Known to be malicious beats trust: records with both, and a trust of 100, exist."""
    if answer.get("KnownMalicious"):
        return Verdict.SUSPICIOUS
    is_trusted = trust is not None and TRUSTED_ABOVE < trust <= 100
    return Verdict.BENIGN if is_trusted else Verdict.UNKNOWN


def _condemned_by(answer: dict[str, Any]) -> str | None:
    condemned = answer.get("KnownMalicious")
    return (text(condemned) or "a source it does not name") if condemned else None
