// The page: who you are, which channel, what you say. The server tells when something changed; the page asks what.

import { blocks, el, mrkdwn } from "/blocks.js";
import { act, avatar, badge, byId, clock, fill, names, organisation, organisationOfHost, person, state, take, toast, you } from "/store.js";

let asked = 0;
const read = new Map(); // "user channel" -> ts of the last message seen
const drawn = new Map(); // ts -> {json, node}: messages that did not change keep their nodes

// --- talking to the server ---------------------------------------------------------------------------

async function refresh() {
  const turn = ++asked;
  const query = new URLSearchParams({ user: you.user, channel: you.channel });
  const answer = await fetch(`/page/state?${query}`);
  if (!answer.ok) return toast("The sandbox refused to show this.");
  const told = await answer.json();
  if (turn !== asked) return; // a newer question is under way already, perhaps as somebody else
  take(told);
  await draw();
}

function listen() {
  const events = new EventSource("/page/events");
  events.onmessage = refresh;
  events.onopen = () => document.body.classList.remove("offline");
  events.onerror = () => document.body.classList.add("offline");
}

// --- going somewhere ---------------------------------------------------------------------------------

async function become(user, channel) {
  you.user = user;
  you.channel = channel || you.channel;
  await settle();
}

async function go(channel) {
  you.channel = channel;
  document.body.classList.remove("menu");
  await settle();
  byId("composer-text").focus();
}

async function settle() {
  stopReplying();
  drawn.clear();
  byId("log").replaceChildren();
  await refresh();
  byId("log").scrollTop = byId("log").scrollHeight;
}

async function direct() {
  const { channel } = await act("dm", {});
  if (channel) await go(channel);
}

// --- drawing -----------------------------------------------------------------------------------------

async function draw() {
  if (!state.channel && state.channels.length) {
    you.channel = state.channels[Math.min(1, state.channels.length - 1)].id;
    return refresh();
  }
  sessionStorage.setItem("user", you.user);
  sessionStorage.setItem("channel", you.channel);
  drawPeople();
  drawChannels();
  drawServices();
  drawHead();
  drawBanners();
  drawTour();
  drawLog();
  drawComposer();
  drawModal();
  document.body.classList.add("ready");
}

function drawPeople() {
  fill(byId("people"), [state.people, you.user], () => state.organisations.map((org) => {
    const members = state.people.filter((each) => each.org === org.id);
    return el("div", { class: "org", role: "group", "aria-label": org.name },
      el("h3", {}, el("span", { class: `dot colour-${org.colour}`, "aria-hidden": "true" }), org.name,
        org.host && el("small", {}, "host")),
      members.map((each) => el("button",
        { type: "button", class: "person", "data-user": each.id, "aria-pressed": each.id === you.user ? "true" : "false",
          title: each.title, onclick: () => become(each.id) },
        avatar(each), el("span", {}, each.name), each.guest && el("small", {}, "guest"))));
  }));
}

function drawChannels() {
  const last = state.messages?.at(-1);
  if (last) read.set(`${you.user} ${you.channel}`, last.ts);
  const rows = state.channels.map((place) => ({
    ...place,
    fresh: place.id !== you.channel && place.last > (read.get(`${you.user} ${place.id}`) || ""),
  }));
  fill(byId("channels"), [rows, you, state.direct, state.canWriteToBot], () => [
    rows.map((place) => el("li", {}, el("button",
      { type: "button", class: place.fresh ? "place fresh" : "place", "data-channel": place.id,
        "aria-current": place.id === you.channel ? "page" : null, onclick: () => go(place.id) },
      el("span", { class: "sign", "aria-hidden": "true" }, place.private ? "🔒" : "#"),
      el("span", { class: "grow" }, place.name),
      el("span", { class: "dots" }, place.connected.map((org) =>
        el("span", { class: `dot colour-${organisation(org).colour}`, title: `shared with ${organisation(org).name}` })))))),
    state.canWriteToBot && el("li", {}, el("button",
      { type: "button", class: "place", "data-channel": "direct",
        "aria-current": state.direct && state.direct === you.channel ? "page" : null, onclick: direct },
      el("span", { class: "sign", "aria-hidden": "true" }, "@"), el("span", { class: "grow" }, state.bot.name),
      el("small", {}, "direct message"))),
    !rows.length && el("li", { class: "nothing" }, `${organisation(state.you.org).name} shares no channel with the centre yet.`),
  ]);
}

