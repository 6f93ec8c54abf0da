"""Every backend keeps the contract of stores."""

from tests.store import contract, contract_enrichment


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


class TestRemembering(contract_enrichment.Remembering):
    pass


class TestSpending(contract_enrichment.Spending):
    pass
