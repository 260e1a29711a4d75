// The page that the address names, and the keys.

import { readAddress } from "./address.js";
import { forget, json } from "./api.js";
import { make, notice, setSize } from "./elements.js";
import { showGallery } from "./gallery.js";
import { showImage } from "./image.js";
import { showPrototypes } from "./prototypes.js";
import { go, link, state } from "./state.js";
import { watch } from "./watch.js";

const PAGES = { gallery: showGallery, image: showImage, prototypes: showPrototypes };
const page = document.getElementById("page");
let shown = { keys: {} }; // what the page that is shown can do
let turn = 0;
let searching = false;

async function show() {
  const mine = ++turn;
  const before = { ...shown };
  const run = { ...await json("describe.json") };
  showFolders(run);
  run.images = await json("images.json");
  if (mine !== turn) return;
  const wrong = readAddress(run).map((reason) => notice(`Left out of the address: ${reason}`));
  document.title = `${run.dataset}: ${state.image && state.page === "image" ? state.image : state.page}`;
  setSize();
  const fresh = make("div", { className: `page ${state.page}` });
  const [name, image] = [state.page, state.image];
  const own = await PAGES[name](fresh, run);
  if (mine !== turn) return; // a later view may be ready first
  const focused = document.activeElement.ariaLabel;
  page.replaceChildren(...wrong, fresh);
  shown = { ...own, run, name, image };
  linkPages();
  own.ready?.();
  if (searching) search();
  else focus(fresh, focused, before);
}

/** The name of the results, or a choice where several are served; the view stays the same. */
function showFolders({ dataset, folders, path }) {
  const [title, select] = [document.getElementById("title"), document.getElementById("folders")];
  title.textContent = dataset;
  title.hidden = Object.keys(folders).length > 1;
  select.hidden = !title.hidden;
  select.replaceChildren(...Object.entries(folders).map(([value, name]) => make("option", { value }, name)));
  select.value = path;
  select.onchange = () => location.assign(select.value + location.hash);
}

/** Leave the focus on the control that had it; else, on another page, move it there. */
function focus(fresh, focused, before) {
  const same = focused && fresh.querySelector(`[aria-label="${CSS.escape(focused)}"]:enabled`);
  if (same) same.focus();
  else if (before.name && (before.name !== shown.name || before.image !== shown.image)) (shown.focus ?? (() => page.focus()))();
}

/** Links to pages keep all that is chosen. */
function linkPages() {
  for (const item of document.querySelectorAll("a[data-page]")) {
    item.href = link({ page: item.dataset.page });
    if (item.dataset.page === state.page) item.setAttribute("aria-current", "page");
    else item.removeAttribute("aria-current");
  }
}

function fail(error) {
  shown = { keys: {} };
  const words = error.missing ? "Not there yet; this page looks again by itself" : "This can't be shown";
  page.replaceChildren(notice(`${words}: ${error.message}`));
  if (!error.told) throw error;
}

const showSafely = () => show().catch(fail);

/** A run has made something: take it over in place, unless what is shown rests on other images. */
async function renew() {
  forget();
  const [run, images] = [await json("describe.json"), await json("images.json")];
  const kept = shown.run && JSON.stringify([{ ...run, rounds: null }, images])
    === JSON.stringify([{ ...shown.run, images: undefined, rounds: null }, shown.run.images]);
  if (!kept || (await shown.refresh?.(run)) === false) await show();
}

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
  const act = { "/": search, "?": help, ...shown.keys }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
window.addEventListener("hashchange", showSafely);
window.addEventListener("addresschange", linkPages);
document.getElementById("help").onclick = help;
watch(showSafely, () => renew().catch((error) => {
  if (!error.told) throw error; // what is shown stays
  fail(error);
}));
