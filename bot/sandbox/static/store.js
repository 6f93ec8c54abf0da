// What every part of the page needs: the state as the server last told it, and small ways to show and to act.

import { el } from "/blocks.js";

export const byId = (id) => document.getElementById(id);
export const you = {
  user: sessionStorage.getItem("user") || "",
  channel: sessionStorage.getItem("channel") || "",
  thread: null,
  target: null,
};
export let state = null;

/** Take what the server says as the state. */
export function take(told) {
  state = told;
  you.user = state.you.id; // somebody of an earlier visit may not exist here
}

export async function act(what, body) {
  try {
    const answer = await fetch(`/page/${what}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ user: you.user, ...body }),
    });
    const outcome = await answer.json();
    if (outcome.error) toast(outcome.error);
    return outcome;
  } catch {
    toast("The sandbox does not answer. Is it still running?");
    return {};
  }
}

export function toast(text) {
  const box = byId("toast");
  box.textContent = text;
  box.hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { box.hidden = true; }, 6000);
}

export function organisation(id) {
  return state.organisations.find((each) => each.id === id) || { id, name: id, colour: 7 };
}

export function person(id) {
  if (id === state.bot.id) return { id, name: state.bot.name, bot: true, org: organisationOfHost().id };
  if (id === state.slackbot) return { id, name: "Slackbot", bot: true, org: "" };
  return state.people.find((each) => each.id === id) || { id, name: id, org: "" };
}

export function organisationOfHost() {
  return state.organisations.find((each) => each.host);
}

export function initials(name) {
  return name.split(" ").map((word) => word[0]).slice(0, 2).join("");
}

export function avatar(who) {
  const colour = who.bot ? "bot" : `colour-${organisation(who.org).colour}`;
  return el("span", { class: `avatar ${colour}`, "aria-hidden": "true" }, who.bot ? who.name[0] : initials(who.name));
}

export function badge(org, words) {
  return el("span", { class: `badge colour-${organisation(org).colour}` }, words || organisation(org).name);
}

/** Put children in place unless they are the same as before, so that focus survives. */
export function fill(box, signature, make) {
  const json = JSON.stringify(signature);
  if (box.dataset.drawn === json) return;
  box.dataset.drawn = json;
  box.replaceChildren(...make().flat().filter(Boolean));
}

export function names() {
  const people = [...state.people, state.bot].map((each) => [each.id, each.name]);
  return Object.fromEntries([...people, ...state.channels.map((each) => [each.id, each.name])]);
}

export function clock(ts) {
  const moment = new Date(Number(ts) * 1000);
  const text = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: state.you.tz }).format(moment);
  return el("time", { datetime: moment.toISOString(), title: `${moment.toISOString()} (shown in ${state.you.tz})` }, text);
}
