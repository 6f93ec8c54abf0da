"""The sandbox's web page: what one person sees, as JSON, and what they do."""

import asyncio
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path

from aiohttp import web

from bot.sandbox import panel
from bot.sandbox.acting import SLACKBOT, Acting
from bot.sandbox.cast import Guest, Team, User
from bot.sandbox.deliveries import Delivery
from bot.sandbox.services import Fakes
from bot.sandbox.workspace import Channel, File, Json, Message, SlackError, View

STATIC = Path(__file__).parent / "static"
FILES = {"/": "index.html", **{f"/{name}": name for name in ("app.js", "blocks.js", "store.js", "style.css")}}
MAX_SHOWN = 500  # messages of a channel
MAX_FILE_SHOWN = 200_000  # characters of a file, bytes of a picture
PNG = b"\x89PNG\r\n\x1a\n"
HEARTBEAT_SECONDS = 15.0
_SENTENCES = {
    "not_in_channel": "You are not a member of this channel.",
    "user_not_visible": "You share no channel with the centre yet, so you cannot write to Liaison.",
    "already_in_channel": "This organisation is in the channel already.",
    "is_archived": "This channel is closed.",
    "operation_timeout": "Liaison did not answer within 3 seconds.",
    "dispatch_failed": "Liaison cannot be reached.",
    "input_refused": "Something is missing in the form.",
    "message_not_found": "This message is gone.",
}


class Page:
    """Routes of the page."""

    def __init__(self, people: Acting) -> None:
        self._people = people
        self._workspace = people.workspace
        self.fakes: Fakes | None = None  # external services that the panel shows
        self._stopped = False
        self._acts: dict[str, Callable[[Json], Awaitable[Json]]] = {
            "say": self._say,
            "click": self._click,
            "choose": self._choose,
            "submit": self._submit,
            "close": self._close,
            "dm": self._dm,
            "invite": self._invite,
            "accept": self._accept,
            "disconnect": self._disconnect,
            "service": self._service,
        }

    def routes(self) -> list[web.RouteDef]:
        """What the server adds."""
        return [
            *(web.get(path, _static(name)) for path, name in FILES.items()),
            web.get("/archives/{channel}/{ts}", _permalink),
            web.get("/page/state", self._state),
            web.get("/page/events", self._events),
            web.post("/page/{act}", self._act),
        ]

    def stop(self) -> None:
        """End the open event streams."""
        self._stopped = True
        self._workspace.touch()

    # --- looking ---------------------------------------------------------------------------------------

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Tell the page whenever something changed; it then asks for the state."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        with suppress(ConnectionResetError):  # the page was closed
            await self._tell_changes(response)
        return response

    async def _tell_changes(self, response: web.StreamResponse) -> None:
        told = -1
        while not self._stopped:
            if told == self._workspace.revision:  # else something changed while this was being sent
                with suppress(TimeoutError):
                    async with asyncio.timeout(HEARTBEAT_SECONDS):
                        await self._workspace.change()
            told = self._workspace.revision
            await response.write(f"data: {told}\n\n".encode())

    async def _state(self, request: web.Request) -> web.Response:
        user = request.query.get("user", "")
        people = [each.id for each in self._workspace.users.values() if not each.is_bot]
        seen = self._seen(user if user in people else people[0], request.query.get("channel", ""))
        return web.json_response(seen)

    def _seen(self, user: str, channel: str) -> Json:
        """Everything the page shows to that person."""
        person = self._workspace.user(user)
        places = [p for p in self._workspace.channels.values() if user in p.members or user in p.gone]
        state: Json = {
            "revision": self._workspace.revision,
            "you": self._person(person),
            "people": [self._person(each) for each in self._workspace.users.values() if not each.is_bot],
            "bot": {
                "id": self._workspace.cast.bot,
                "name": self._workspace.user(self._workspace.cast.bot).real_name,
            },
            "slackbot": SLACKBOT,
            "organisations": [self._organisation(team) for team in self._workspace.teams.values()],
            "channels": [self._place(place, user) for place in places if place.kind == "channel"],
            "direct": next((p.id for p in places if p.kind == "im"), None),
            "canWriteToBot": not self._workspace.stranger(user),
            "commands": self._workspace.team_of(user).installed,
            "invitations": self._invitations(user),
            "tour": [asdict(step) for step in self._workspace.cast.tour],
            "views": [_view(view) for view in self._workspace.views_of(user)],
            "services": panel.shown(self.fakes),
        }
        if channel in {place.id for place in places}:
            state["channel"] = self._detail(self._workspace.channel(channel), user)
            state["messages"] = [
                _message(message) for message in self._workspace.seen_by(user, channel)[-MAX_SHOWN:]
            ]
        return state

    def _person(self, user: User) -> Json:
        team = self._workspace.teams[user.team]
        guest = "" if user.guest is Guest.NO else user.guest.value
        return {
            "id": user.id,
            "name": user.real_name,
            "title": user.title,
            "org": team.org,
            "guest": guest,
            "tz": user.tz,
        }

    def _organisation(self, team: Team) -> Json:
        colour = list(self._workspace.teams).index(team.id)
        host = team.id == self._workspace.host.id
        return {"id": team.org, "name": team.name, "colour": colour % 8, "host": host}

    def _place(self, place: Channel, user: str) -> Json:
        seen = self._workspace.seen_by(user, place.id)
        return {
            "id": place.id,
            "name": place.name,
            "private": place.private,
            "kind": place.kind,
            "connected": self._workspace.shared(place),
            "pending": list(place.pending),
            "last": seen[-1].ts if seen else "",
        }

    def _detail(self, place: Channel, user: str) -> Json:
        """A channel as its header shows it: who reads it, by organisation."""
        readers: dict[str, list[str]] = {}
        for member in place.members:
            if member != self._workspace.cast.bot:
                readers.setdefault(self._workspace.team_of(member).org, []).append(member)
        known = {self._workspace.org(place.host), *place.connected, *place.pending}
        return {
            **self._place(place, user),
            "purpose": place.purpose,
            "readers": readers,
            "invitable": [t.org for t in self._workspace.teams.values() if t.org not in known],
            "manages": self._workspace.team_of(user).org == self._workspace.org(place.host)
            and self._workspace.user(user).guest is Guest.NO,
            "member": user in place.members,
        }

    def _invitations(self, user: str) -> list[Json]:
        org = self._workspace.team_of(user).org
        return [
            {"channel": place.id, "name": place.name, "from": self._workspace.teams[place.host].name}
            for place in self._workspace.channels.values()
            if org in place.pending
        ]

    # --- doing -----------------------------------------------------------------------------------------

    async def _act(self, request: web.Request) -> web.Response:
        act = self._acts.get(request.match_info["act"])
        if act is None or request.content_type != "application/json":
            return web.json_response(
                {"error": "There is no such thing to do here."}, status=HTTPStatus.NOT_FOUND
            )
        try:
            return web.json_response(await act(await request.json()))
        except SlackError as error:
            return _refused(error)
        except (KeyError, TypeError, ValueError):
            return web.json_response(
                {"error": "Something is missing in this request."}, status=HTTPStatus.BAD_REQUEST
            )

    async def _say(self, body: Json) -> Json:
        """Send what the composer holds: a command, or words in which @Name mentions."""
        user, channel, text = str(body["user"]), str(body["channel"]), str(body["text"]).strip()
        if not text.startswith("/"):
            ts = await self._people.say(user, channel, self._with_mentions(text), body.get("thread_ts"))
            return {"ts": ts}
        command, _, rest = text.partition(" ")
        if body.get("thread_ts"):
            return {"error": f"{command} is not supported in threads. Mention @Liaison instead."}
        delivery = await self._people.slash(user, channel, self._with_mentions(rest.strip()), command)
        return {"refused": delivery.error or ""}

    def _with_mentions(self, text: str) -> str:
        for user in self._workspace.users.values():
            text = re.sub(rf"@{re.escape(user.real_name)}\b", f"<@{user.id}>", text, flags=re.IGNORECASE)
        return text

    async def _click(self, body: Json) -> Json:
        return _outcome(
            await self._people.click(
                str(body["user"]),
                str(body["channel"]),
                str(body["ts"]),
                str(body["action_id"]),
                block_id=str(body["block_id"]),
                choice=body.get("choice"),
            )
        )

    async def _choose(self, body: Json) -> Json:
        return _outcome(
            await self._people.choose(
                str(body["user"]),
                str(body["view"]),
                str(body["action_id"]),
                body.get("choice"),
                body["values"],
            )
        )

    async def _submit(self, body: Json) -> Json:
        return _outcome(await self._people.submit(str(body["user"]), str(body["view"]), body["values"]))

    async def _close(self, body: Json) -> Json:
        await self._people.close(str(body["user"]), str(body["view"]))
        return {}

    async def _dm(self, body: Json) -> Json:
        return {"channel": self._people.open_dm(str(body["user"]))}

    async def _invite(self, body: Json) -> Json:
        await self._people.invite(str(body["team"]), str(body["channel"]))
        return {}

    async def _accept(self, body: Json) -> Json:
        await self._people.accept(str(body["team"]), str(body["channel"]))
        return {}

    async def _disconnect(self, body: Json) -> Json:
        await self._people.disconnect(str(body["team"]), str(body["channel"]))
        return {}

    async def _service(self, body: Json) -> Json:
        panel.turn(self.fakes, str(body["name"]), str(body["state"]))
        self._workspace.touch()
        return {}


