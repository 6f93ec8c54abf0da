"""The command line starts at once."""

import subprocess
import sys


def test_nothing_of_slack_is_loaded_before_it_is_needed() -> None:
    listed = "import sys, bot.__main__; print(*sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True, check=True).stdout

    assert not {"slack_bolt", "slack_sdk", "aiohttp"} & set(loaded.split())
