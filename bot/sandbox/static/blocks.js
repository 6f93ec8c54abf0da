// Block Kit and mrkdwn as DOM nodes. Text only ever becomes text nodes, so nothing in a message can act.

const EMOJI = {
  white_check_mark: "✅", warning: "⚠️", red_circle: "🔴", large_orange_circle: "🟠", large_yellow_circle: "🟡",
  large_green_circle: "🟢", large_blue_circle: "🔵", white_circle: "⚪", black_circle: "⚫", lock: "🔒", eyes: "👀",
  mag: "🔍", x: "❌", information_source: "ℹ️", bell: "🔔", eye: "👁", wave: "👋", hourglass: "⌛", shield: "🛡️",
};

/** An element: el("p", {class: "x", onclick: f}, "text", node, ...). */
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value != null) node.setAttribute(key, String(value));
  }
  node.append(...children.flat().filter((child) => child != null && child !== false));
  return node;
}

/** All blocks of a message or modal. `context`: {names, zone, act(block, element, choice), disabled}. */
export function blocks(list, context) {
  return list.map((block) => {
    const render = BLOCKS[block.type];
    return render ? render(block, context) : unknown(block);
  });
}

function unknown(block) {
  return el("pre", { class: "unknown" }, JSON.stringify(block, null, 2));
}

const BLOCKS = {
  header: (block) => el("h3", { class: "b-header" }, emojis(block.text.text)),
  divider: () => el("hr"),
  section: (block, context) =>
    el("div", { class: "b-section" },
      el("div", { class: "grow" },
        block.text && words(block.text, context),
        block.fields && el("div", { class: "b-fields" }, block.fields.map((field) => words(field, context)))),
      block.accessory && control(block, block.accessory, context)),
  context: (block, context) =>
    el("div", { class: "b-context" }, block.elements.map((element) => words(element, context))),
  actions: (block, context) =>
    el("div", { class: "b-actions" }, block.elements.map((element) => control(block, element, context))),
  rich_text: (block, context) =>
    el("div", { class: "b-rich" }, block.elements.map((element) => richPart(element, context))),
  table: (block, context) => table(block, context),
  input: (block, context) => input(block, context),
};

function words(text, context) {
  if (text.type === "plain_text") return el("div", { class: "plain" }, emojis(text.text));
  if (text.type === "mrkdwn") return el("div", { class: "mrkdwn" }, mrkdwn(text.text, context));
  return unknown(text);
}

// --- rich text ---------------------------------------------------------------------------------------

function richPart(part, context) {
  const inside = () => part.elements.map((element) => richWord(element, context));
  switch (part.type) {
    case "rich_text_section": return el("div", { class: "rich-section" }, inside());
    case "rich_text_quote": return el("blockquote", {}, inside());
    case "rich_text_preformatted": return el("pre", {}, inside());
    case "rich_text_list": {
      const items = part.elements.map((item) => el("li", {}, richPart(item, context)));
      return el(part.style === "ordered" ? "ol" : "ul", { class: `indent-${Math.min(part.indent || 0, 8)}` }, items);
    }
    default: return unknown(part);
  }
}

function richWord(element, context) {
  switch (element.type) {
    case "text": return styled(element.text, element.style);
    case "link": return styled(link(element.url, element.text || element.url), element.style);
    case "user": return mention(`@${context.names[element.user_id] || element.user_id}`);
    case "channel": return mention(`#${context.names[element.channel_id] || element.channel_id}`);
    case "broadcast": return mention(`@${element.range}`);
    case "emoji": return EMOJI[element.name] || `:${element.name}:`;
    case "date": return date(element.timestamp, element.format, element.fallback, context);
    default: return unknown(element);
  }
}

function styled(words, style = {}) {
  let node = typeof words === "string" ? document.createTextNode(words) : words;
  for (const [key, name] of [["code", "code"], ["bold", "strong"], ["italic", "em"], ["strike", "s"], ["underline", "u"]]) {
    if (style[key]) node = el(name, {}, node);
  }
  return node;
}

function mention(text) {
  return el("span", { class: "mention" }, text);
}

/** Links are shown but, unless they are this page's own, lead nowhere: a sandbox must not open an indicator. */
function link(url, text) {
  if (url.startsWith(`${location.origin}/`)) return el("a", { href: url }, text);
  return el("span", { class: "link", title: `${url} (links are not opened in the sandbox)` }, text);
}

function date(timestamp, format, fallback, context) {
  const moment = new Date(timestamp * 1000);
  if (Number.isNaN(moment.getTime())) return fallback || "";
  const text = format.replace(/\{(\w+)\}/g, (whole, token) => dateToken(token, moment, context.zone) ?? whole);
  return el("time", { datetime: moment.toISOString(), title: moment.toISOString() }, text);
}

const DATES = {
  date: { dateStyle: "long" }, date_long: { dateStyle: "full" }, date_short: { dateStyle: "medium" },
  date_pretty: { dateStyle: "long" }, date_long_pretty: { dateStyle: "full" }, date_short_pretty: { dateStyle: "medium" },
  time: { hour: "2-digit", minute: "2-digit" }, time_secs: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
};

function dateToken(token, moment, zone) {
  if (token === "date_num") return new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeZone: zone }).format(moment);
  return DATES[token] && new Intl.DateTimeFormat("en-GB", { ...DATES[token], timeZone: zone }).format(moment);
}

// --- mrkdwn ------------------------------------------------------------------------------------------

