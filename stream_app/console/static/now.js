// The first page: figures each second, and a sample of what is scored as it comes.

import { ask, follow, writeTimes } from "./console.js";
import { chart } from "./charts.js";

const SHOWN = 50;
const SECONDS = 600;
const WORDS = { good: "Healthy", quiet: "Quiet", warn: "Look here", bad: "Broken" };
const by = (id) => document.getElementById(id);
const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 });

function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function cell(row, text, name) {
  const made = row.insertCell();
  if (name) made.className = name;
  made.textContent = text;
  return made;
}

// scored transactions -------------------------------------------------------------------------------------------------

const body = document.querySelector("#scores tbody");
const pause = by("pause");
const onlyFlagged = by("only-flagged");
let held = [];

function rowOf(score) {
  const row = document.createElement("tr");
  row.dataset.decision = score.decision;
  row.className = "new";
  row.hidden = onlyFlagged.checked && score.decision === "approve";
  const badge = document.createElement("span");
  badge.className = `badge ${score.decision}`;
  badge.textContent = score.decision;
  row.insertCell().append(badge);
  cell(row, score.score_scaled, "number");
  cell(row, score.why.join(", "));
  cell(row, score.card_id, "mono");
  const link = document.createElement("a");
  link.href = `/transaction/${encodeURIComponent(score.transaction_id)}`;
  link.textContent = score.transaction_id;
  cell(row, "", "mono").append(link);
  const time = document.createElement("time");
  time.dataset.ms = score.scored_at;
  row.insertCell().append(time);
  writeTimes(row);
  return row;
}

// What is flagged stays longer: of the others only as many are kept as there is room for.
function trim() {
  const kept = [...body.rows].filter((row) => !onlyFlagged.checked || row.dataset.decision !== "approve");
  for (const row of kept.slice(SHOWN)) row.remove();
  for (const row of [...body.rows].slice(4 * SHOWN)) row.remove();
}

function show(score) {
  if (pause.getAttribute("aria-pressed") === "true") {
    held.push(score);
    held = held.slice(-4 * SHOWN);
    return;
  }
  body.prepend(rowOf(score));
  trim();
}

pause.addEventListener("click", () => {
  const paused = pause.getAttribute("aria-pressed") !== "true";
  pause.setAttribute("aria-pressed", String(paused));
  say(pause, paused ? "Go on" : "Pause");
  const waiting = held;
  held = [];
  if (!paused) waiting.forEach(show);
});

onlyFlagged.addEventListener("change", () => {
  for (const row of body.rows) row.hidden = onlyFlagged.checked && row.dataset.decision === "approve";
});

// figures -------------------------------------------------------------------------------------------------------------

const series = { at_ms: [], scored_per_s: [], alert_rate: [], p50_ms: [], p99_ms: [], waiting: [], behind_s: [] };
const charts = [];

async function draw(id, names, colours, format, label) {
  const drawn = await chart(by(`${id}-chart`), {
    label,
    height: 96,
    format,
    series: names.map((name, place) => ({ label: name, colour: colours[place], fill: place === 0 })),
  });
  charts.push(() => drawn.set([series.at_ms.map((ms) => ms / 1000), ...names.map((name) => series[name])]));
}

function redraw() {
  if (!document.hidden) for (const set of charts) set();
}

function keep(tick) {
  for (const name of Object.keys(series)) {
    series[name].push(tick[name]);
    if (series[name].length > SECONDS) series[name].shift();
  }
}

function tables(tick) {
  const workers = document.querySelector("#workers tbody");
  workers.replaceChildren(...tick.workers.map((worker) => {
    const row = document.createElement("tr");
    cell(row, worker.writer, "mono");
    cell(row, worker.model ?? "none", "mono");
    cell(row, worker.partitions.join(", "));
    cell(row, `${worker.ready ? "ready" : "starting"}${worker.champion ? "" : ", not the champion"}`);
    return row;
  }));
  const partitions = document.querySelector("#partitions tbody");
  partitions.replaceChildren(...tick.partitions.map((one) => {
    const row = document.createElement("tr");
    cell(row, one.partition);
    cell(row, whole.format(one.position), "number");
    cell(row, whole.format(one.waiting), "number");
    cell(row, one.behind_s === null ? "not known" : `${one.behind_s.toFixed(1)} s`, "number");
    cell(row, one.worker ?? "none", "mono");
    return row;
  }));
}

function headline(tick) {
  by("headline").className = `card headline ${tick.level}`;
  say(by("headline-word"), WORDS[tick.level]);
  // The part of a second is no news: a screen reader is told when something else changes.
  say(by("headline-text"), tick.text);
  const place = by("champion");
  const version = tick.champion?.version ?? "";
  if (place.dataset.version === version && place.textContent) return;
  place.dataset.version = version;
  place.replaceChildren();
  if (!tick.champion) return;
  const link = Object.assign(document.createElement("a"), { href: "/models", textContent: version });
  const time = document.createElement("time");
  time.dataset.ms = tick.champion.since_ms;
  time.dataset.form = "moment";
  place.append("Champion ", link, " since ", time, ".");
  writeTimes(place);
}

function figures(tick) {
  say(by("throughput"), whole.format(tick.scored_per_s));
  say(by("latency"), tick.p50_ms === null ? "–" : whole.format(tick.p50_ms));
  say(by("latency-about"), tick.p99_ms === null
    ? "From the bank's record to its score, by Kafka's timestamps; none in the last minute."
    : `99 of 100 within ${whole.format(tick.p99_ms)} ms: ${tick.sampled} sampled in the last minute, from the bank's record to its score, by Kafka's timestamps.`);
  say(by("alerts"), tick.alert_rate === null ? "–" : `${fine.format(tick.alert_rate * 100)} %`);
  say(by("waiting"), tick.waiting === null ? "–" : whole.format(tick.waiting));
  say(by("waiting-about"), !tick.waiting || tick.behind_s === null ? "Not scored yet." : `Not scored yet; the oldest for ${tick.behind_s.toFixed(1)} s.`);
  say(by("sample"), `showing ${whole.format(tick.shown)} of ${whole.format(tick.scored)} in the last minute`);
}

function look(tick) {
  keep(tick);
  headline(tick);
  figures(tick);
  tables(tick);
  redraw();
}

const percent = (share) => `${fine.format(share * 100)} %`;
const ms = (value) => `${whole.format(value)} ms`;

const past = await (await ask("/now/data")).json();
for (const name of Object.keys(series)) series[name] = past[name];
follow({ score: show, tick: look, reset: () => {} });
await draw("throughput", ["scored_per_s"], ["--accent"], whole.format, "Transactions scored a second, last 10 minutes");
await draw("latency", ["p50_ms", "p99_ms"], ["--accent", "--warn"], ms, "Median and 99th percentile of latency, last 10 minutes");
await draw("alerts", ["alert_rate"], ["--accent"], percent, "Share that was flagged, last 10 minutes");
await draw("waiting", ["waiting"], ["--accent"], whole.format, "Transactions waiting, last 10 minutes");
redraw();
