// Charts by uPlot in the colours of the page.
//
//   import { chart } from "./charts.js";
//   const drawn = await chart(element, { label: "Alert rate, last 15 minutes", height: 120, time: true,
//     series: [{ label: "alert rate", colour: "--accent", fill: true }], format: (value) => `${value} %` });
//   drawn.set([times, values]);
//
// `element` gets role="img" and its label; put a table or a sentence with the same figures beside it. Further options of
// uPlot go under `uplot`; colours are names of CSS variables, so that a chart follows the theme.

import { clockTime, minuteTime, onTheme } from "./console.js";

let library = null;
function load() {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("./vendor/uPlot.iife.min.js", import.meta.url);
    script.onload = () => resolve(window.uPlot);
    script.onerror = () => reject(new Error("the chart library cannot be loaded"));
    document.head.append(script);
  });
  return library;
}

export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function faded(value) {
  return value.startsWith("#") && value.length === 7 ? `${value}26` : value;
}

export async function chart(element, { label, height = 140, time = true, series, format = String, uplot = {} }) {
  const uPlot = await load();
  element.setAttribute("role", "img");
  if (label) element.setAttribute("aria-label", label);
  let data = [[], ...series.map(() => [])];
  let drawn = null;

  const axis = (values) => ({
    stroke: colour("--quiet"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { stroke: colour("--line"), width: 1, size: 4 },
    font: "11px system-ui, sans-serif",
    ...values,
  });

  const wide = (_plot, texts) => Math.max(52, 16 + 7 * Math.max(...(texts ?? []).map((text) => text.length), 0));

  // Times as this page writes them, not in the American way that uPlot has by itself.
  const times = (_plot, ticks, _axis, _space, step) =>
    ticks.map((second) => (second == null ? "" : (step < 60 ? clockTime : minuteTime)(second * 1000)));

  function draw() {
    drawn?.destroy();
    const { series: _series, axes: given, scales, ...rest } = uplot;
    drawn = new uPlot({
      width: Math.max(120, element.clientWidth),
      height,
      cursor: { y: false, points: { size: 6 } },
      legend: { show: false },
      scales: { x: { time }, ...scales },
      axes: given?.(axis) ?? [axis(time ? { values: times, space: 64, size: 28 } : {}), axis({ size: wide, space: 20, values: (_plot, ticks) => ticks.map((value) => value == null ? "" : format(value)) })],
      series: [
        {},
        ...series.map((one) => ({
          label: one.label,
          stroke: colour(one.colour ?? "--accent"),
          width: one.width ?? 1.5,
          fill: one.fill ? faded(colour(one.colour ?? "--accent")) : undefined,
          points: { show: one.points ?? false },
          ...one.uplot,
        })),
      ],
      ...rest,
    }, data, element);
  }

  draw();
  onTheme(draw);
  new ResizeObserver(() => {
    const width = Math.max(120, element.clientWidth);
    if (width !== drawn.width) drawn.setSize({ width, height });
  }).observe(element);
  return {
    set(values) { data = values; drawn.setData(values); },
    describe(text) { element.setAttribute("aria-label", text); },
    get plot() { return drawn; },
  };
}
