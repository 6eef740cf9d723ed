// The transaction page: contributions are fetched behind the page, the score is computed again when asked.

import { ask, writeTimes } from "./console.js";

async function fill(target, part, at) {
  target.setAttribute("aria-busy", "true");
  try {
    const answer = await ask(`/transaction-parts/${part}?at=${at}`, { headers: { Accept: "text/html" } });
    if (answer.ok) {
      target.innerHTML = await answer.text();
      writeTimes(target);
    }
  } finally {
    target.removeAttribute("aria-busy");
  }
}

const explanation = document.getElementById("explanation");
if (explanation && explanation.querySelector(".button")) fill(explanation, "explanation", explanation.dataset.at);

const button = document.getElementById("reproduce");
button?.addEventListener("click", (event) => {
  event.preventDefault();
  const target = document.getElementById("reproduction");
  target.textContent = "Computing …";
  fill(target, "reproduction", button.dataset.at);
});
