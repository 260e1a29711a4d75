// The page that the address names, and the keys.

import { json } from "./api.js";
import { notice } from "./elements.js";
import { showGallery } from "./gallery.js";
import { showImage } from "./image.js";
import { showPrototypes } from "./prototypes.js";
import { go, readState, state } from "./state.js";

const PAGES = { gallery: showGallery, image: showImage, prototypes: showPrototypes };
const page = document.getElementById("page");
let keys = {};
let turn = 0;
let searching = false;

async function show() {
  const run = Object.assign({}, await json("describe.json"), { images: await json("images.json") });
  readState();
  if (!run.methods.includes(state.method)) state.method = run.methods[0];
  if (!(state.page in PAGES)) state.page = "gallery";
  document.title = `${run.dataset}: ${state.image && state.page === "image" ? state.image : state.page}`;
  document.getElementById("title").textContent = run.dataset;
  for (const item of document.querySelectorAll("nav a")) {
    if (item.dataset.page === state.page) item.setAttribute("aria-current", "page");
    else item.removeAttribute("aria-current");
  }
  const mine = ++turn;
  const fresh = document.createElement("div"); // a later view may be ready first
  fresh.className = `page ${state.page}`;
  const own = await PAGES[state.page](fresh, run);
  if (mine !== turn) return;
  const focused = document.activeElement.ariaLabel;
  page.replaceChildren(fresh);
  keys = own;
  if (searching) search();
  else if (focused) fresh.querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
}

const showSafely = () => show().catch((error) => page.replaceChildren(notice(`This can't be shown: ${error.message}`)));

function search() {
  searching = state.page !== "gallery"; // until the gallery is there
  if (searching) go({ page: "gallery" });
  else document.getElementById("search").focus();
}

const help = () => document.getElementById("keys").showModal();

window.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.matches("input, select") && event.key !== "Escape") return;
  if (event.target.matches("a, button") && event.key === "Enter") return;
  const act = { "/": search, "?": help, ...keys }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
window.addEventListener("hashchange", showSafely);
document.getElementById("help").onclick = help;
document.getElementById("theme").onclick = () => {
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark";
  document.documentElement.dataset.theme = dark ? "light" : "dark";
};
showSafely();
