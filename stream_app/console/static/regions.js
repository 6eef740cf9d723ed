// Brings the parts of a page that are marked data-live up to date, without a reload and without losing what was typed.

import { ask, writeTimes } from "./console.js";

const AT_MOST_EVERY_MS = 300;
// What was answered to a form stands under the form's address; the page itself has another.
const path = document.querySelector("[data-path]")?.dataset.path ?? location.pathname + location.search;
history.replaceState(null, "", path + location.hash);

const typed = (region) =>
  [...region.querySelectorAll("input:not([type=hidden]), textarea")].some(
    (field) => field === document.activeElement || field.value !== "",
  );

function replace(old, fresh) {
  const open = [...old.querySelectorAll("details[open][id]")].map((details) => details.id);
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  const scrolled = [...old.querySelectorAll(".scroll")].map((part) => part.scrollLeft);
  old.replaceChildren(...fresh.childNodes);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  [...old.querySelectorAll(".scroll")].forEach((part, index) => { part.scrollLeft = scrolled[index] ?? 0; });
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  writeTimes(old);
}

function sayStale(region) {
  if (region.querySelector(".stale")) return;
  const line = document.createElement("p");
  line.className = "notice warn stale";
  line.setAttribute("role", "status");
  line.textContent = "This has changed since. What you typed is kept; reload the page to see what is new.";
  region.prepend(line);
}

// Without scripts the same page is asked for again by a reload; so the server renders everything once and in one way.
async function load() {
  const response = await ask(path, { headers: { Accept: "text/html", "X-Live": "1" }, cache: "no-store" });
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const old of document.querySelectorAll("[data-live]")) {
    const fresh = page.getElementById(old.id);
    if (!fresh) continue;
    const before = old.dataset.shown ?? signature(old);
    const now = signature(fresh);
    if (before === now) continue;
    if (typed(old)) { sayStale(old); continue; }
    replace(old, fresh);
    old.dataset.shown = now;
  }
}

// What the server said in a part, without what differs at every request or is written by scripts.
function signature(part) {
  const copy = part.cloneNode(true);
  for (const each of copy.querySelectorAll("input[name=csrf_token], .checked")) each.remove();
  for (const details of copy.querySelectorAll("details")) details.removeAttribute("open");
  return copy.innerHTML;
}

let last = 0;
let waiting = null;
let loading = false;
let again = false;

// Asks for the page again, soon, however often it is called; what comes while it is being asked for is asked for after.
export function refresh() {
  if (loading) { again = true; return; }
  waiting ??= setTimeout(async () => {
    [waiting, loading, last] = [null, true, Date.now()];
    try { await load(); } catch { /* the console is away; its dot says so */ }
    loading = false;
    if (again) { again = false; refresh(); }
  }, Math.max(0, AT_MOST_EVERY_MS - (Date.now() - last)));
}
