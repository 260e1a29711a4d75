// All images: filtered, sorted, and only those in view as elements.

import { imagePath, missing, scores } from "./api.js";
import { choice, make, notice } from "./elements.js";
import { go, link, state } from "./state.js";

const CARD = { width: 176, height: 212 };
const SORTS = [
  ["index", "order of the index"], ["iou", "IoU of a stage"],
  ["gain", "IoU gained or lost between stages"], ["pair", "confusion pair"],
];

/** Scores of the method and stage by image id. */
async function scoresOf(run, stage) {
  try {
    const table = await scores(stage, state.method);
    return new Map(table.id.map((id, row) => [id, {
      miou: table.miou[row], iou: table.iou[row], pair: table.pair[row], wrong: table.wrong[row],
    }]));
  } catch (error) {
    if (!error.missing) throw error;
    throw missing(`${run.stages[stage]}, method ${state.method}: ${error.message}`);
  }
}

const iouOf = (one) => (state.class ? one?.iou[state.class] : one?.miou) ?? null;

/** What to sort by, or why by nothing: {value(id), text(id), scored(id), why}. */
async function measure(run) {
  const nothing = { value: () => null, text: () => "" };
  if (state.sort === "index") return nothing;
  try {
    return await measureScores(run);
  } catch (error) {
    if (!error.told) throw error;
    return { ...nothing, why: error.message };
  }
}

async function measureScores(run) {
  const now = await scoresOf(run, state.stage);
  const before = state.sort === "gain" ? await scoresOf(run, state.from) : now;
  const scored = (id) => now.has(id);
  const percent = (share) => (100 * share).toFixed(1);
  if (state.sort === "pair") {
    const value = (id) => now.get(id)?.wrong || null;
    const text = (id) => (value(id) ? `${pairName(run, now.get(id).pair)}: ${value(id)} px` : "no mistake");
    return { value, text, scored, now };
  }
  const value = (id) => {
    const [after, start] = [iouOf(now.get(id)), iouOf(before.get(id))];
    if (after === null || start === null) return null;
    return state.sort === "gain" ? after - start : after;
  };
  const sign = (share) => (state.sort === "gain" && share > 0 ? "+" : "");
  const text = (id) => (value(id) === null ? "–" : `${sign(value(id))}${percent(value(id))}`);
  return { value, text, scored };
}

const pairName = (run, [truth, answer]) => `${run.classes[truth]} → ${run.classes[answer]}`;

/** The images that pass the filters, sorted; {rows, text, why, pairs}, `why` if by nothing. */
export async function selection(run) {
  const { value, text, scored, why, now } = await measure(run);
  const wanted = Number(state.class);
  let rows = run.images.id.map((_, row) => row).filter((row) =>
    (!state.split || run.images.split[row] === state.split)
    && (!wanted || run.images.labels[row].includes(wanted))
    && run.images.id[row].toLowerCase().includes(state.id.toLowerCase()));
  const pairs = now ? countPairs(rows.map((row) => now.get(run.images.id[row]))) : [];
  if (now && state.pair) rows = rows.filter((row) => now.get(run.images.id[row])?.pair.join() === state.pair);
  if (state.sort !== "index") {
    const up = state.sort === "pair" || state.descending ? -1 : 1;
    const keys = new Map(rows.map((row) => [row, value(run.images.id[row])]));
    rows.sort((a, b) => {
      const [first, second] = [keys.get(a), keys.get(b)];
      if (first === null || second === null) return (first === null) - (second === null);
      return up * (first - second);
    });
  }
  return { rows, text, why: why ?? whyNone(run, rows, scored), pairs };
}

/** Where none of the images has scores, which ones have. */
function whyNone(run, rows, scored) {
  const known = (row) => scored(run.images.id[row]);
  if (!scored || !rows.length || rows.some(known)) return null;
  const splits = new Set(run.images.split.filter((_, row) => known(row)));
  return `only images of split ${[...splits].join(", ")} are evaluated`;
}