function drawServices() {
  const total = state.services.reduce((sum, each) => sum + each.asked, 0);
  byId("services-panel").hidden = !state.services.length;
  byId("services-asked").textContent = questions(total);
  fill(byId("services"), state.services.map((each) => [each.name, each.state]), () => state.services.map(service));
  for (const each of state.services) byId(`asked-${each.name}`).textContent = questions(each.asked);
}

function service(each) {
  const menu = el("select", { "aria-label": `How ${each.title} works` },
    each.states.map((word) => el("option", { value: word, selected: word === each.state }, word)));
  menu.addEventListener("change", () => act("service", { name: each.name, state: menu.value }));
  return el("li", { class: each.state === "works" ? "service" : "service broken", "data-service": each.name },
    el("span", { class: "grow" }, each.title, el("small", { id: `asked-${each.name}` })), menu);
}

function questions(count) {
  return count === 1 ? "1 question" : `${count} questions`;
}

function drawHead() {
  const place = state.channel;
  const name = !place ? "No channel yet" : place.kind === "im" ? state.bot.name : `${place.private ? "🔒" : "#"} ${place.name}`;
  byId("channel-name").textContent = name;
  document.title = `${name} · Liaison sandbox`;
  byId("channel-purpose").textContent = !place ? "" : place.kind === "im" ? "Only you and Liaison read this." : place.purpose;
  byId("invite-open").hidden = !place?.manages || !place.invitable.length || place.kind !== "channel";
  fill(byId("readers"), [place, you.user], () => (place && place.kind === "channel" ? readers(place) : []));
}

function readers(place) {
  const host = organisationOfHost().id;
  const chips = [host, ...place.connected].map((org) => {
    const names = (place.readers[org] || []).map((id) => person(id).name + (person(id).guest ? " (guest)" : ""));
    return el("span", { class: `chip colour-${organisation(org).colour}`, title: names.join(", ") },
      organisation(org).name, el("small", {}, names.length ? names.map((name) => name.split(" ")[0]).join(", ") : "nobody yet"),
      place.manages && org !== host && el("button",
        { type: "button", "aria-label": `Disconnect ${organisation(org).name}`, title: `Disconnect ${organisation(org).name}`,
          onclick: () => act("disconnect", { team: org, channel: place.id }) }, "✕"));
  });
  const pending = place.pending.map((org) => el("span", { class: "chip pending" },
    `${organisation(org).name} is invited`,
    place.manages && el("button", { type: "button", class: "word", onclick: () => act("accept", { team: org, channel: place.id }) },
      `Accept as ${organisation(org).name}`),
    place.manages && el("button",
      { type: "button", "aria-label": `Withdraw the invitation of ${organisation(org).name}`,
        onclick: () => act("disconnect", { team: org, channel: place.id }) }, "✕")));
  return [el("span", { class: "label" }, "Read by"), ...chips, ...pending];
}

function drawBanners() {
  fill(byId("banners"), [state.invitations, state.channel?.member], () => [
    state.invitations.map((invitation) => el("div", { class: "banner" },
      el("span", {}, `${invitation.from} invites ${organisation(state.you.org).name} into #${invitation.name}.`),
      el("button", { type: "button", class: "primary",
        onclick: async () => { await act("accept", { team: state.you.org, channel: invitation.channel }); await go(invitation.channel); } },
      "Accept"))),
    state.channel && !state.channel.member && el("div", { class: "banner" },
      "You are no longer in this channel. You keep what was said until then."),
  ]);
}

