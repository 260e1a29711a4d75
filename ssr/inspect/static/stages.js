// How each stage of an image is drawn and read.

import { missing, scores, stageArray } from "./api.js";
import { drawCams, drawDifference, drawImage, drawLabels, drawMap, drawMask, drawParts, IGNORE, mistake, rgb, valueAt } from "./draw.js";
import { Panel, plane } from "./panel.js";
import { state } from "./state.js";

export const LABELS = ["pseudo_label", "prediction", "prediction_crf"];
export const ORDER = [
  "image", "truth", "superpixels", "regions", "initial_cam", "aligned_cam", "target", "refined_cam",
  ...LABELS, "difference",
];
const PER_CLASS = ["initial_cam", "aligned_cam", "target", "refined_cam"];
const MORE = {
  superpixels: ["Superpixels", "SLIC, each in its mean colour"],
  regions: ["Colour regions", "superpixels of like colours, each region in its mean colour"],
  difference: ["Difference", "where the labels are not the ground truth"],
};

/** A colour for each class: those of the image first, so that they differ most. */
export function classColours(run, labels) {
  const order = [...labels];
  return (label) => {
    if (!order.includes(label)) order.push(label);
    return rgb(run.colours[order.indexOf(label) % run.colours.length]);
  };
}

/** The sliders and choices of the moment. */
export const look = ({ run, colourOf }) => ({
  colours: run.maps[state.map], opacity: state.opacity / 100, threshold: state.threshold / 100, colourOf,
});

/** [{title, tiles: [{stage, method}]}]: what the methods share, then what each has, in the same columns. */
export function stageGroups({ run, methods }) {
  const [first] = methods;
  const group = (title, stages, method) => ({ title, tiles: stages.map((stage) => ({ stage, method })) });
  if (methods.length === 1) {
    return [group(`Method ${run.titles[first]}`, ORDER.filter((stage) => !(stage in run.absent[first])), first)];
  }
  const made = ORDER.filter((stage) => methods.some((method) => !(stage in run.absent[method])));
  const isShared = (stage) => stage !== "difference" && new Set(methods.map((method) => run.owners[method][stage])).size === 1;
  return [
    group("The same in both methods", made.filter(isShared), first),
    ...methods.map((method) => group(`Method ${run.titles[method]}`, made.filter((stage) => !isShared(stage)), method)),
  ];
}

/** The panel of a stage of the image in `view` ({run, id, labels, shownClass, methods, base, colourOf}). */
export function stagePanel(view, { stage, method }) {
  const [title, explanation] = { ...view.run.panels, ...MORE }[stage];
  const shown = view.shownClass ? view.run.classes[view.shownClass] : "all classes";
  const of = PER_CLASS.includes(stage) && view.labels.length ? ` of ${shown}` : "";
  const spoken = `${title}${of}, image ${view.id}, method ${method}`;
  const panel = new Panel({ title: title + of, explanation, spoken }, view.base);
  panel.figure.dataset.stage = stage;
  panel.refresh = () => Promise.all([panel.fill(content(view, stage, method)), score(view, stage, method, panel)]);
  panel.refresh();
  return panel;
}

/** The mean IoU of the image at a stage, where it was evaluated. */
async function score({ run, id }, stage, method, panel) {
  if (!(stage in run.stages) || stage in run.absent[method]) return;
  const table = await scores(stage, method).catch((error) => {
    if (!error.told) throw error;
  });
  const value = table?.miou[table.id.indexOf(id)] ?? null;
  panel.score.textContent = value === null ? "" : `IoU ${(100 * value).toFixed(1)}`;
}

/** {draw, read} of a stage, and `named` where its title tells more. */
export async function content(view, stage, method) {
  const { base, id, run } = view;
  if (stage in run.absent[method]) throw missing(run.absent[method][stage]);
  if (stage === "image") return { draw: (canvas) => drawImage(canvas, base) };
  if (stage === "difference") return difference(view, await comparedStage(view), method);
  const found = await stageArray(stage, id, method);
  if (PER_CLASS.includes(stage)) return perClass(view, stage, found);
  const map = plane(found);
  if (stage === "superpixels" || stage === "regions") {
    return { draw: (canvas) => drawParts(canvas, base, map), read: (u, v) => `no. ${valueAt(map, u, v)}` };
  }
  const name = (label) => (label === IGNORE ? "ignored" : run.classes[label]);
  return {
    draw: (canvas) => drawLabels(canvas, base, map, look(view)),
    read: (u, v) => name(valueAt(map, u, v)),
  };
}

function perClass(view, stage, found) {
  const { base, labels, shownClass } = view;
  if (!labels.length) throw missing("the image has no class");
  const maps = labels.map((_, index) => plane(found, index));
  if (!shownClass) return allClasses(view, stage, maps);
  const map = maps[labels.indexOf(shownClass)];
  if (stage === "target") {
    return { draw: (canvas) => drawMask(canvas, base, map), read: (u, v) => (valueAt(map, u, v) ? "on" : "off") };
  }
  return { draw: (canvas) => drawMap(canvas, base, map, look(view)), read: (u, v) => valueAt(map, u, v).toFixed(3) };
}

/** The maps of all classes at once, in the colours of these. */
function allClasses(view, stage, maps) {
  const { base, labels, run } = view;
  const isMask = stage === "target";
  const word = (value) => (isMask ? (value ? "on" : "off") : value.toFixed(2));
  const read = (u, v) => labels.map((label, index) => `${run.classes[label]} ${word(valueAt(maps[index], u, v))}`).join(", ");
  if (!isMask) return { draw: (canvas) => drawCams(canvas, base, maps, labels, look(view)), read };
  const [{ rows, columns }] = maps;
  const on = (patch) => labels.find((_, index) => maps[index].values[maps[index].offset + patch]) ?? 0;
  const first = { rows, columns, values: Uint8Array.from({ length: rows * columns }, (_, patch) => on(patch)) };
  return { draw: (canvas) => drawLabels(canvas, base, first, look(view)), read };
}

/** The stage that is chosen, or else the last that all methods in view have made of the image. */
async function comparedStage({ id, methods }) {
  if (state.of) return state.of;
  for (const stage of LABELS.toReversed()) {
    const found = await Promise.allSettled(methods.map((method) => stageArray(stage, id, method)));
    // What can't be read is told, not passed over.
    if (found.every(({ reason }) => !reason) || found.some(({ reason }) => reason && !reason.missing)) return stage;
  }
  return LABELS[0];
}

/** Where the labels of a stage are not the ground truth. */
export async function difference({ run, base, id }, stage, method) {
  const [truth, map] = (await Promise.all([stageArray("truth", id, method), stageArray(stage, id, method)])).map((found) => plane(found));
  return {
    named: `Difference: ${run.stages[stage]}`,
    draw: (canvas) => drawDifference(canvas, base, truth, map),
    read: (u, v) => mistake(valueAt(truth, u, v), valueAt(map, u, v)),
  };
}
