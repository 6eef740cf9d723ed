import { follow } from "./console.js";
import { refresh } from "./regions.js";

const following = document.getElementById("follow");
const come = () => { if (following?.checked) refresh(); };

follow({ audit: come, reset: come });
following?.addEventListener("change", come);