function drawTour() {
  const dismissed = localStorage.getItem("tour") === "dismissed";
  byId("tour").hidden = dismissed || !state.tour.length;
  byId("tour").classList.toggle("compact", Boolean(state.messages?.length));
  byId("tour-open").hidden = !dismissed || !state.tour.length;
  fill(byId("steps"), state.tour, () => state.tour.map((step, number) => el("li", {}, el("button",
    { type: "button", class: "step", onclick: () => follow(step) },
    el("span", { class: "number", "aria-hidden": "true" }, number + 1),
    el("span", {}, el("strong", {}, step.title), el("span", { class: "why" }, step.why), el("code", {}, step.text))))));
}

async function follow(step) {
  await become(step.user, step.channel);
  write(step.text);
}

// --- messages ----------------------------------------------------------------------------------------

function drawLog() {
  const log = byId("log");
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  const messages = state.messages || [];
  const threads = Map.groupBy(messages.filter((each) => each.thread), (each) => each.thread);
  const tops = messages.filter((each) => !each.thread || !messages.some((other) => other.ts === each.thread));
  const nodes = tops.map((each) => node(each, threads.get(each.ts) || []));
  const wanted = nodes.length ? nodes : [empty()];
  place(log, wanted);
  for (const ts of drawn.keys()) if (!tops.some((each) => each.ts === ts)) drawn.delete(ts);
  if (you.target) show(you.target);
  else if (atEnd) log.scrollTop = log.scrollHeight;
}

/** Put nodes in place and leave those alone that stand there already: what somebody reads must not jump. */
function place(box, wanted) {
  wanted.forEach((each, at) => {
    const there = box.children[at];
    if (there === each) return;
    if (there && !wanted.includes(there)) there.replaceWith(each);
    else box.insertBefore(each, there || null);
  });
  while (box.children.length > wanted.length) box.lastChild.remove();
}

function node(message, replies) {
  const json = JSON.stringify([message, replies, you.user]);
  const known = drawn.get(message.ts);
  if (known?.json === json) return known.node;
  const made = el("article", { class: "item", "data-ts": message.ts }, single(message, true),
    replies.length > 0 && el("div", { class: "thread", role: "group", "aria-label": "Thread" },
      replies.map((reply) => single(reply, false))));
  drawn.set(message.ts, { json, node: made });
  return made;
}

function single(message, top) {
  const who = person(message.user);
  const outside = !who.bot && who.org !== organisationOfHost().id;
  const kind = ["message", message.ephemeral && "ephemeral", message.note && "note"].filter(Boolean).join(" ");
  const replyable = top && !message.ephemeral && state.channel.member;
  return el("div", { class: kind, "data-message": message.ts },
    message.ephemeral && el("p", { class: "only" }, el("span", { "aria-hidden": "true" }, "👁 "), "Only visible to you"),
    el("div", { class: "row" }, avatar(who),
      el("div", { class: "body" },
        el("p", { class: "by" }, el("strong", {}, who.name), who.bot && el("span", { class: "app" }, "APP"),
          outside && badge(who.org), who.guest && el("span", { class: "app" }, "GUEST"), clock(message.ts),
          message.edited && el("small", {}, "(edited)"),
          replyable && el("button", { type: "button", class: "reply", onclick: () => reply(message) }, "Reply in thread")),
        content(message),
        message.note && explanation(),
        message.files.map(attachment))));
}

function content(message) {
  const context = {
    names: names(), zone: state.you.tz, conversations: state.channels,
    act: (block, element, choice) => act("click",
      { channel: you.channel, ts: message.ts, block_id: block.block_id, action_id: element.action_id, choice }),
  };
  if (message.blocks.length) return el("div", { class: "blocks" }, blocks(message.blocks, context));
  return message.text ? el("div", { class: "mrkdwn" }, mrkdwn(message.text, context)) : null;
}

