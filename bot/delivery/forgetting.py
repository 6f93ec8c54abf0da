"""Forgetting: the log of changes, as far as everybody who reads it has come."""

from bot.deliveries import ENDED
from bot.delivery.changed import changes_mark
from bot.delivery.corrections import READ_UPTO
from bot.services import Store
from bot.subscriptions import Purpose

AT_ONCE = 5_000  # changes
MOST_OPEN = 1_000  # deliveries that are looked at


async def forget_changes(store: Store) -> int:
    """Delete a portion of what corrections and all digests have passed; gives how many changes that was."""
    channels = {
        each.subscription.channel
        for each in await store.subscriptions()
        if each.subscription.purpose is Purpose.DIGEST
    }
    for each in await store.deliveries(most=MOST_OPEN):
        if each.state not in ENDED:  # before it is posted it looks for what changed meanwhile
            channels.add(each.channel)
    marks = [READ_UPTO, *(changes_mark(channel) for channel in sorted(channels))]
    return await store.forget_changes(marks, most=AT_ONCE)
