"""How every benchmark ends: the bars that were missed, or that all of them hold."""

from collections.abc import Sequence


def verdict(missed: Sequence[str], width: int = 16) -> list[str]:
    """The last lines of a benchmark, what was missed beginning at that column."""
    return [f"{'MISSED':{width}}{each}" for each in missed] or ["every bar holds"]


def ms(seconds: float) -> str:
    """A time as figures of benchmarks are written."""
    return f"{seconds * 1000:.1f} ms"