def _message(message: Message) -> Json:
    return {
        "ts": message.ts,
        "user": message.user,
        "text": message.text,
        "blocks": list(message.blocks),
        "thread": message.thread_ts if message.thread_ts != message.ts else None,
        "ephemeral": message.ephemeral,
        "edited": message.edited,
        "note": message.note,
        "files": [_file(file) for file in message.files],
    }


def _file(file: File) -> Json:
    is_picture = file.content.startswith(PNG) and len(file.content) <= MAX_FILE_SHOWN
    return {
        "name": file.name,
        "title": file.title,
        "size": len(file.content),
        "picture": f"data:image/png;base64,{b64encode(file.content).decode()}" if is_picture else None,
        "text": "" if is_picture else file.text[:MAX_FILE_SHOWN],
    }


def _view(view: View) -> Json:
    shown = {key: view.view[key] for key in ("title", "submit", "close", "blocks") if view.view.get(key)}
    return {"id": view.id, "hash": view.hash, "errors": view.errors, **shown}


def _outcome(delivery: Delivery) -> Json:
    if delivery.error is None or delivery.error == "input_refused":
        return {}
    return {"error": _SENTENCES.get(delivery.error, f"This did not work: {delivery.error}.")}


def _refused(error: SlackError) -> web.Response:
    sentence = _SENTENCES.get(error.code, f"Slack would refuse this: {error.code}.")
    return web.json_response({"error": sentence, "code": error.code}, status=HTTPStatus.CONFLICT)


def _static(name: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def serve(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(STATIC / name)

    return serve


async def _permalink(request: web.Request) -> web.StreamResponse:
    """A message's own address opens the page at that message."""
    channel, ts = request.match_info["channel"], request.match_info["ts"]
    if not (channel.isalnum() and ts.isalnum()):
        raise web.HTTPNotFound
    raise web.HTTPFound(f"/#{channel}/{ts}")
