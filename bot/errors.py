"""Errors whose text may be shown to anyone, partners included.

BotError
 +-- UsageError        the asker can fix it: wrong words, too much input, unknown verb
 +-- ConfigError       the operator can fix it: liaison.toml, environment, secret files
 +-- InputError        one item of an import cannot be read
 +-- UnavailableError  a part Liaison depends on does not answer now
"""


class BotError(Exception):
    """Something went wrong; its text says what to do next and is safe to show to a partner."""


class UsageError(BotError):
    """The request cannot be understood or is too large; the text says how to ask instead."""


class ConfigError(BotError):
    """The settings are wrong; `mistakes` holds every one of them, a sentence each."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class InputError(BotError):
    """One item of a file cannot be taken; the text says why, without quoting hidden data."""


class UnavailableError(BotError):
    """A part Liaison needs did not answer in time; the text says when to try again."""
