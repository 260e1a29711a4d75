// How each stage of an image is drawn and read.

import { missing, stageArray } from "./api.js";
import { drawDifference, drawImage, drawLabels, drawMap, drawMask, drawParts, IGNORE, mistake, rgb, valueAt } from "./draw.js";
import { Panel, plane } from "./panel.js";
import { state } from "./state.js";

export const SHARED = ["image", "truth", "superpixels", "regions", "initial_cam"];
export const LABELS = ["pseudo_label", "prediction", "prediction_crf"];
export const OF_METHOD = ["aligned_cam", "target", "refined_cam", ...LABELS, "difference"];
/** Those of the keys 1 to 9. */
export const NUMBERED = ["image", "initial_cam", "aligned_cam", "regions", "target", "refined_cam", ...LABELS];
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
  colours: run.maps[state.map] ?? run.maps.inferno,
  opacity: state.opacity / 100, threshold: state.threshold / 100, colourOf,
});

/** The panel of a stage of the image in `view` ({run, id, labels, shownClass, base, colourOf}). */
export function stagePanel(view, stage, method) {
  const [title, explanation] = { ...view.run.panels, ...MORE }[stage];
  const of = PER_CLASS.includes(stage) && view.shownClass ? ` of ${view.run.classes[view.shownClass]}` : "";
  const number = NUMBERED.indexOf(stage) + 1;
  const spoken = `${title}${of}, image ${view.id}, method ${method}`;
  const panel = new Panel({ title: title + of, explanation, number, spoken }, view.base);
  panel.figure.dataset.stage = stage;
  panel.figure.classList.toggle("large", state.large === stage);
  panel.fill(content(view, stage, method));
  return panel;
}

async function content(view, stage, method) {
  const { base, id } = view;
  if (stage === "image") return { draw: (canvas) => drawImage(canvas, base) };
  if (stage === "difference") return difference(view, method);
  const found = await stageArray(stage, id, method);
  if (PER_CLASS.includes(stage)) return perClass(view, stage, found);
  const map = plane(found);
  if (stage === "superpixels" || stage === "regions") {
    return { draw: (canvas) => drawParts(canvas, base, map), read: (u, v) => `no. ${valueAt(map, u, v)}` };
  }
  const name = (label) => (label === IGNORE ? "ignored" : view.run.classes[label]);
  return {
    draw: (canvas) => drawLabels(canvas, base, map, look(view)),
    read: (u, v) => name(valueAt(map, u, v)),
  };
}

function perClass(view, stage, found) {
  if (!view.labels.length) throw missing("the image has no class");
  const map = plane(found, view.labels.indexOf(view.shownClass));
  if (stage === "target") {
    return {
      grid: map,
      draw: (canvas) => drawMask(canvas, view.base, map),
      read: (u, v) => (valueAt(map, u, v) ? "on" : "off"),
    };
  }
  return {
    grid: map,
    draw: (canvas) => drawMap(canvas, view.base, map, look(view)),
    read: (u, v) => valueAt(map, u, v).toFixed(3),
  };
}

/** The ground truth against the stage chosen, or else the last that has run. */
async function difference({ run, base, id }, method) {
  const truth = plane(await stageArray("truth", id, method));
  let why;
  for (const stage of state.of ? [state.of] : LABELS.toReversed()) {
    const found = await stageArray(stage, id, method).catch((error) => {
      if (!error.missing) throw error;
      why = error;
    });
    if (!found) continue;
    const map = plane(found);
    return {
      named: `Difference: ${run.stages[stage]}`,
      draw: (canvas) => drawDifference(canvas, base, truth, map),
      read: (u, v) => mistake(valueAt(truth, u, v), valueAt(map, u, v)),
    };
  }
  throw why;
}
