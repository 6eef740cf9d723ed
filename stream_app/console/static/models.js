import { ask, follow } from "./console.js";
import { refresh } from "./regions.js";

const GUARDRAILS_EVERY_MS = 5000;

follow({ audit: refresh, model: refresh, drift: refresh, request: refresh, reset: refresh });

// Guardrails change without an event; they are asked for again while somebody looks.
setInterval(() => { if (document.querySelector("#release [data-running]") && !document.hidden) refresh(); }, GUARDRAILS_EVERY_MS);

// Loading a model and scoring its golden vectors takes a moment: the page does not wait for it.
const verification = document.querySelector("#verification[data-from]");
if (verification) {
  const response = await ask(verification.dataset.from, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const found = page.getElementById("verification");
  if (found) verification.replaceChildren(...found.childNodes);
}
