// What the address may say: what means nothing is left out, and told.

import { SIZES } from "./elements.js";
import { SORTS } from "./selection.js";
import { LABELS, ORDER } from "./stages.js";
import { DEFAULTS, go, readState, state } from "./state.js";
import { thumbnailChoices } from "./thumbnails.js";

const MOST_TOLD = 24;
const PAGES = ["gallery", "image", "prototypes"];
const SHARE = [0, 100];
const RANGES = { opacity: SHARE, threshold: SHARE, size: SIZES, round: [0, Infinity], patch: [0, Infinity] };

/** Words that are allowed, by name. */
function words(run) {
  const classes = run.classes.slice(1).map((_, index) => String(index + 1));
  const stages = Object.keys(run.stages);
  const pairs = (first, second, between) => first.flatMap((one) => second.map((other) => one + between + other));
  return {
    page: PAGES, split: [...new Set(run.images.split)], class: classes, sort: SORTS.map(([name]) => name),
    stage: stages, from: stages, descending: ["1"], thumb: thumbnailChoices(run).map(([name]) => name),
    method: run.methods, with: run.methods, shown: ["all", ...classes], mode: ["row", "column"], of: LABELS,
    map: Object.keys(run.maps), pair: pairs(["0", ...classes], ["0", ...classes], ","), large: pairs(ORDER, run.methods, "@"),
  };
}

/** Read the address; returns what is wrong with it, in words. */
export function readAddress(run) {
  const unknown = readState().map((name) => `${name}: there is no such setting`);
  const allowed = words(run);
  const reasons = Object.keys(DEFAULTS).flatMap((name) => {
    const value = state[name];
    const why = value === DEFAULTS[name] ? null : whyWrong(value, allowed[name], RANGES[name]);
    if (!why) return [];
    state[name] = DEFAULTS[name];
    return [`${name}=${value}: ${why}`];
  });
  state.method ||= run.methods[0];
  if (unknown.length + reasons.length) go({}, true);
  return [...unknown, ...reasons];
}

function whyWrong(value, allowed, range) {
  if (allowed && !allowed.includes(value)) {
    const told = allowed.filter(Boolean);
    return `it is one of ${told.slice(0, MOST_TOLD).join(", ")}${told.length > MOST_TOLD ? ", …" : ""}`;
  }
  if (range && !(/^\d+$/.test(value) && value >= range[0] && value <= range[1])) {
    return `it is a whole number from ${range[0]}${range[1] < Infinity ? ` to ${range[1]}` : ""}`;
  }
  return null;
}
