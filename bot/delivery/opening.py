"""Opening: deliveries for one Slack, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.blocks import render
from bot.chat import Actor, Notice, Row
from bot.delivery.alerts import LOG, OperatorAlerts
from bot.delivery.corrections import Corrections
from bot.delivery.courier import Means
from bot.delivery.drafting import Writing
from bot.delivery.office import Office
from bot.delivery.through_slack import ThroughSlack
from bot.slack.connection import Connection
from bot.slack.outbox import Letter
from bot.tlp import Label


@asynccontextmanager
async def delivering(connection: Connection, writing: Writing) -> AsyncIterator[None]:
    """Deliver what is due; leaving puts down what is under way."""
    services = connection.services
    means = Means(
        store=services.store,
        posting=ThroughSlack(connection.posts),
        writing=writing,
        alerts=operator_alerts(connection),
        clock=services.clock,
    )
    office = Office(means, rest=connection.tempo.rest)
    office.open()
    try:
        yield
    finally:
        await office.close()


@asynccontextmanager
async def correcting(connection: Connection, corrections: Corrections) -> AsyncIterator[None]:
    """Correct what was posted; leaving puts down what is under way."""
    alerts = operator_alerts(connection)

    async def tell(words: str) -> None:
        LOG.warning("the operators are told of a correction")  # whom it concerns stays out of the log
        await alerts.say(words)

    corrections.equip(ThroughSlack(connection.posts), tell)
    corrections.open()
    try:
        yield
    finally:
        await corrections.close()


def operator_alerts(connection: Connection) -> OperatorAlerts:
    """Alerts in the log, and directly to the host's operators if it named any."""
    services = connection.services
    operators = [Actor(each.user, services.registry.host.id) for each in services.registry.host.stewards]

    async def send(words: str) -> None:
        notice = Notice(title="an operator is needed", rows=(Row(text=words),), label=Label.AMBER_STRICT)
        letter = Letter(render(notice), None)
        for operator in operators:
            conversation = await connection.outbox.open_direct(operator)
            await connection.outbox.post_direct(conversation, operator, letter)

    async def claim(key: str, seconds: float) -> bool:
        return await services.store.claim(key, seconds=seconds)

    return OperatorAlerts(send if operators else None, claim)
