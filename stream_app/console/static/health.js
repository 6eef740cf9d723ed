// Health: the charts, and the page again whenever something new was published.

import { ask, follow } from "./console.js";
import { chart, colour } from "./charts.js";

const HEIGHT = 210;
const LABELS = 42;
const ROWS = 3;
const AGAIN_MS = 2000;
const GATHER_MS = 100;
const GAP_MS = 700;
const TROUBLE_MS = 5000;
const DAY_S = 86400;
// Between two dates on the axis: a date stands there once.
const DAYS = [1, 2, 3, 4, 5, 7, 10, 15, 30, 60, 90, 120, 180, 365, 730];

// Where labels have no room for all, those that come first here have it.
const MARKS = {
  alarm: { colour: "--bad", dash: [] },
  swap: { colour: "--accent", dash: [10, 3, 2, 3] },
  warning: { colour: "--warn", dash: [2, 3] },
  recovery: { colour: "--good", dash: [8, 3] },
  request: { colour: "--quiet", dash: [4, 4] },
};

const whole = (share) => (share == null ? null : `${(100 * share).toFixed(0)} %`);
const fine = (share) => (share == null ? null : `${(100 * share).toFixed(2)} %`);
const words = (name) => (name === "alert_rate" ? fine : whole);
const shortDate = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const date = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });

let data = JSON.parse(document.getElementById("chart").textContent);
const figure = (name) => data.figures.find((one) => one.name === name);
const readout = document.getElementById("readout");
const hint = readout.textContent;

// The axis of all charts: everything that is shaded, measured or marked.
function range() {
  const ends = [...data.maturity.flatMap(([from, to]) => [from, to]), ...data.at, ...data.marks.map(([at]) => at)];
  if (!ends.length) return [Date.now() / 1000 - 7 * DAY_S, Date.now() / 1000];
  const [from, to] = [Math.min(...ends), Math.max(...ends)];
  const margin = Math.max(DAY_S / 2, (to - from) * 0.01);
  return [from - margin, to + margin];
}

// under the lines -----------------------------------------------------------------------------------------------------

function shade(plot, name) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  if (name !== "alert_rate") {
    for (const [from, to, known, measured] of data.maturity) {
      const left = plot.valToPos(from, "x", true);
      const width = plot.valToPos(to, "x", true) - left;
      ctx.fillStyle = colour("--quiet");
      ctx.globalAlpha = 0.38 * (1 - known);
      ctx.fillRect(left, bbox.top, width, bbox.height);
      if (!measured) hatch(ctx, left, bbox.top, width, bbox.height);
    }
  }
  ctx.globalAlpha = 0.9;
  ctx.fillStyle = colour("--bad");
  for (const [from, to] of data.incidents) {
    const left = plot.valToPos(from, "x", true);
    ctx.fillRect(left, bbox.top, plot.valToPos(to, "x", true) - left, 4 * devicePixelRatio);
  }
  ctx.restore();
}

function hatch(ctx, left, top, width, height) {
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  ctx.globalAlpha = 0.35;
  ctx.strokeStyle = colour("--quiet");
  ctx.lineWidth = devicePixelRatio;
  ctx.beginPath();
  const step = 9 * devicePixelRatio;
  // By the canvas and not by the day: the lines go on from one day to the next.
  for (let x = Math.floor((left - height) / step) * step; x < left + width; x += step) {
    ctx.moveTo(x, top + height);
    ctx.lineTo(x + height, top);
  }
  ctx.stroke();
  ctx.restore();
}

// over the lines ------------------------------------------------------------------------------------------------------

function mark(plot, name) {
  const { ctx, bbox } = plot;
  const shown = figure(name);
  const scale = devicePixelRatio;
  ctx.save();
  ctx.font = `600 ${11 * scale}px system-ui, sans-serif`;
  ctx.textAlign = "center";
  const rows = Array.from({ length: ROWS }, () => []);
  const order = Object.keys(MARKS);
  for (const [at, kind, label] of [...data.marks].sort((one, other) => order.indexOf(one[1]) - order.indexOf(other[1]))) {
    const x = Math.round(plot.valToPos(at, "x", true));
    ctx.strokeStyle = ctx.fillStyle = colour(MARKS[kind].colour);
    ctx.lineWidth = (kind === "alarm" ? 2 : 1) * scale;
    ctx.setLineDash(MARKS[kind].dash.map((length) => length * scale));
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const half = ctx.measureText(label).width / 2 + 3 * scale;
    const row = rows.findIndex((taken) => taken.every((other) => Math.abs(other.x - x) >= other.half + half));
    if (row >= 0) {  // without room the line stands alone; the list has them all
      rows[row].push({ x, half });
      ctx.fillText(label, x, bbox.top - (4 + 12 * row) * scale);
    }
  }
  ctx.setLineDash([]);
  ctx.strokeStyle = ctx.fillStyle = colour("--text");
  data.at.forEach((at, index) => {
    if (shown.first[index] == null) return;
    const [x, y, arm] = [plot.valToPos(at, "x", true), plot.valToPos(shown.first[index], "y", true), 4 * scale];
    ctx.lineWidth = 1.5 * scale;
    ctx.beginPath();
    ctx.moveTo(x - arm, y - arm); ctx.lineTo(x + arm, y + arm);
    ctx.moveTo(x - arm, y + arm); ctx.lineTo(x + arm, y - arm);
    ctx.stroke();
  });
  for (const [at, , value] of shown.others) {
    const [x, y, side] = [plot.valToPos(at, "x", true), plot.valToPos(value, "y", true), 6 * scale];
    ctx.lineWidth = scale;
    ctx.strokeRect(x - side / 2, y - side / 2, side, side);
  }
  ctx.restore();
}

