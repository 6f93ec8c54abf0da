"""Settings of the whole suite, and a guard: no test writes or logs a key or a marked value."""

from collections.abc import Generator

import pytest
from hypothesis import settings

from tests.postgres.fixtures import postgres, postgres_binaries, postgres_cluster

__all__ = ["postgres", "postgres_binaries", "postgres_cluster"]  # fixtures for whoever asks

# A busy machine is no failure: pytest-timeout bounds the time. The parent is hypothesis' own, also in CI.
settings.register_profile("liaison", parent=settings(), deadline=None)
settings.load_profile("liaison")

CANARY = (
    "canary"  # stands in every key of the fake services, and in values that tests look up to be seen in logs
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that leaves a canary in its output or, at level DEBUG, in its log."""
    report = yield
    sung = [title for title, text in report.sections if CANARY in text.casefold()]
    if sung and report.passed:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: a key or a marked value stands in {', '.join(sung)}"
    return report
