// The review page: open a case without loading the page, decide by button or key, be told what is new.

import { ask, follow, writeTimes } from "./console.js";

const page = document.getElementById("review");
const canDecide = page.dataset.canDecide === "yes";
const queue = document.getElementById("queue");
const pane = document.getElementById("case");
const fresh = document.getElementById("fresh");
const said = document.getElementById("said");
const undoLast = document.getElementById("undo-last");
const trouble = document.getElementById("trouble");
const total = document.getElementById("total");
const me = page.dataset.person;

const RENEW_MS = 30_000;
const CALM_MS = 500;

let mine = []; // places that this page has decided, the last one at the end
let busy = false;
let opening = 0;

const lines = () => [...queue.querySelectorAll(".line")];
const lineOf = (place) => lines().find((line) => line.dataset.place === place);
const opened = () => document.getElementById("opened");
const place = () => opened()?.dataset.place ?? "";

function tell(text, bad = false) {
  const where = bad ? trouble : said;
  (bad ? where : where.querySelector(".text")).textContent = text;
  where.hidden = !text;
  if (bad) return;
  trouble.hidden = true;
  undoLast.hidden = !mine.length;
}

function markOpened() {
  for (const line of lines()) {
    if (line.dataset.place === place()) line.setAttribute("aria-current", "true");
    else line.removeAttribute("aria-current");
  }
}

function markHeld(holder) {
  const held = document.getElementById("held");
  const other = holder && holder !== me ? holder : "";
  if (!held) return;
  held.hidden = !other;
  held.textContent = other ? `${other} holds this case and may be deciding it.` : "";
  for (const button of document.querySelectorAll("#verdict button")) button.disabled = Boolean(other);
}

// claims --------------------------------------------------------------------------------------------------------------

// Takes or renews a case and gives another back; tells whether the first is this person's now.
async function claim(take, free = "", headers = {}) {
  if (!canDecide) return true;
  const answer = await ask("/review/claim", { method: "POST", headers, body: new URLSearchParams({ take, free }) });
  if (!answer.ok) return true;
  const { holder, error } = await answer.json();
  if (error) tell(error, true);
  else if (take) {
    const line = lineOf(take);
    if (line && holder !== me) held(line, holder);
    if (take === place()) markHeld(holder);
  }
  return Boolean(error) || !take || holder === me;
}

// Opens the next case that nobody else holds; another console may be quicker with one.
async function openNext(otherwise) {
  for (let next = nextOpen(); next; next = nextOpen()) {
    if (await claim(next.dataset.place)) return open(next.dataset.place);
  }
  return otherwise ? open(otherwise) : undefined;
}

setInterval(() => {
  if (!document.hidden && opened()?.dataset.open === "yes") claim(place(), "", { "X-Live": "1" });
}, RENEW_MS);

// opening -------------------------------------------------------------------------------------------------------------

async function fragment(path) {
  const answer = await ask(path, { headers: { Accept: "text/html" } });
  return answer.ok ? answer.text() : null;
}

async function open(wanted, { focus = false } = {}) {
  const number = ++opening;
  const before = place();
  const html = await fragment(`/review/case/${wanted}`);
  if (html === null || number !== opening) return;
  pane.innerHTML = html;
  writeTimes(pane);
  history.replaceState(null, "", `/review?case=${wanted}`);
  markOpened();
  lineOf(wanted)?.scrollIntoView({ block: "nearest" });
  if (focus) pane.focus();
  if (opened()?.dataset.open === "yes") claim(wanted, before === wanted ? "" : before);
  else claim("", before);
  const more = await fragment(`/review/case/${wanted}/more`);
  if (more === null || number !== opening) return;
  document.getElementById("more").innerHTML = more;
  writeTimes(document.getElementById("more"));
}

function neighbour(step) {
  const all = lines();
  const at = all.findIndex((line) => line.dataset.place === place());
  return all[at < 0 ? 0 : at + step];
}

function nextOpen() {
  const all = lines();
  const at = all.findIndex((line) => line.dataset.place === place());
  const free = (line) => !line.dataset.decided && !line.dataset.holder && line.dataset.place !== place();
  return all.slice(at + 1).find(free) ?? all.find(free);
}