const INLINE = /<([^<>]+)>|`([^`\n]+)`|(?<!\w)\*([^*\n]+)\*(?!\w)|(?<!\w)_([^_\n]+)_(?!\w)|(?<!\w)~([^~\n]+)~(?!\w)/;

/** Slack's mrkdwn as nodes. https://docs.slack.dev/messaging/formatting-message-text/ */
export function mrkdwn(text, context) {
  return text.split("```").flatMap((piece, number) =>
    number % 2 ? [el("pre", {}, ...inline(piece.replace(/^\n/, ""), context, true))] : lines(piece, context));
}

function lines(text, context) {
  const nodes = [];
  text.split("\n").forEach((line, number) => {
    if (line.startsWith("&gt;")) nodes.push(el("blockquote", {}, inline(line.slice(4).trimStart(), context)));
    else nodes.push(...(number ? ["\n"] : []), ...inline(line, context));
  });
  return nodes;
}

function inline(text, context, plain = false) {
  const nodes = [];
  let rest = text;
  for (let found = INLINE.exec(rest); found; found = INLINE.exec(rest)) {
    const [whole, token, code, bold, italic, strike] = found;
    nodes.push(emojis(unescape(rest.slice(0, found.index))));
    rest = rest.slice(found.index + whole.length);
    if (token) nodes.push(special(token, context));
    else if (plain) nodes.push(unescape(whole));
    else if (code) nodes.push(el("code", {}, ...inline(code, context, true)));
    else nodes.push(el(bold ? "strong" : italic ? "em" : "s", {}, inline(bold || italic || strike, context)));
  }
  nodes.push(emojis(unescape(rest)));
  return nodes;
}

function special(token, context) {
  const [target, label] = split(token, "|");
  if (target.startsWith("@")) return mention(`@${label || context.names[target.slice(1)] || target.slice(1)}`);
  if (target.startsWith("#")) return mention(`#${label || context.names[target.slice(1)] || target.slice(1)}`);
  if (target.startsWith("!date^")) {
    const [, seconds, format] = target.split("^");
    return date(Number(seconds), format || "", unescape(label || ""), context);
  }
  if (target.startsWith("!")) return mention(label || `@${target.slice(1).split("^")[0]}`);
  return link(unescape(target), unescape(label || target.replace(/^mailto:/, "")), context);
}

function split(text, at) {
  const place = text.indexOf(at);
  return place < 0 ? [text, ""] : [text.slice(0, place), text.slice(place + 1)];
}

function unescape(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

function emojis(text) {
  return text.replace(/:([a-z0-9_+-]{1,40}):/g, (whole, name) => EMOJI[name] || whole);
}

// --- tables, buttons, fields -------------------------------------------------------------------------

function table(block, context) {
  const settings = block.column_settings || [];
  const cell = (name) => (content, column) =>
    el(name, { class: `align-${settings[column]?.align || "left"}`, scope: name === "th" && "col" },
      content.type === "raw_text" ? content.text : blocks([content], context));
  const [head, ...rows] = block.rows;
  return el("div", { class: "b-table", tabindex: "0", role: "region", "aria-label": "Table" },
    el("table", {},
      el("thead", {}, el("tr", {}, head.map(cell("th")))),
      el("tbody", {}, rows.map((row) => el("tr", {}, row.map(cell("td")))))));
}

function control(block, element, context) {
  if (element.type === "button") return button(block, element, context);
  if (element.type === "static_select" || element.type === "conversations_select") {
    const menu = select(element, context);
    menu.setAttribute("aria-label", element.placeholder?.text || "Choose");
    menu.addEventListener("change", () => context.act(block, element, menu.value));
    return menu;
  }
  return unknown(element);
}

function button(block, element, context) {
  const press = async (event) => {
    const target = event.currentTarget;
    if (element.confirm && !window.confirm(element.confirm.text.text)) return;
    target.disabled = true;
    try { await context.act(block, element); } finally { target.disabled = false; }
  };
  const label = element.accessibility_label;
  return el("button", { type: "button", class: `b-button ${element.style || ""}`, "aria-label": label, onclick: press },
    emojis(element.text.text));
}

function select(element, context) {
  const options = element.options || (element.option_groups || []).flatMap((group) => group.options)
    || [];
  const known = element.type === "conversations_select"
    ? context.conversations.map((place) => ({ value: place.id, text: { text: `#${place.name}` } })) : options;
  const initial = element.initial_option?.value || element.initial_conversation || "";
  return el("select", { "data-action": element.action_id },
    !initial && el("option", { value: "" }, element.placeholder?.text || "Choose…"),
    known.map((option) => el("option", { value: option.value, selected: option.value === initial }, option.text.text)));
}

function input(block, context) {
  const { element } = block;
  const id = `field-${block.block_id}-${element.action_id}`;
  const error = context.errors?.[block.block_id];
  const field = field_of(element, context);
  field.id = id;
  field.name = element.action_id;
  field.setAttribute("data-field", element.action_id);
  if (error) field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", `${id}-more`);
  if (block.dispatch_action) field.addEventListener("change", () => context.act(block, element, field.value));
  return el("div", { class: "b-input" },
    el("label", { for: id }, block.label.text, block.optional && el("small", {}, " (optional)")),
    field,
    el("div", { id: `${id}-more` },
      error && el("p", { class: "error" }, error),
      block.hint && el("p", { class: "hint" }, block.hint.text)));
}

function field_of(element, context) {
  if (element.type === "static_select" || element.type === "conversations_select") return select(element, context);
  const common = { placeholder: element.placeholder?.text, maxlength: element.max_length };
  const field = element.multiline ? el("textarea", { ...common, rows: 4 }) : el("input", { ...common, type: "text" });
  field.value = element.initial_value || "";
  return field;
}
