// Whether a run has made something since: a stamp is compared every few seconds.

import { stamp } from "./api.js";
import { make } from "./elements.js";

const EVERY = 4000; // milliseconds
const silent = make("span", { className: "notice", role: "status" }, "the server does not answer");

/** Call `start` once, then `changed` whenever there is something new. */
export async function watch(start, changed) {
  let seen = await stamp().catch(() => null);
  start();
  async function look() {
    if (document.hidden) return;
    const now = await stamp().catch(() => null);
    if (now === null) document.querySelector("header").append(silent);
    else silent.remove();
    if (now === null || now === seen) return;
    seen = now;
    changed();
  }
  setInterval(look, EVERY);
  document.addEventListener("visibilitychange", look);
}
