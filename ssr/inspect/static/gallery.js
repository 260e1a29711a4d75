// All images: filtered, sorted, and where one left them.

import { Cards } from "./cards.js";
import { MISTAKES } from "./draw.js";
import { chip, choice, controls, make, notice, say, sizeSlider } from "./elements.js";
import { pairName, selection, SORTS } from "./selection.js";
import { go, state } from "./state.js";
import { isDifference, thumbnailChoices } from "./thumbnails.js";

const FILTERS = { split: "", class: "", id: "", pair: "" };
const TYPING = 150; // milliseconds
const places = new Map(); // where each selection was left: {top, id}

const nameOfSelection = () =>
  [...Object.keys(FILTERS), "sort", "stage", "from", "descending", "method"].map((name) => state[name]).join("\n");

function choices(run, pairs) {
  const set = (name) => (value) => go({ [name]: value });
  const splits = [...new Set(run.images.split)];
  const sorted = state.sort !== "index";
  const stages = Object.entries(run.stages).filter(([name]) => !(name in run.absent[state.method]));
  const shown = [
    choice("Split", [["", "all"], ...splits.map((name) => [name, name])], state.split, set("split")),
    choice("Class", [["", "all"], ...run.classes.slice(1).map((name, index) => [index + 1, name])], state.class, set("class")),
    choice("Show", thumbnailChoices(run), state.thumb, set("thumb")),
    choice("Sort by", SORTS, state.sort, set("sort")),
  ];
  if (sorted || state.thumb) {
    shown.push(choice("Method", run.methods.map((name) => [name, run.titles[name]]), state.method, set("method")));
  }
  if (state.sort === "gain") shown.push(choice("From", stages, state.from, set("from")));
  if (sorted) shown.push(choice(state.sort === "gain" ? "To" : "Stage", stages, state.stage, set("stage")));
  if (state.sort === "pair") {
    const named = pairs.map(([pair, count]) => [pair, `${pairName(run, pair.split(","))} (${count})`]);
    shown.push(choice("Pair", [["", "all"], ...named], state.pair, set("pair")));
  } else if (sorted) {
    shown.push(choice("Order", [["", "lowest first"], ["1", "highest first"]], state.descending, set("descending")));
  }
  return shown;
}

/** An input that searches as one types, and when the typing has paused. */
function searchInput(changed) {
  const input = make("input", { type: "search", id: "search", "aria-label": "Search", value: state.id, placeholder: "part of an id" });
  let waiting;
  input.oninput = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { go({ id: input.value }, true); changed(); }, TYPING);
  };
  return make("label", {}, "Search", input);
}

const nothingFound = () =>
  make("div", { className: "nothing" }, notice("No image passes the filters."),
    make("button", { type: "button", onclick: () => go(FILTERS) }, "Clear filters"));

/** Show the gallery; returns its keys, and what is done once it is shown. */
export async function showGallery(page, run) {
  const cards = new Cards(run, () => places.set(nameOfSelection(), { top: cards.scroller.scrollTop, id: cards.id }));
  const count = make("span", { className: "count", role: "status" });
  const told = make("div");
  let turn = 0;
  let pairs;
  const bar = make("div", { className: "choices" });
  async function update() {
    const mine = ++turn;
    const found = await selection(run);
    if (mine !== turn) return;
    if (pairs !== JSON.stringify(found.pairs)) { // an open choice stays open otherwise
      pairs = JSON.stringify(found.pairs);
      bar.replaceChildren(...choices(run, found.pairs), sizeSlider(() => cards.fill()));
    }
    const id = state.image || places.get(nameOfSelection())?.id;
    say(count, `${found.rows.length} of ${run.images.id.length} images`);
    told.replaceChildren(...(found.why ? [notice(`${found.why}, so there is nothing to sort by`)] : []), ...(found.rows.length ? [] : [nothingFound()]));
    cards.update(found.rows, found.text, found.rows.findIndex((row) => run.images.id[row] === id));
  }
  await update();
  const mistakes = isDifference(state.thumb) ? Object.entries(MISTAKES).map(([kind, colour]) => chip(colour, kind)) : [];
  const legend = make("p", { className: "legend" }, count, ...mistakes);
  page.replaceChildren(controls([searchInput(update)], [bar]), legend, told, cards.scroller);
  return {
    keys: {
      ArrowLeft: () => cards.move(-1), ArrowRight: () => cards.move(1),
      ArrowUp: () => cards.move(-cards.shape.columns), ArrowDown: () => cards.move(cards.shape.columns),
      Enter: () => cards.id && go({ page: "image", image: cards.id, patch: "" }),
    },
    ready() {
      cards.restore(places.get(nameOfSelection())?.top ?? 0);
      go({ image: "" }, true); // where one comes from is told by the card that is selected
    },
    focus: () => cards.focus(),
    async refresh() {
      await update();
      cards.refresh();
    },
  };
}
