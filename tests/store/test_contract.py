"""Every backend keeps the contract of stores."""

from tests.store import (
    contract,
    contract_asking,
    contract_budgets,
    contract_deliveries,
    contract_findings,
    contract_histories,
    contract_keeping,
    contract_ledger,
    contract_posts,
    contract_replicas,
    contract_subscriptions,
)


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


class TestRemembering(contract_findings.Remembering):
    pass


class TestSpending(contract_budgets.Spending):
    pass


class TestSubscribing(contract_subscriptions.Subscribing):
    pass


class TestBeginning(contract_subscriptions.Beginning):
    pass


class TestLeasing(contract_deliveries.Leasing):
    pass


class TestPosting(contract_ledger.Posting):
    pass


class TestReplacing(contract_posts.Replacing):
    pass


class TestChanging(contract_ledger.Changing):
    pass


class TestMarking(contract_ledger.Marking):
    pass


class TestAsking(contract_asking.Asking):
    pass


class TestForgetting(contract_keeping.Forgetting):
    pass


class TestDeciding(contract_keeping.Deciding):
    pass


class TestKnowingReaders(contract_keeping.KnowingReaders):
    pass


class TestHeadsOfMoments(contract_keeping.HeadsOfMoments):
    pass


class TestDeliveryHistories(contract_histories.Histories):
    pass


class TestKeeping(contract_replicas.Keeping):
    pass


class TestTurning(contract_replicas.Turning):
    pass


class TestLeasesOfReplicas(contract_replicas.Leasing):
    pass


class TestRenaming(contract_replicas.Renaming):
    pass
