import { follow, writeTimes } from "./console.js";

const SHOWN = 50;
const body = document.querySelector("#scores tbody");

function cell(row, text, name) {
  const made = row.insertCell();
  if (name) made.className = name;
  made.textContent = text;
  return made;
}

function show(score) {
  const row = document.createElement("tr");
  row.dataset.decision = score.decision;
  const badge = document.createElement("span");
  badge.className = `badge ${score.decision}`;
  badge.textContent = score.decision;
  row.insertCell().append(badge);
  cell(row, score.score_scaled, "number");
  cell(row, score.reason_codes.map((reason) => reason.code).join(", "));
  cell(row, score.card_id);
  const link = document.createElement("a");
  link.href = `/transaction/${encodeURIComponent(score.transaction_id)}`;
  link.textContent = score.transaction_id;
  row.insertCell().append(link);
  const time = document.createElement("time");
  time.dataset.ms = score.scored_at;
  row.insertCell().append(time);
  writeTimes(row);
  body.prepend(row);
  while (body.rows.length > SHOWN) body.deleteRow(-1);
}

follow({ score: show });
