"""Traffic Light Protocol 2.0 and PAP: the labels, their order, and their spellings in STIX and MISP.

TLP: https://www.first.org/tlp/  PAP: https://www.misp-project.org/taxonomies.html#_pap
"""

import re
from collections.abc import Iterable
from enum import IntEnum

from bot.errors import InputError


class Label(IntEnum):
    """A TLP 2.0 label; a greater value is stricter (the order is ours, TLP defines none)."""

    CLEAR = 0
    GREEN = 1
    AMBER = 2
    AMBER_STRICT = 3
    RED = 4

    def __str__(self) -> str:
        return "TLP:" + self.name.replace("_", "+")


class Pap(IntEnum):
    """Permissible Actions Protocol: what may be *done* with the data; a greater value permits less."""

    CLEAR = 0
    GREEN = 1
    AMBER = 2
    RED = 3

    def __str__(self) -> str:
        return "PAP:" + self.name


UNMARKED = Label.AMBER_STRICT  # what data without a label gets, unless its source's agreement says otherwise

# `tlp:amber+strict` (MISP), `amber+strict` (STIX tlp_2_0), `TLP:AMBER+STRICT` (FIRST), `TLP 2.0 AMBER` never.
# White space around is forgiven, nothing else is: an unread label must quarantine, not guess.
_TLP = re.compile(r"(?:tlp:)?(white|clear|green|amber\+strict|amber|red)", re.ASCII | re.IGNORECASE)
_PAP = re.compile(r"(?:pap:)?(white|clear|green|amber|red)", re.ASCII | re.IGNORECASE)

# https://docs.oasis-open.org/cti/stix/v2.1/ (TLP 1.0) and the TLP 2.0 extension of STIX common objects;
# the last one is OpenCTI's own AMBER+STRICT, which would otherwise read as unmarked.
STIX_MARKINGS = {
    "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": Label.CLEAR,
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": Label.GREEN,
    "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": Label.AMBER,
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": Label.RED,
    "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487": Label.CLEAR,
    "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb": Label.GREEN,
    "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421": Label.AMBER,
    "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003": Label.AMBER_STRICT,
    "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1": Label.RED,
    "marking-definition--826578e1-40ad-459f-bc73-ede076f81f37": Label.AMBER_STRICT,
}


def parse(text: str) -> Label:
    """Read a label in any spelling of TLP 1.0 or 2.0. Raises InputError for anything else."""
    found = _TLP.fullmatch(text.strip())
    if found is None:
        raise InputError(f"not a TLP label; use one of {', '.join(map(str, Label))}")
    return Label[found[1].upper().replace("WHITE", "CLEAR").replace("+", "_")]


def parse_pap(text: str) -> Pap:
    """Read a PAP level in any spelling. Raises InputError for anything else."""
    found = _PAP.fullmatch(text.strip())
    if found is None:
        raise InputError(f"not a PAP level; use one of {', '.join(map(str, Pap))}")
    return Pap[found[1].upper().replace("WHITE", "CLEAR")]


def strictest(labels: Iterable[Label]) -> Label:
    """The label that counts when several stand on one thing; CLEAR for none."""
    return max(labels, default=Label.CLEAR)


def permitted_by_default(label: Label) -> Pap:
    """The PAP level that data without one is treated as having."""
    return {Label.CLEAR: Pap.GREEN, Label.GREEN: Pap.AMBER}.get(label, Pap.RED)
