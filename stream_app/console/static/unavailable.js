// Looks every two seconds whether the page can be shown again.

import { ask } from "./console.js";

const AGAIN_MS = 2000;

async function again() {
  try {
    const response = await ask(location.href, { headers: { Accept: "text/html", "X-Live": "1" }, cache: "no-store" });
    if (response.ok) return location.reload();
  } catch { /* the console is away as well */ }
  return setTimeout(again, AGAIN_MS);
}
setTimeout(again, AGAIN_MS);
