"""Every backend keeps the contract of stores."""

from tests.store import contract


class TestAdding(contract.Adding):
    pass


class TestLookingUp(contract.LookingUp):
    pass


class TestFiles(contract.Files):
    pass


class TestRemarking(contract.Remarking):
    pass


class TestReading(contract.Reading):
    pass


class TestClaiming(contract.Claiming):
    pass
