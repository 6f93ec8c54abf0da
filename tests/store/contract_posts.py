"""What every store must do for posts that change hands: intents, growing answers, what is deleted."""

from bot.deliveries import INTENDED
from tests.store.contract import Backend
from tests.store.contract_ledger import change, post


class Replacing:
    """Contract of `replace_post` and `post`, and of what `record_post` forgets."""

    async def test_what_is_deleted_takes_no_place_from_others(self, backend: Backend) -> None:
        store = await backend.open()
        await store.record_post(post(1, 1))
        for number in range(2, 2_100):
            await store.record_post(post(number, number))
            await store.record_post(post(number, state="deleted"))

        assert await store.posts(most=10_000) == [post(1, 1)]

    async def test_intents_make_room_like_other_posts(self, backend: Backend) -> None:
        store = await backend.open()
        for number in range(2_004):
            await store.record_post(post(number, number, ts=f"{INTENDED}{number}", state="intended"))

        assert len(await store.posts(most=10_000)) == 2_000
        assert await store.posts(showing=[change(3)]) == []

    async def test_a_post_is_found_by_its_message(self, backend: Backend) -> None:
        store = await backend.open()
        await store.record_post(post(1, 1))

        assert await store.post("C0ONE", post(1).ts) == post(1, 1)
        assert await store.post("C0TWO", post(1).ts) is None

    async def test_an_intent_becomes_a_message_with_all_it_shows(self, backend: Backend) -> None:
        store = await backend.open()
        intent = post(1, 1, 2, ts=f"{INTENDED}n", state="intended", nonce="n")
        await store.record_post(intent)
        arrived = post(1, 2, 3, nonce="n")

        assert await store.replace_post(intent, arrived)

        assert await store.posts() == await store.posts(showing=[change(2)]) == [arrived]
        assert await store.posts(showing=[change(3)]) == [arrived]
        assert await store.posts(showing=[change(1)]) == []

    async def test_nobody_overwrites_what_others_wrote_meanwhile(self, backend: Backend) -> None:
        store = await backend.open()
        old, doubted, other = post(1, 1), post(1, 1, state="doubted"), post(2, 2)
        await store.record_post(doubted)
        await store.record_post(other)

        assert not await store.replace_post(old, post(1, 5))
        assert not await store.replace_post(doubted, post(2, 5))
        assert not await store.replace_post(post(7), post(7, 5))

        assert await store.posts() == [other, doubted]
        assert await store.posts(showing=[change(5)]) == []

    async def test_what_is_deleted_in_its_place_is_gone(self, backend: Backend) -> None:
        store = await backend.open()
        await store.record_post(post(1, 1))

        assert await store.replace_post(post(1, 1), post(1, state="deleted"))

        assert await store.posts() == await store.posts(showing=[change(1)]) == []