// pointing ------------------------------------------------------------------------------------------------------------

function tell(index) {
  if (index == null || data.at[index] == null) {
    readout.textContent = hint;
    return;
  }
  const at = data.at[index] * 1000;
  const version = data.version[index];
  const said = data.figures.flatMap((one) => {
    const say = words(one.name);
    const [value, low, high] = [one.value[index], one.low[index], one.high[index]];
    if (value != null) {
      const about = low == null || high == null ? "" : ` (${say(low).replace(" %", "")} to ${say(high)})`;
      return [`${one.title.toLowerCase()} ${say(value)}${about}`];
    }
    return one.estimated[index] == null ? [] : [`${one.title.toLowerCase()} about ${say(one.estimated[index])}`];
  });
  const others = [...new Set(data.figures[0].others.filter(([when]) => when === data.at[index]).map(([, name]) => name))];
  const beside = others.length ? `; also ${others.join(", ")}` : "";
  readout.textContent = version == null
    ? `7 days to ${date.format(at - 1)}, estimated from scores: ${said.join(", ")}`
    : `Week around ${date.format(at)}, ${version}${beside}: ${said.join(", ")}`;
}

// the charts ----------------------------------------------------------------------------------------------------------

const columns = (name) => {
  const shown = figure(name);
  return [data.at, shown.value, shown.low, shown.high, shown.estimated];
};
const utc = (seconds) => window.uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC");

async function make(element) {
  const name = element.dataset.figure;
  const ink = "--accent";
  const hidden = { width: 0, points: false, uplot: { spanGaps: true } };
  const drawn = await chart(element, {
    label: figure(name).description,
    height: HEIGHT,
    format: name === "alert_rate" ? fine : whole,
    series: [
      { label: "measured", colour: ink, width: 2, uplot: { spanGaps: true, points: { show: true, size: 6, fill: () => colour(ink) } } },
      { label: "low", colour: ink, ...hidden },
      { label: "high", colour: ink, ...hidden },
      { label: "estimated", colour: "--text", width: 1.5, uplot: { spanGaps: true, dash: [5, 4], points: { show: false } } },
    ],
    uplot: {
      tzDate: utc,
      padding: [LABELS, 24, null, null],
      bands: [{ series: [3, 2], fill: () => `${colour("--band")}38` }],
      scales: {
        x: { time: true, range },
        y: { range: (_plot, _low, high) => [0, name === "alert_rate" ? (high || 0.01) * 1.2 : 1] },
      },
      axes: (axis) => [
        axis({ space: 64, size: 30, incrs: DAYS.map((days) => days * DAY_S), values: (_plot, ticks) => ticks.map((tick) => shortDate.format(tick * 1000)) }),
        axis({ size: 52, values: (_plot, ticks) => ticks.map(words(name)) }),
      ],
      cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false }, sync: { key: "health" } },
      hooks: {
        drawClear: [(plot) => shade(plot, name)],
        draw: [(plot) => mark(plot, name)],
        setCursor: [(plot) => { if (plot.cursor.event) tell(plot.cursor.idx); }],
      },
    },
  });
  drawn.set(columns(name));
  return { element, name, drawn };
}

const charts = await Promise.all([...document.querySelectorAll(".chart[data-figure]")].map(make));

// live ----------------------------------------------------------------------------------------------------------------

let asked = false;
let asking = false;
let timer = null;
let lastAsked = 0;

// At once when it was quiet; in a replay, where days close in a row, not more often than anybody reads.
function soon(after = Math.max(GATHER_MS, lastAsked + GAP_MS - Date.now())) {
  timer ??= setTimeout(() => { timer = null; renew(); }, after);
}

// The page as the server has it now: what is marked data-live is put in the place of what stands there.
async function renew() {
  if (asking) { asked = true; return; }
  asking = true;
  lastAsked = Date.now();
  try {
    const response = await ask(location.pathname + location.search, { headers: { Accept: "text/html" } });
    if (!response.ok) throw new Error(String(response.status));
    take(new DOMParser().parseFromString(await response.text(), "text/html"));
  } catch {
    soon(AGAIN_MS);
  }
  asking = false;
  if (asked) { asked = false; soon(); }
}

const trouble = (page) => page.querySelector("main > .notice[role=alert]");

function take(page) {
  if (!trouble(page)) trouble(document)?.remove();
  if (trouble(document)) soon(TROUBLE_MS);
  for (const there of document.querySelectorAll("[data-live]")) {
    const now = page.getElementById(there.id);
    if (now && now.innerHTML !== there.innerHTML) there.replaceChildren(...now.childNodes);
  }
  data = JSON.parse(page.getElementById("chart").textContent);
  for (const { name, drawn } of charts) {
    drawn.set(columns(name));
    drawn.describe(figure(name).description);
  }
}

if (trouble(document)) soon(TROUBLE_MS);
const changed = () => soon();
follow({ performance: changed, statistics: changed, drift: changed, request: changed, model: changed, reset: changed });
