"""The rules of the house, read off the code itself: who may import whom, and what stands once or never."""

import ast
from collections.abc import Callable, Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import click
import pytest

import commands
from bot.__main__ import cli
from bot.chat import Command
from bot.manifest import manifest

ROOT = Path(__file__).parents[1]
LONGEST_FILE = 400  # lines
LONG_FILES = {  # each with the reason why it is better as one piece
    "tests/store/contract.py": "the whole promise of a store, read by whoever writes another one",
}

CODE = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for folder in ("bot", "commands")
    for path in sorted((ROOT / folder).rglob("*.py"))
}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in CODE.items()}

# Words and rules: no network, no disk, no clock, no waiting; also none of it through a module they import.
PURE = (
    "bot.amends",
    "bot.answer_csv",
    "bot.answers",
    "bot.assertions",
    "bot.attachments",
    "bot.bitcoin",
    "bot.blockkit",
    "bot.blocks",
    "bot.budgets",
    "bot.cards",
    "bot.chat",
    "bot.checks",
    "bot.deliveries",
    "bot.delivery.deciding",
    "bot.delivery.edition",
    "bot.delivery.posting",
    "bot.delivery.retrying",
    "bot.digest_cards",
    "bot.digests",
    "bot.enquiries",
    "bot.enrichment.places",
    "bot.enrichment.shares",
    "bot.errors",
    "bot.export_formats",
    "bot.extraction",
    "bot.feeds.*",
    "bot.filenames",
    "bot.findings",
    "bot.forms",
    "bot.implied",
    "bot.indicators",
    "bot.layout",
    "bot.leases",
    "bot.manifest",
    "bot.organisations",
    "bot.postings",
    "bot.policy_cases",
    "bot.providers.abusech",
    "bot.providers.fields",
    "bot.providers.hashlookup",
    "bot.providers.malwarebazaar",
    "bot.providers.opentip",
    "bot.providers.options",
    "bot.providers.remote",
    "bot.providers.spec",
    "bot.providers.suspicious_objects",
    "bot.providers.threatfox",
    "bot.providers.urlhaus",
    "bot.providers.virustotal",
    "bot.refang",
    "bot.schedules",
    "bot.secret",
    "bot.service_lines",
    "bot.services",
    "bot.sharing",
    "bot.simulation.geography",
    "bot.simulation.judge",
    "bot.simulation.mornings",
    "bot.simulation.paper",
    "bot.simulation.played",
    "bot.simulation.policy",
    "bot.simulation.report",
    "bot.simulation.world",
    "bot.subscribing",
    "bot.subscriptions",
    "bot.summaries",
    "bot.summary_cards",
    "bot.telling",
    "bot.tlp",
    "bot.turns",
    "bot.urls",
    "bot.verdicts",
    "bot.well_known",
    "bot.written",
)
IMPURE = (
    "aiohttp",
    "asyncio",
    "concurrent",
    "http.client",
    "http.server",
    "httpx",
    "logging",
    "multiprocessing",
    "os",
    "random",
    "requests",
    "secrets",
    "shutil",
    "slack_bolt",
    "slack_sdk",
    "socket",
    "sqlite3",
    "sqlite_utils",
    "ssl",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "urllib.request",
)
READS_BUNDLED_DATA = "bot.domains"  # the list of top-level domains, once, from its own package

SESSIONS = {  # who may open connections
    "bot.bench.due",
    "bot.bench.enriching",
    "bot.bench.slash",
    "bot.providers.wire",
    "bot.sandbox.deliveries",
    "bot.slack.calls",
}
SENDS = {"bot.slack.outbox", "bot.slack.posts"}  # the two halves of the outbox: answers, and posts by itself
DEFANGS = {"bot.indicators", "bot.layout", "bot.blocks", "bot.cards"}  # and the command line


def imports(name: str) -> set[str]:
    """Everything a module imports, also inside functions; `from package import module` means the module."""
    found: set[str] = set()
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively"
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {one if one in CODE else str(node.module) for one in whole}
    return found


IMPORTS = {name: imports(name) for name in CODE}


