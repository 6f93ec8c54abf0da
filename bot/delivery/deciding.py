"""Deciding: what an operator does about a delivery that Liaison gave up, or of which it is not sure. Pure."""

from collections.abc import Sequence

from bot.deliveries import ENDED, Delivery, State
from bot.errors import UsageError
from bot.subscriptions import Purpose


def waiting(deliveries: Sequence[Delivery], purpose: Purpose) -> Delivery:
    """The latest of that purpose that waits for an operator, of a channel's, newest first.

    What was given up before another one was delivered does not wait: that one made up for it, unless a part
    of it stands there already. Raises UsageError.
    """
    mine = [each for each in deliveries if each.purpose is purpose]
    if mine and mine[0].state not in ENDED:
        raise UsageError(f"A {purpose} is on its way in this channel; decide when it has ended.")
    is_made_up_for = False
    for each in mine:
        if each.state is State.UNCERTAIN or (each.state is State.PARKED and (each.ts or not is_made_up_for)):
            return each
        is_made_up_for = is_made_up_for or each.state is not State.PARKED
    raise UsageError(f"No {purpose} of this channel waits for an operator.")


def told(delivery: Delivery, *, is_retried: bool) -> str:
    """What an operator is told of the decision."""
    about = f"The {delivery.purpose} of {delivery.channel}, due {delivery.period},"
    if not is_retried:
        return f"{about} is let go: nobody delivers it, and no other one makes up for it."
    where = "goes on behind what stands there" if delivery.ts else "is delivered anew"
    doubt = (
        " It may have arrived before: then it stands there twice, until you delete one of them."
        if delivery.state is State.UNCERTAIN
        else ""
    )
    return f"{about} {where}: `liaison serve` posts it from this store within a minute while it runs.{doubt}"
