"""views.open and views.update."""

from bot.sandbox import shapes
from bot.sandbox.content import checked_view
from bot.sandbox.methods.call import Call, Method
from bot.sandbox.workspace import Json, SlackError, View


def _open(call: Call) -> Json:
    view = checked_view(call.json("view", "invalid_arguments"))
    user = call.triggers.exchange(call.required("trigger_id"))
    return {"view": shapes.view(call.workspace, call.workspace.put_view(user, view))}


def _update(call: Call) -> Json:
    view = checked_view(call.json("view", "invalid_arguments"))
    known = _known(call)
    expected = call.text("hash")
    if expected is not None and expected != known.hash:
        raise SlackError("hash_conflict")
    return {"view": shapes.view(call.workspace, call.workspace.put_view(known.user, view, view_id=known.id))}


def _known(call: Call) -> View:
    view_id, external_id = call.text("view_id"), call.text("external_id")
    for view in call.workspace.views.values():
        if view.id == view_id or (external_id and view.view.get("external_id") == external_id):
            return view
    raise SlackError("not_found")


METHODS = {"views.open": Method(_open), "views.update": Method(_update)}
