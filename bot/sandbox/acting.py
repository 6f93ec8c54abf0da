"""What people do in the sandbox: type commands, talk, click, fill in modals, invite organisations."""

from collections.abc import Mapping
from dataclasses import replace

from bot.sandbox import elements, payloads
from bot.sandbox.content import checked_view
from bot.sandbox.deliveries import COMMAND, EVENT, INTERACTIVE, Attempt, Courier, Delivery
from bot.sandbox.elements import Choice
from bot.sandbox.tickets import ResponseUrls, Triggers
from bot.sandbox.typed import wire
from bot.sandbox.workspace import Channel, Json, Message, SlackError, View, Workspace

SLACKBOT = "USLACKBOT"
EVENTS = frozenset(
    {
        *("app_mention", "message.im", "member_joined_channel", "member_left_channel"),
        *("channel_shared", "channel_unshared", "channel_id_changed"),
    }
)


class Acting:
    """People at work, one person a call; raises SlackError for what Slack's client would not offer."""

    def __init__(
        self,
        *,
        workspace: Workspace,
        courier: Courier,
        triggers: Triggers,
        response_urls: ResponseUrls,
        commands: frozenset[str],
        events: frozenset[str],
    ) -> None:
        self.workspace = workspace
        self.url = ""
        self._courier = courier
        self._triggers = triggers
        self._response_urls = response_urls
        self._commands = commands
        self._events = events

    # --- typing ----------------------------------------------------------------------------------------

    async def slash(self, user: str, channel: str, text: str, command: str = "/intel") -> Delivery:
        """Type a slash command; gives what the person sees at once."""
        place = self._inside(user, channel)
        typed = f"{command} {wire(text)}".strip()
        if command not in self._commands or not self.workspace.team_of(user).installed:
            delivery = Delivery(kind=COMMAND, payload={}, error="not_a_command")
            delivery.shown.append(self._note(user, place, _NOT_A_COMMAND.format(command)))
            return delivery
        token = self._response_urls.issue(user, place.id, command=typed)
        body = payloads.command(
            self.workspace,
            user=user,
            channel=place,
            command=command,
            text=wire(text),
            trigger_id=self._triggers.issue(user),
            response_url=self._response_url(token),
        )
        delivery = Delivery(kind=COMMAND, payload=body)
        self._command_answered(delivery, await self._courier.once(delivery), token, command)
        return delivery

    def _command_answered(self, delivery: Delivery, attempt: Attempt, token: str, command: str) -> None:
        delivery.error = _failure(attempt)
        if delivery.error is None:
            answer = attempt.answer() or {}
            body = {"text": answer} if isinstance(answer, str) else answer
            try:
                shown = self._response_urls.answer_at_once(token, body)
                delivery.shown += [shown] if shown is not None else []
            except SlackError:
                delivery.error = "invalid_command_response"
        if delivery.error is not None:
            user, channel = delivery.payload["user_id"], delivery.payload["channel_id"]
            failed = f"{command} failed with the error “{delivery.error}”"
            delivery.shown.append(self._note(user, self.workspace.channel(channel), failed))

    async def say(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> str:
        """Say something; `<@U...>` mentions. Gives the ts; the app hears of it in the background."""
        place = self._inside(user, channel)
        if place.frozen or place.archived:
            raise SlackError("is_archived")
        thread = self._thread(place, thread_ts)
        message = self.workspace.post(channel, user, wire(text), thread_ts=thread)
        bot = self.workspace.cast.bot
        if place.kind == "im":
            self._event("message.im", payloads.said(self.workspace, message, "message"))
        elif bot in place.members and (f"<@{bot}>" in message.text or f"<@{bot}|" in message.text):
            self._event("app_mention", payloads.said(self.workspace, message, "app_mention"))
        return message.ts

    def open_dm(self, user: str, *others: str) -> str:
        """The id of the direct conversation of these people with the bot."""
        for person in (user, *others):
            if self.workspace.stranger(person):
                raise SlackError("user_not_visible")
        return self.workspace.direct([self.workspace.cast.bot, user, *others]).id

    # --- clicking and filling in -----------------------------------------------------------------------

    async def click(
        self,
        user: str,
        channel: str,
        ts: str,
        action_id: str,
        *,
        block_id: str | None = None,
        choice: Choice | None = None,
    ) -> Delivery:
        """Use a button or menu of a message."""
        self._inside(user, channel)
        message = next((m for m in self.workspace.seen_by(user, channel) if m.ts == ts), None)
        if message is None:
            raise SlackError("message_not_found")
        found_in, element = elements.find(message.blocks, action_id, block_id)
        token = self._response_urls.issue(user, channel, original=message)
        body = payloads.block_actions(
            self.workspace,
            user=user,
            trigger_id=self._triggers.issue(user),
            action=elements.action(found_in, element, choice),
            state=elements.values(message.blocks, {}),
            message=message,
            response_url=self._response_url(token),
        )
        return await self._interact(body)

    async def choose(
        self,
        user: str,
        view_id: str,
        action_id: str,
        choice: Choice | None = None,
        values: Mapping[str, Choice] | None = None,
    ) -> Delivery:
        """Use a button or menu of an open modal; `values` is what else is filled in."""
        view = self._view(user, view_id)
        found_in, element = elements.find(view.view["blocks"], action_id)
        filled = {**(values or {}), **({} if choice is None else {action_id: choice})}
        body = payloads.view_actions(
            self.workspace,
            view,
            trigger_id=self._triggers.issue(user),
            action=elements.action(found_in, element, choice),
            state=elements.values(view.view["blocks"], filled),
        )
        return await self._interact(body)

    async def submit(self, user: str, view_id: str, values: Mapping[str, Choice]) -> Delivery:
        """Submit a modal; `values` by block_id or action_id, what is left out keeps its initial value."""
        view = self._view(user, view_id)
        state = elements.values(view.view["blocks"], values)
        body = payloads.view_submission(
            self.workspace, view, trigger_id=self._triggers.issue(user), values=state
        )
        if found := elements.mistakes(view.view["blocks"], state):
            self._show(replace(view, errors=found))
            return Delivery(kind=INTERACTIVE, payload=body, error="input_refused", answer={"errors": found})
        delivery = await self._interact(body)
        if delivery.error is None:
            self._submitted(view, delivery)
        return delivery

    async def close(self, user: str, view_id: str) -> Delivery | None:
        """Close a modal; gives the delivery if the app asked to be told."""
        view = self._view(user, view_id)
        self.workspace.close_view(view_id)
        if not view.view.get("notify_on_close"):
            return None
        return await self._interact(payloads.view_closed(self.workspace, view))

    def _submitted(self, view: View, delivery: Delivery) -> None:
        """Do what the app answered. https://docs.slack.dev/surfaces/modals/#updating_response"""
        answer = delivery.answer
        match answer.get("response_action"):
            case None:
                self.workspace.close_view(view.id)
            case "errors" if set(answer["errors"]) <= {block["block_id"] for block in view.view["blocks"]}:
                self._show(replace(view, errors=answer["errors"]))
            case "update":
                self.workspace.put_view(view.user, checked_view(answer.get("view")), view_id=view.id)
            case "push":
                self.workspace.put_view(view.user, checked_view(answer.get("view")))
            case "clear":
                for each in self.workspace.views_of(view.user):
                    self.workspace.close_view(each.id)
            case _:
                delivery.error = "invalid_response_action"

    async def _interact(self, body: Json) -> Delivery:
        delivery = Delivery(kind=INTERACTIVE, payload=body)
        attempt = await self._courier.once(delivery)
        delivery.error = _failure(attempt)
        answer = attempt.answer()
        delivery.answer = answer if isinstance(answer, dict) else {}
        return delivery

    def _show(self, view: View) -> None:
        self.workspace.views[view.id] = view
        self.workspace.touch()

    # --- who reads a channel ---------------------------------------------------------------------------

    async def invite(self, team: str, channel: str) -> None:
        """Invite an organisation; it is pending until it accepts. Slack tells the app nothing."""
        self.workspace.invite(team, channel)

    async def accept(self, team: str, channel: str) -> None:
        """Accept the invitation: the organisation is connected, its people join and read the history."""
        org = self.workspace.accept(team, channel)
        self._channel_event(channel, {"type": "channel_shared", "connected_team_id": org, "channel": channel})
        for person in self.workspace.people(org):
            await self.join(person.id, channel)

    async def disconnect(self, team: str, channel: str) -> None:
        """Disconnect an organisation, or take its invitation back."""
        pending = self.workspace.org(team) in self.workspace.channel(channel).pending
        org = self.workspace.disconnect(team, channel)
        still = bool(self.workspace.channel(channel).connected)
        if not pending:
            self._channel_event(
                channel,
                {
                    "type": "channel_unshared",
                    "previously_connected_team_id": org,
                    "channel": channel,
                    "is_ext_shared": still,
                },
            )

    async def join(self, user: str, channel: str) -> None:
        """Make a person a member of a channel."""
        self.workspace.join(user, channel)
        self._membership("member_joined_channel", user, channel)

    async def leave(self, user: str, channel: str) -> None:
        """End a membership."""
        self._inside(user, channel)
        self.workspace.leave(user, channel)
        self._membership("member_left_channel", user, channel)

    async def change_channel_id(self, old: str, new: str) -> None:
        """Give a channel another id, as Slack does when some private channels become shared."""
        self.workspace.rename_id(old, new)
        self._channel_event(new, {"type": "channel_id_changed", "old_channel_id": old, "new_channel_id": new})

    def _membership(self, kind: str, user: str, channel: str) -> None:
        letter = "G" if self.workspace.channel(channel).private else "C"
        team = self.workspace.team_of(user).org
        self._channel_event(
            channel, {"type": kind, "user": user, "channel": channel, "channel_type": letter, "team": team}
        )

    def _channel_event(self, channel: str, inner: Json) -> None:
        place = self.workspace.channel(channel)
        if self.workspace.cast.bot in place.members:
            self._event(inner["type"], payloads.event(self.workspace, inner, channel=place))

    # --- the rest --------------------------------------------------------------------------------------

    def _event(self, subscription: str, envelope: Json) -> None:
        if subscription in self._events:
            self._courier.event(Delivery(kind=EVENT, payload=envelope))

    def _inside(self, user: str, channel: str) -> Channel:
        place = self.workspace.channel(channel)
        if self.workspace.user(user).id not in place.members:
            raise SlackError("not_in_channel")
        return place

    def _thread(self, place: Channel, thread_ts: str | None) -> str | None:
        parent = self.workspace.find(place.id, thread_ts) if thread_ts else None
        if thread_ts and (parent is None or parent.ephemeral):
            raise SlackError("thread_not_found")
        return (parent.thread_ts or parent.ts) if parent else None

    def _view(self, user: str, view_id: str) -> View:
        view = self.workspace.views.get(view_id)
        if view is None or view.user != user:
            raise SlackError("view_not_found")
        return view

    def _note(self, user: str, place: Channel, text: str) -> Message:
        return self.workspace.post(place.id, SLACKBOT, text, only_for=user, note=True)

    def _response_url(self, token: str) -> str:
        return f"{self.url}/response/{token}"


# Slack's own words.
_NOT_A_COMMAND = (
    "{0} is not a valid command. In Slack, all messages that start with the “/” character are interpreted "
    "as commands. If you are trying to send a message and not run a command, try preceding the “/” with "
    "an empty space."
)


def _failure(attempt: Attempt) -> str | None:
    if attempt.reason is None:
        return None
    return "operation_timeout" if attempt.reason == "http_timeout" else "dispatch_failed"