/** What Slack leaves unsaid when it refuses a command. */
function explanation() {
  if (state.commands) return null;
  return el("p", { class: "why" }, "Why: slash commands work only for members of the workspace that installed the app. From ",
    `${organisation(state.you.org).name} you reach ${state.bot.name} by a mention: @${state.bot.name} help`);
}

function attachment(file) {
  if (file.picture) return el("img", { class: "file", src: file.picture, alt: file.title || file.name });
  const opened = (event) => event.target.open && event.target.scrollIntoView({ block: "nearest" });
  return el("details", { class: "file", ontoggle: opened },
    el("summary", {}, el("span", { "aria-hidden": "true" }, "📄 "), el("strong", {}, file.title || file.name),
      el("small", {}, ` ${file.title === file.name ? "" : `${file.name} · `}${Math.max(1, Math.round(file.size / 1024))} KB · open`)),
    el("pre", { tabindex: "0", class: file.name.endsWith(".csv") && "csv" }, file.text));
}

function empty() {
  const words = state.channel
    ? ["Nothing was said here yet.", `Ask ${state.bot.name} something below.`]
    : [`${organisation(state.you.org).name} is in no channel yet.`,
      state.invitations.length ? "Accept the invitation above."
        : "Become somebody of the host, choose “Invite organisation…” in a channel, and accept the invitation here."];
  return el("div", { class: "empty" }, el("p", {}, el("strong", {}, words[0])), el("p", {}, words[1]));
}

function show(target) {
  const found = document.querySelector(`[data-message="${CSS.escape(target)}"]`);
  you.target = null;
  found?.scrollIntoView({ block: "center" });
  found?.classList.add("flash");
}

// --- the composer ------------------------------------------------------------------------------------

function drawComposer() {
  const place = state.channel;
  const usable = Boolean(place?.member);
  byId("composer").hidden = !usable;
  if (!usable) return;
  const where = place.kind === "im" ? state.bot.name : `#${place.name}`;
  byId("composer-text").placeholder = `Message ${where} as ${state.you.name}`;
  const prefix = place.kind === "im" ? "" : state.commands && !you.thread ? "/intel " : `@${state.bot.name} `;
  fill(byId("hints"), [prefix, place.kind, state.services.length], () => [
    el("span", {}, "Try:"),
    ["lookup ", ...(state.services.length ? ["enrich "] : []), "recent 7d", "who", "help"].map((verb) => el("button",
      { type: "button", onclick: () => write(prefix + verb) }, `${prefix}${verb}${verb.endsWith(" ") ? "…" : ""}`)),
    prefix.startsWith("/") && el("button", { type: "button", onclick: () => write(`@${state.bot.name} who`) }, `@${state.bot.name} who`),
    el("span", { class: "keys" }, "Enter sends, Shift+Enter for a new line"),
  ]);
}

function write(text) {
  const box = byId("composer-text");
  box.value = text;
  grow();
  box.focus();
  box.setSelectionRange(text.length, text.length);
}

function grow() {
  const box = byId("composer-text");
  box.rows = Math.min(8, box.value.split("\n").length);
}

function reply(message) {
  you.thread = message.ts;
  byId("replying").hidden = false;
  byId("replying-to").textContent = `Replying in the thread of ${person(message.user).name}`;
  drawComposer();
  byId("composer-text").focus();
}

function stopReplying() {
  you.thread = null;
  byId("replying").hidden = true;
}

async function send(event) {
  event.preventDefault();
  const box = byId("composer-text");
  const text = box.value.trim();
  if (!text) return;
  const body = { channel: you.channel, text, thread_ts: you.thread };
  box.value = "";
  grow();
  const log = byId("log");
  log.scrollTop = log.scrollHeight;
  const outcome = await act("say", body);
  if (outcome.error && !box.value) box.value = text;
  log.scrollTop = log.scrollHeight;
}

// --- modals ------------------------------------------------------------------------------------------

