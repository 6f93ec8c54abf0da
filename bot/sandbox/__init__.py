"""The local Slack that comes with Liaison: to try it and to test it.

sandbox = Sandbox()
await sandbox.start()
sandbox.connect("http://127.0.0.1:3000/slack/events")
delivery = await sandbox.slash("U0ANA", "C0KASP", "lookup 192.0.2.7")
await sandbox.settled()
sandbox.seen_by("U0ANA", "C0KASP")[-1].text
"""

from bot.sandbox.cast import Cast, Guest, Place, Team, User, demo_cast
from bot.sandbox.deliveries import Attempt, Delivery, Timing
from bot.sandbox.faults import Fault, Weather
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.web_api import Recorded
from bot.sandbox.workspace import File, Message, SlackError, View

Seen = Message  # what a person sees in a conversation

__all__ = [
    "Attempt",
    "Cast",
    "Delivery",
    "Fault",
    "File",
    "Guest",
    "Message",
    "Place",
    "Recorded",
    "Sandbox",
    "Seen",
    "SlackError",
    "Team",
    "Timing",
    "User",
    "View",
    "Weather",
    "demo_cast",
]