/** The worst mistakes of images as [pair, number of images], the most frequent first. */
function countPairs(found) {
  const counts = new Map();
  for (const one of found) {
    if (one?.wrong) counts.set(one.pair.join(), (counts.get(one.pair.join()) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]);
}

function controls(run, pairs) {
  const set = (name) => (value) => go({ [name]: value });
  const splits = [...new Set(run.images.split)];
  const search = make("input", { type: "search", id: "search", "aria-label": "Search", value: state.id, placeholder: "part of an id" });
  search.onchange = () => go({ id: search.value });
  const stages = Object.entries(run.stages).filter(([name]) => !(name in run.absent[state.method]));
  const shown = [
    make("label", {}, "Search", search),
    choice("Split", [["", "all"], ...splits.map((name) => [name, name])], state.split, set("split")),
    choice("Class", [["", "all"], ...run.classes.slice(1).map((name, index) => [index + 1, name])],
      state.class, set("class")),
    choice("Sort by", SORTS, state.sort, set("sort")),
  ];
  if (state.sort !== "index") {
    shown.push(choice("Method", run.methods.map((name) => [name, run.titles[name]]), state.method, set("method")));
    if (state.sort === "gain") shown.push(choice("From", stages, state.from, set("from")));
    shown.push(choice(state.sort === "gain" ? "To" : "Stage", stages, state.stage, set("stage")));
  }
  if (state.sort === "pair") {
    const named = pairs.map(([pair, count]) => [pair, `${pairName(run, pair.split(","))} (${count})`]);
    shown.push(choice("Pair", [["", "all"], ...named], state.pair, set("pair")));
  } else if (state.sort !== "index") {
    shown.push(choice("Order", [["", "lowest first"], ["1", "highest first"]], state.descending, set("descending")));
  }
  return make("form", { className: "controls", onsubmit: (event) => event.preventDefault() }, ...shown);
}

function card(run, row, text) {
  const id = run.images.id[row];
  const names = run.images.labels[row].map((index) => run.classes[index]).join(", ");
  const picture = make("img", { src: imagePath(id, 192), alt: `Image ${id}: ${names || "no label"}` });
  return make("a", { className: "card", href: link({ page: "image", image: id, patch: "" }) },
    picture, make("b", {}, id), make("span", { className: "score" }, text), make("small", {}, names || run.images.split[row]));
}

/** Show the gallery; returns what its keys do. */
export async function showGallery(page, run) {
  const { rows, text, why, pairs } = await selection(run);
  const plane = make("div", { className: "plane" });
  const scroller = make("div", { className: "scroller", role: "list", "aria-label": "Images" }, plane);
  const count = make("p", { className: "count", role: "status" }, `${rows.length} of ${run.images.id.length} images`);
  const parts = [controls(run, pairs), count];
  if (why) parts.push(notice(`${why}, so there is nothing to sort by`));
  page.replaceChildren(...parts, scroller);

  const cards = new Map();
  let selected = Math.max(0, rows.findIndex((row) => run.images.id[row] === state.image));
  const columns = () => Math.max(1, Math.floor(scroller.clientWidth / CARD.width));
  function fill() {
    const across = columns();
    plane.style.height = `${Math.ceil(rows.length / across) * CARD.height}px`;
    const first = Math.max(0, Math.floor(scroller.scrollTop / CARD.height) - 1) * across;
    const last = Math.min(rows.length, first + (Math.ceil(scroller.clientHeight / CARD.height) + 3) * across);
    for (const [place, one] of cards) {
      if (place < first || place >= last) { one.remove(); cards.delete(place); }
    }
    for (let place = first; place < last; place++) {
      if (!cards.has(place)) {
        cards.set(place, card(run, rows[place], text(run.images.id[rows[place]])));
        plane.append(cards.get(place));
      }
      const one = cards.get(place);
      one.style.left = `${(place % across) * CARD.width}px`;
      one.style.top = `${Math.floor(place / across) * CARD.height}px`;
      one.classList.toggle("selected", place === selected);
    }
  }
  scroller.onscroll = fill;
  const move = (steps) => {
    if (!rows.length) return;
    selected = Math.min(rows.length - 1, Math.max(0, selected + steps));
    const top = Math.floor(selected / columns()) * CARD.height;
    const bottom = top + CARD.height - scroller.clientHeight;
    scroller.scrollTop = Math.min(top, Math.max(bottom, scroller.scrollTop));
    fill();
  };
  new ResizeObserver(() => move(0)).observe(scroller);
  return {
    ArrowLeft: () => move(-1), ArrowRight: () => move(1),
    ArrowUp: () => move(-columns()), ArrowDown: () => move(columns()),
    Enter: () => rows.length && go({ page: "image", image: run.images.id[rows[selected]], patch: "" }),
  };
}