function drawModal() {
  const dialog = byId("modal");
  const view = state.views.at(-1);
  if (!view) {
    dialog.dataset.drawn = "";
    if (dialog.open) dialog.close();
    return;
  }
  const json = JSON.stringify(view);
  if (dialog.dataset.drawn !== json) {
    const kept = dialog.dataset.view === view.id ? values() : {};
    dialog.dataset.drawn = json;
    dialog.dataset.view = view.id;
    dialog.replaceChildren(modal(view));
    for (const [key, value] of Object.entries(kept)) refill(key, value);
  }
  if (!dialog.open) dialog.showModal();
}

function modal(view) {
  const context = {
    names: names(), zone: state.you.tz, conversations: state.channels, errors: view.errors,
    act: (_, element, choice) => act("choose", { view: view.id, action_id: element.action_id, choice, values: values() }),
  };
  const submit = async (event) => {
    event.preventDefault();
    const button = event.submitter;
    if (button) button.disabled = true;
    await act("submit", { view: view.id, values: values() });
    if (button) button.disabled = false;
  };
  return el("form", { onsubmit: submit, class: "modal" },
    el("div", { class: "modal-head" }, el("h2", { id: "modal-title" }, view.title.text),
      el("button", { type: "button", class: "icon", "aria-label": "Close", onclick: closeModal }, "✕")),
    el("div", { class: "modal-body blocks" }, blocks(view.blocks, context)),
    el("div", { class: "modal-foot" },
      el("button", { type: "button", onclick: closeModal }, view.close?.text || "Cancel"),
      view.submit && el("button", { type: "submit", class: "primary" }, view.submit.text)));
}

/** What was typed stays when the same modal is drawn again, for example with mistakes marked. */
function refill(key, value) {
  const field = byId("modal").querySelector(`[data-field="${CSS.escape(key)}"], [data-action="${CSS.escape(key)}"]`);
  if (field) field.value = value;
}

function values() {
  const fields = byId("modal").querySelectorAll("[data-field], select[data-action]");
  const filled = [...fields].map((field) => [field.dataset.field || field.dataset.action, field.value]);
  return Object.fromEntries(filled.filter(([, value]) => value !== ""));
}

function closeModal() {
  act("close", { view: byId("modal").dataset.view });
}

function invite() {
  const dialog = byId("invite");
  byId("invitable").replaceChildren(...state.channel.invitable.map((org) => el("button",
    { type: "button", class: "choice", onclick: () => { dialog.close(); act("invite", { team: org, channel: you.channel }); } },
    el("span", { class: `dot colour-${organisation(org).colour}`, "aria-hidden": "true" }), organisation(org).name)));
  dialog.showModal();
}

// --- starting ----------------------------------------------------------------------------------------

function followHash() {
  const [channel, ts] = location.hash.slice(1).split("/");
  if (!channel) return;
  you.channel = channel;
  if (/^p\d{7,}$/.test(ts || "")) you.target = `${ts.slice(1, -6)}.${ts.slice(-6)}`;
  history.replaceState(null, "", "/");
}

function tour(dismissed) {
  localStorage.setItem("tour", dismissed ? "dismissed" : "open");
  drawTour();
}

byId("services-panel").addEventListener("toggle", (event) => event.target.open && event.target.scrollIntoView({ block: "nearest" }));
byId("composer").addEventListener("submit", send);
byId("composer-text").addEventListener("input", grow);
byId("composer-text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
  if (event.key === "Escape") { stopReplying(); drawComposer(); }
});
byId("replying-stop").addEventListener("click", () => { stopReplying(); drawComposer(); });
byId("tour-close").addEventListener("click", () => tour(true));
byId("tour-open").addEventListener("click", () => tour(false));
byId("invite-open").addEventListener("click", invite);
byId("side-open").addEventListener("click", () => document.body.classList.add("menu"));
byId("side-close").addEventListener("click", () => document.body.classList.remove("menu"));
byId("modal").addEventListener("cancel", (event) => { event.preventDefault(); closeModal(); });
window.addEventListener("hashchange", () => { followHash(); settle(); });
followHash();
listen();
