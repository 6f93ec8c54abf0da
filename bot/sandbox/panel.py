"""The page's panel of external services: how each of them works now, and how often it was asked."""

from typing import Any

from bot.sandbox.services import Fakes, Trouble

STATES = {
    "works": None,
    "slow": Trouble.SLOW,
    "silent": Trouble.HUNG,
    "used up": Trouble.QUOTA,
    "down": Trouble.SERVER_ERROR,
    "garbage": Trouble.HTML,
}


def shown(fakes: Fakes | None) -> list[dict[str, Any]]:
    """Every service as the page draws it; nothing without any."""
    if fakes is None:
        return []
    names = {trouble: name for name, trouble in STATES.items()}
    return [
        {
            "name": fake.name,
            "title": fake.title,
            "state": names.get(fake.trouble, "works"),
            "states": list(STATES),
            "asked": len(fake.calls),
        }
        for fake in fakes.all
    ]


def turn(fakes: Fakes | None, name: str, state: str) -> None:
    """Have a service work like that from now on. Raises KeyError."""
    if fakes is None:
        raise KeyError(name)
    fakes[name].trouble = STATES[state]
