"""Whatever the level of the logs, what was asked and answered stays out of them."""

import logging

import pytest

from tests.slack.conftest import ASK, HASH, MakeStage, claim


async def test_debugging_shows_no_value_and_no_secret(
    make_stage: MakeStage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with make_stage(claim()) as stage:
        await stage.answer("U0ANA", "C0KASP")
        await stage.mention("U0KIRA", "C0KASP")
        await stage.direct("U0TOMO", f"canary {HASH}")
        [message] = [m for m in stage.sandbox.seen_by("U0ANA", "C0KASP") if m.user == "U0LIAISON"][:1]
        await stage.sandbox.click("U0ANA", "C0KASP", message.ts, "share")
        await stage.sandbox.settled()
        told = [stage.sandbox.bot_token, stage.sandbox.signing_secret, HASH, "family", "canary", ASK]

    logged = [record for record in caplog.records if any(word in record.getMessage() for word in told)]
    assert [record.name for record in logged] == []