queue.addEventListener("click", (event) => {
  const line = event.target.closest(".line");
  if (!line || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open(line.dataset.place, { focus: true });
});

// deciding ------------------------------------------------------------------------------------------------------------

async function decide(verdict, wanted) {
  if (busy || !canDecide || !wanted) return;
  busy = true;
  try {
    const body = new URLSearchParams({ place: wanted, verdict });
    const answer = await ask("/review/decide", { method: "POST", body });
    const { said: words, error } = answer.ok ? await answer.json() : { error: `not done: the console answered ${answer.status}` };
    if (error) {
      tell(error, true);
      return;
    }
    if (verdict === "undo") {
      mine = mine.filter((one) => one !== wanted);
      tell(words);
      await open(wanted);
    } else {
      mine.push(wanted);
      const line = lineOf(wanted);
      if (line) decided(line, verdict);
      tell(words);
      await openNext(wanted);
    }
    compare();
  } catch {
    tell("Not done: the console does not answer. Try again.", true);
  } finally {
    busy = false;
  }
}

function held(line, holder) {
  line.dataset.holder = holder;
  if (!holder) delete line.dataset.holder;
  line.querySelector(".mark").textContent = holder ? `held by ${holder}` : "";
}

function decided(line, words) {
  line.dataset.decided = words;
  line.querySelector(".mark").textContent = words;
}

pane.addEventListener("submit", (event) => {
  event.preventDefault();
  decide(event.submitter.value, place());
});
undoLast.addEventListener("click", () => decide("undo", mine.at(-1)));

// what is new ---------------------------------------------------------------------------------------------------------

let waiting = null;
function compareSoon() {
  waiting ??= setTimeout(() => { waiting = null; compare(); }, CALM_MS);
}

async function compare() {
  const answer = await ask("/review/state", { headers: { "X-Live": "1" } });
  if (!answer.ok) return;
  const state = await answer.json();
  total.textContent = state.total.toLocaleString("en-GB");
  if (state.problem) tell(state.problem, true);
  else trouble.hidden = true;
  for (const line of lines()) {
    const at = line.dataset.place;
    const words = state.decided[at] ?? "";
    const holder = state.held[at] && state.held[at] !== me ? state.held[at] : "";
    if (words) decided(line, words);
    else {
      delete line.dataset.decided;
      held(line, holder);
    }
  }
  if (opened()?.dataset.open === "yes" && state.decided[place()]) open(place());
  const there = new Set(lines().map((line) => line.dataset.place));
  const added = state.waiting.slice(0, state.shown).filter((one) => !there.has(one)).length;
  fresh.hidden = !added;
  fresh.textContent = added === 1 ? "Show 1 new case (r)" : `Show ${added} new cases (r)`;
  if (added && !there.size) show();
}

async function show() {
  const html = await fragment("/review/queue");
  if (html === null) return;
  queue.innerHTML = html;
  fresh.hidden = true;
  markOpened();
  if (!opened() && lines().length) openNext(lines()[0].dataset.place);
}

fresh.addEventListener("click", show);

// keys ----------------------------------------------------------------------------------------------------------------

const help = document.getElementById("help");
const helpOpen = document.getElementById("help-open");
if (helpOpen) {
  helpOpen.hidden = false;
  helpOpen.addEventListener("click", () => help.showModal());
}

const move = (step) => { const line = neighbour(step); if (line) open(line.dataset.place); };
const keys = {
  j: () => move(1),
  k: () => move(-1),
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  f: () => opened()?.dataset.open === "yes" && decide("fraud", place()),
  g: () => opened()?.dataset.open === "yes" && decide("genuine", place()),
  u: () => decide("undo", mine.at(-1) ?? (opened()?.dataset.open === "no" ? place() : "")),
  r: () => { if (!fresh.hidden) show(); },
  "?": () => help?.showModal(),
};
const TYPING = "input, textarea, select, [contenteditable]";
const SCROLLS = ".scroll, .queue";

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || help?.open) return;
  if (event.target.closest(TYPING)) return;
  const arrow = event.key.startsWith("Arrow");
  if (arrow && event.target !== document.body && event.target.closest(SCROLLS)) return;
  const act = keys[event.key];
  if (!act || (arrow && event.target !== document.body && event.target !== pane)) return;
  event.preventDefault();
  act();
});

// start ---------------------------------------------------------------------------------------------------------------

markOpened();
const asked = new URLSearchParams(location.search).has("case");
if (opened()?.dataset.open === "yes") claim(place()).then((isMine) => { if (!isMine && !asked) openNext(); });
follow({ desk: compareSoon, tick: () => {} });
addEventListener("focus", compareSoon);
setInterval(() => { if (!document.hidden) compareSoon(); }, 5_000);
addEventListener("pagehide", () => {
  if (!canDecide || !place()) return;
  const token = document.querySelector('meta[name="csrf-token"]').content;
  fetch("/review/claim", { method: "POST", keepalive: true, headers: { "X-CSRF-Token": token }, body: new URLSearchParams({ take: "", free: place() }) });
});
