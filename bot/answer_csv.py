"""Answers as CSV."""

from bot.chat import Lookup


def as_csv(reply: Lookup) -> str:
    """One line an indicator and service."""
    return f"{reply.cleared.label}\n" + "\n".join(
        f"{entry.indicator.value},{finding.title},{finding.outcome}"
        for entry in reply.entries
        for finding in entry.findings
    )
