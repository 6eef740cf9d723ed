// What every page does: the theme switch, local times, and one thread of live events.

const root = document.documentElement;
const systemDark = matchMedia("(prefers-color-scheme: dark)");

// theme ---------------------------------------------------------------------------------------------------------------

export const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : systemDark.matches);
const themeFollowers = [];
// Calls back when the colours change.
export const onTheme = (callback) => themeFollowers.push(callback);

const themeButton = document.getElementById("theme");
function themeChanged() {
  if (themeButton) themeButton.textContent = isDark() ? "Light" : "Dark";
  for (const callback of themeFollowers) callback();
}
if (themeButton) {
  themeButton.hidden = false;
  themeButton.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
    themeChanged();
  });
}
systemDark.addEventListener("change", themeChanged);
themeChanged();

// On a phone the navigation is wider than the page.
document.querySelector('.top nav [aria-current]')?.scrollIntoView({ block: "nearest", inline: "center" });

// times ---------------------------------------------------------------------------------------------------------------

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const minute = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
export const clockTime = (ms) => clock.format(ms);
export const minuteTime = (ms) => minute.format(ms);

// Writes <time data-ms="..."> in the reader's own time zone; data-form="moment" for date and time.
export function writeTimes(within = document) {
  for (const time of within.querySelectorAll("time[data-ms]")) {
    const ms = Number(time.dataset.ms);
    time.dateTime = new Date(ms).toISOString();
    time.textContent = (time.dataset.form === "moment" ? moment : clock).format(ms);
    time.title = moment.format(ms);
  }
}
writeTimes();

// the server ----------------------------------------------------------------------------------------------------------

const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";

// fetch() with the token that the server asks of what changes something; goes to the sign-in page when the session is over.
export async function ask(path, options = {}) {
  const headers = { Accept: "application/json", "X-CSRF-Token": meta("csrf-token"), ...options.headers };
  const response = await fetch(path, { ...options, headers, credentials: "same-origin" });
  if (response.status === 401) location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
  return response;
}

// live events ---------------------------------------------------------------------------------------------------------

const live = document.getElementById("live");
function say(state, text) {
  if (!live || live.dataset.state === state) return;
  live.dataset.state = state;
  live.querySelector(".text").textContent = text;
}

const AGAIN_MS = 1000;
const SILENT_MS = 5000;

// Follows kinds of events: follow({ model: (data) => ..., reset: (kinds) => ... }).
//
// A handler is called once for each entry, the oldest first. `reset` is called when entries were missed that the server
// no longer has; without it the page is loaded again. The thread begins where the page was rendered, and goes on after
// a gap or a restart of the console where it stopped.
export function follow(handlers) {
  const kinds = Object.keys(handlers).filter((kind) => kind !== "reset");
  let place = meta("feed-place");
  let source = null;
  let lastHeard = Date.now();

  if (live) live.hidden = false;

  function open() {
    source = new EventSource(`/events?kinds=${kinds.join(",")}&since=${encodeURIComponent(place)}`);
    for (const kind of kinds) {
      source.addEventListener(kind, (event) => {
        heard(event);
        for (const data of JSON.parse(event.data)) handlers[kind](data);
      });
    }
    source.addEventListener("reset", (event) => {
      heard(event);
      const lost = JSON.parse(event.data);
      if (handlers.reset) handlers.reset(lost);
      else location.reload();
    });
    source.addEventListener("open", () => { lastHeard = Date.now(); say("on", "live"); });
    source.addEventListener("error", lost);
  }

  function heard(event) {
    lastHeard = Date.now();
    if (event.lastEventId) place = event.lastEventId;
    say("on", "live");
  }

  async function lost() {
    say("off", "reconnecting");
    source.close();
    setTimeout(again, AGAIN_MS);
  }

  async function again() {
    try {
      const response = await ask("/whoami", { headers: { "X-Live": "1" } });
      if (response.ok) return open();
      if (response.status === 401) return undefined;
    } catch { /* the console is away */ }
    setTimeout(again, AGAIN_MS);
    return undefined;
  }

  open();
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  setInterval(() => { if (Date.now() - lastHeard > SILENT_MS && kinds.includes("tick")) say("slow", "waiting"); }, 1000);
}

// Whether events come.
export const isLive = () => live?.dataset.state === "on";
