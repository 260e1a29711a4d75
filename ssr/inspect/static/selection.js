// Which images pass the filters, and in which order.

import { missing, scores } from "./api.js";
import { state } from "./state.js";

export const SORTS = [
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

export const pairName = (run, [truth, answer]) => `${run.classes[truth]} → ${run.classes[answer]}`;

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
