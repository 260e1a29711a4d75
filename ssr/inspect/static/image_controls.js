// What stands above the pictures of an image: choices, sliders and the meaning of colours.

import { MISTAKES } from "./draw.js";
import { chip, choice, controls, make, sizeSlider, slider } from "./elements.js";
import { LABELS } from "./stages.js";
import { go, link, state } from "./state.js";

export function imageControls({ run, id, labels, shownClass }, step, redraw) {
  const set = (name) => (value) => go({ [name]: value });
  const now = (name) => (value) => { go({ [name]: value }, true); redraw(); };
  const methods = run.methods.map((name) => [name, run.titles[name]]);
  const arrow = (text, by, spoken) =>
    make("button", { type: "button", onclick: () => step(by), disabled: !step.has(by), "aria-label": spoken }, text);
  const first = [
    make("a", { className: "button", "data-page": "gallery", href: link({ page: "gallery" }) }, "Gallery"),
    arrow("←", -1, "Image before"), make("h2", { id: "which", tabIndex: -1 }, id), arrow("→", 1, "Image after"),
  ];
  return controls(first, [
    choice("Class", [...labels.map((label) => [label, run.classes[label]]), ["all", "all at once"]], shownClass || "all", set("shown")),
    choice("Method", methods, state.method, set("method")),
    choice("Compare with", [["", "none"], ...methods.filter(([name]) => name !== state.method)], state.with === state.method ? "" : state.with, set("with")),
    choice("Difference of", [["", "last stage"], ...LABELS.map((name) => [name, run.stages[name]])], state.of, set("of")),
    choice("Colours", Object.keys(run.maps).map((name) => [name, name]), state.map, now("map")),
    slider("Opacity", state.opacity, now("opacity")),
    slider("CAM threshold", state.threshold, now("threshold")),
    sizeSlider(),
  ]);
}

export function legend({ run, methods, labels, colourOf }) {
  const absent = methods.length > 1 ? [] : new Set(Object.values(run.absent[methods[0]]));
  return make("p", { className: "legend" },
    ...labels.map((label) => chip(colourOf(label), run.classes[label])),
    make("span", {}, "Difference:"),
    ...Object.entries(MISTAKES).map(([kind, colour]) => chip(colour, kind)),
    ...[...absent].map((reason) => make("small", {}, reason)));
}
