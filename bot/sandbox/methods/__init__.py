"""The Web API methods that Liaison uses; a method not listed here is `unknown_method`, as on Slack."""

from bot.sandbox.methods import chat, conversations, files, people, views
from bot.sandbox.methods.call import Method

METHODS: dict[str, Method] = {
    **people.METHODS,
    **conversations.METHODS,
    **chat.METHODS,
    **views.METHODS,
    **files.METHODS,
}
