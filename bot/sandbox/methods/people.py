"""auth.test, users.info, apps.connections.open."""

from bot.sandbox import shapes
from bot.sandbox.methods.call import Call, Method
from bot.sandbox.workspace import Json


def _auth_test(call: Call) -> Json:
    workspace = call.workspace
    bot = workspace.user(workspace.cast.bot)
    return {
        "url": f"{call.base_url}/",
        "team": workspace.host.name,
        "user": bot.name,
        "team_id": workspace.host.id,
        "user_id": bot.id,
        "bot_id": workspace.cast.bot_id,
        "is_enterprise_install": False,
    }


def _users_info(call: Call) -> Json:
    call.need("users:read")
    return {"user": shapes.user(call.workspace, call.workspace.user(call.required("user")))}


def _connections_open(call: Call) -> Json:
    base = call.base_url.replace("http://", "ws://", 1)
    return {"url": f"{base}/link/?ticket={call.sockets.ticket()}&app_id={call.workspace.cast.app_id}"}


METHODS = {
    "auth.test": Method(_auth_test),
    "users.info": Method(_users_info),
    "apps.connections.open": Method(_connections_open, app_token=True),
}
