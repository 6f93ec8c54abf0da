"""Leases: what one replica does while the others leave it alone. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Lease:
    """Who does something now, as one replica sees it.

    Ours, or somebody else's for so many seconds more, or nobody's: then `note` is what the last one left.
    """

    is_ours: bool = False
    seconds: float = 0.0
    note: str = ""

    @property
    def is_free(self) -> bool:
        """Whether nobody does it."""
        return not self.is_ours and self.seconds <= 0