def is_within(name: str, packages: Sequence[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def modules(*patterns: str) -> list[str]:
    """The modules that a list of names and `package.*` stands for."""
    return [
        name
        for name in CODE
        if any(name == one or (one.endswith(".*") and is_within(name, [one[:-2]])) for one in patterns)
    ]


def offenders(names: Sequence[str], forbidden: Sequence[str]) -> set[tuple[str, str]]:
    return {
        (name, imported) for name in names for imported in IMPORTS[name] if is_within(imported, forbidden)
    }


def where(wanted: Callable[[ast.AST], bool], names: Sequence[str] = tuple(CODE)) -> dict[str, list[int]]:
    """Module -> lines of the nodes wanted."""
    found = {
        name: [node.lineno for node in ast.walk(TREES[name]) if wanted(node) and hasattr(node, "lineno")]
        for name in names
    }
    return {name: lines for name, lines in found.items() if lines}


def called(node: ast.AST) -> str:
    """The last part of the name of what is called; "" for anything else."""
    if not isinstance(node, ast.Call):
        return ""
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


# Who may import whom.


def test_only_the_slack_package_imports_slack() -> None:
    others = [name for name in CODE if not is_within(name, ["bot.slack"])]

    assert not offenders(others, ["slack_sdk", "slack_bolt"])


def test_commands_know_words_and_rules_only() -> None:
    shell = ["bot.slack", "bot.store", "bot.sandbox", "bot.app", "bot.cli", "bot.bench", "bot.config"]

    assert not offenders(modules("commands.*"), [*shell, *IMPURE])


def test_only_the_entry_point_imports_commands() -> None:
    assert {name for name, _ in offenders(modules("bot.*"), ["commands"])} <= {"bot.__main__"}


@pytest.mark.parametrize("name", modules(*PURE))
def test_words_and_rules_do_nothing_but_compute(name: str) -> None:
    own = {imported for imported in IMPORTS[name] if is_within(imported, ["bot"])}

    assert not offenders([name], IMPURE)
    assert own <= {*modules(*PURE), READS_BUNDLED_DATA, "bot", "bot.feeds"}


@pytest.mark.parametrize("pattern", PURE)
def test_every_pure_module_named_here_exists(pattern: str) -> None:
    assert modules(pattern)


def test_the_sandbox_does_not_know_the_bot_that_it_is_a_slack_for() -> None:
    """A fake that shared our ideas of Slack would confirm them."""
    shared = {"bot.blockkit", "bot.errors"}  # the validator of Block Kit speaks for Slack
    outside = {
        (name, imported)
        for name in modules("bot.sandbox.*")
        for imported in IMPORTS[name]
        if is_within(imported, ["bot"]) and not is_within(imported, ["bot.sandbox"])
    }

    assert {(name, imported) for name, imported in outside if imported not in shared | {"bot"}} == set()


def test_the_judge_of_simulated_days_shares_nothing_with_the_bot_that_it_judges() -> None:
    known, waiting = set[str](), ["bot.simulation.judge"]
    while waiting:
        known.add(name := waiting.pop())
        waiting += [one for one in IMPORTS[name] if is_within(one, ["bot"]) and one not in known]

    assert {name for name in known if not is_within(name, ["bot.simulation"])} <= {"bot"}


def test_no_import_goes_in_a_circle() -> None:
    graph = {name: {one for one in IMPORTS[name] if one in CODE and one != name} for name in CODE}

    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


# What stands in one place only.


def test_only_the_release_policy_makes_cleared_answers() -> None:
    def makes(node: ast.AST) -> bool:
        by_copy = called(node) in ("replace", "__replace__", "convert") and isinstance(node, ast.Call)
        fields = (
            {keyword.arg for keyword in node.keywords} if isinstance(node, ast.Call) and by_copy else set()
        )
        return called(node) in ("Cleared", "Shown") or bool(fields & {"shown", "source_name"})

    assert where(makes).keys() == {"bot.sharing"}


def test_values_are_defanged_where_they_are_shown_only() -> None:
    def defangs(node: ast.AST) -> bool:
        return called(node) == "defang" or (isinstance(node, ast.Attribute) and node.attr == "defanged")

    assert where(defangs).keys() <= DEFANGS | set(modules("bot.cli.*"))


def test_only_the_outbox_sends_messages() -> None:
    methods = ("chat.", "views.", "files.")

    def sends(node: ast.AST) -> bool:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value.startswith(methods) and node.value.count(".") == 1
        return called(node).startswith(("chat_", "views_", "files_"))

    people = ["bot.sandbox", "bot.demo_check", "bot.simulation"]  # and Slack itself
    others = [name for name in CODE if not is_within(name, people)]
    assert where(sends, others).keys() == SENDS


def test_slack_is_called_through_one_module_only() -> None:
    assert where(lambda node: called(node) == "api_call").keys() == {"bot.slack.calls"}


def test_only_known_modules_open_connections() -> None:
    assert where(lambda node: called(node) == "ClientSession").keys() <= SESSIONS


def test_environment_is_read_where_settings_are_only() -> None:
    def reads(node: ast.AST) -> bool:
        return isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")

    assert where(reads).keys() <= {"bot.settings", *modules("bot.cli.*", "bot.bench.*")}


# What stands nowhere.


def test_no_xml_is_parsed() -> None:
    assert not offenders(list(CODE), ["xml", "lxml", "defusedxml", "html.parser"])


def test_no_text_becomes_code() -> None:
    def runs(node: ast.AST) -> bool:
        bare = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        shell = isinstance(node, ast.keyword) and node.arg == "shell"
        return shell or (bare and called(node) in ("eval", "exec", "compile", "__import__"))

    assert not where(runs)
    assert not offenders(list(CODE), ["pickle", "marshal", "shelve", "dill", "yaml"])
    assert not offenders([name for name in CODE if name not in modules("bot.bench.*")], ["subprocess"])
    assert not where(lambda node: called(node) in ("system", "popen", "literal_eval"))


def test_no_value_is_written_into_sql() -> None:
    """Bound parameters only: no f-string, %, + or format() where a statement is executed."""
    executing = ("execute", "executemany", "executescript", "query")

    def composes(node: ast.AST) -> bool:
        if not isinstance(node, ast.Call) or called(node) not in executing or not node.args:
            return False
        return isinstance(node.args[0], (ast.JoinedStr, ast.BinOp)) or called(node.args[0]) == "format"

    assert not where(composes)


def test_no_file_is_long_without_a_reason() -> None:
    lines = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for folder in ("bot", "commands", "tests")
        for path in (ROOT / folder).rglob("*.py")
    }

    assert {path for path, count in lines.items() if count > LONGEST_FILE} == LONG_FILES.keys()


def test_every_module_says_what_it_is() -> None:
    assert [name for name, tree in TREES.items() if not ast.get_docstring(tree)] == []


# What every command has.


@pytest.mark.parametrize("command", commands.ALL, ids=lambda command: command.verb)
def test_a_command_has_help_a_test_and_a_place_in_the_manifest(command: Command) -> None:
    assert command.usage.split()[0] == command.verb
    assert command.summary
    assert all(example.split()[0] == command.verb for example in command.examples)
    assert (ROOT / "tests" / "commands" / f"test_{command.verb}.py").exists()
    assert command.usage in str(manifest(commands.ALL))


def test_every_command_file_is_listed() -> None:
    files = {path.stem for path in (ROOT / "commands").glob("*.py")} - {"__init__"}

    assert files == {command.verb for command in commands.ALL}


def _subcommands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        for word, inner in command.commands.items():
            yield from _subcommands(inner, f"{name} {word}")


@pytest.mark.parametrize(
    ("name", "command"), list(_subcommands(cli, "liaison")), ids=lambda one: str(one)[:40]
)
def test_everything_on_the_command_line_is_explained(name: str, command: click.Command) -> None:
    assert command.help, name
    options = [one for one in command.params if isinstance(one, click.Option) and not one.hidden]
    assert [one.name for one in options if not one.help] == []


def test_every_subject_of_the_command_line_has_a_test() -> None:
    subjects = {name.rpartition(".")[2] for name in modules("bot.cli.*")} - {"cli", "context"}
    tests = {path.stem.removeprefix("test_") for path in (ROOT / "tests").rglob("test_*.py")}

    assert subjects <= tests
