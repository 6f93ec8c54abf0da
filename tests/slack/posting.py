"""Marked posts in a hurry, for tests that are not about pace."""

from bot.blocks import render
from bot.chat import Notice
from bot.slack.outbox import Letter
from bot.slack.pace import Pace
from bot.slack.posts import Paces, Posts
from tests.slack.conftest import Stage

HERE = "C0KASP"


def hurried(stage: Stage) -> Posts:
    """The stage's posts without waiting between them."""
    connection = stage.bot.connection
    look, post, update, delete = (Pace(per_second=1e6, channel_seconds=0) for _ in range(4))
    paces = Paces(look=look, post=post, update=update, delete=delete)
    return Posts(connection.slack, connection.audiences, own_user="U0LIAISON", clock=stage.clock, paces=paces)


async def letter_for(posts: Posts, words: str = "news", channel: str = HERE) -> Letter:
    """Words for those who read that channel now."""
    return Letter(render(Notice(title=words)), await posts.readers(channel))


async def post(posts: Posts, nonce: str, words: str = "news", *, thread: str = "") -> str:
    """Post them; gives the `ts`."""
    return await posts.post_marked(HERE, await letter_for(posts, words), nonce=nonce, thread=thread)
