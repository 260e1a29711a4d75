// The picture on a card: the photo, or what a stage made of it.

import { imagePath } from "./api.js";
import { chip, make } from "./elements.js";
import { loadPixels, Panel } from "./panel.js";
import { classColours, content, difference, LABELS } from "./stages.js";
import { state } from "./state.js";

const SIDE = 256;
const DIFFERENCE = "difference_";

/** [value, text] of all that thumbnails can show. */
export const thumbnailChoices = (run) => [
  ["", "photo"], ["truth", "Ground truth"], ...Object.entries(run.stages),
  ...LABELS.map((stage) => [DIFFERENCE + stage, `Difference: ${run.stages[stage]}`]),
];

export const isDifference = (what) => what.startsWith(DIFFERENCE);

/** The classes of an image, with the colours that these have in its thumbnail. */
export function classNames(run, row, what) {
  const labels = run.images.labels[row];
  const colourOf = classColours(run, labels);
  const hasColours = what && !isDifference(what);
  const names = labels.map((label) => (hasColours ? chip(colourOf(label), run.classes[label]) : run.classes[label]));
  return names.flatMap((name, place) => (place ? [", ", name] : [name]));
}

/** {element, refresh} of an image; CAMs are those of `shownClass`, or of all classes. */
export function thumbnail(run, row, what, shownClass) {
  const [id, labels] = [run.images.id[row], run.images.labels[row]];
  const names = labels.map((label) => run.classes[label]).join(", ") || "no label";
  if (!what) {
    const element = make("img", { src: imagePath(id, SIDE), alt: `Image ${id}: ${names}` });
    return { element, refresh: () => {} };
  }
  const title = thumbnailChoices(run).find(([value]) => value === what)[1];
  const size = { width: run.images.width[row], height: run.images.height[row] };
  const panel = new Panel({ title, explanation: "", spoken: `${title} of image ${id}: ${names}` }, size);
  const refresh = () => panel.fill(draw(run, id, labels, what, shownClass));
  refresh();
  return { element: panel.frame, refresh };
}

async function draw(run, id, labels, what, shownClass) {
  const base = await loadPixels(id, SIDE);
  const view = {
    run, id, labels, base, methods: [state.method], colourOf: classColours(run, labels),
    shownClass: labels.includes(shownClass) ? shownClass : 0,
  };
  if (isDifference(what)) return difference(view, what.slice(DIFFERENCE.length), state.method);
  return content(view, what, state.method);
}
