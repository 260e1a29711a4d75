// One image: what every stage made of it, with linked zoom, crosshair and affinities.

import { affinity } from "./api.js";
import { showAffinities } from "./affinities.js";
import { MISTAKES } from "./draw.js";
import { choice, make, notice, slider } from "./elements.js";
import { selection } from "./gallery.js";
import { loadPixels, plane } from "./panel.js";
import { classColours, LABELS, NUMBERED, OF_METHOD, SHARED, stagePanel } from "./stages.js";
import { go, link, state } from "./state.js";
import { linkViews } from "./views.js";

const toGallery = () => go({ page: "gallery" });

/** Show the image in the address; returns what its keys do. */
export async function showImage(page, run) {
  const { rows } = await selection(run);
  const ids = rows.map((row) => run.images.id[row]);
  const id = state.image || ids[0];
  const row = run.images.id.indexOf(id);
  if (row < 0) {
    page.replaceChildren(notice(id ? `No image is named ${id}.` : "No image passes the filters."));
    return { Escape: toGallery };
  }
  const view = await describeView(run, id, run.images.labels[row]);
  const groups = stageGroups(view);
  const panels = groups.flatMap((group) => group.panels);
  const place = ids.indexOf(id);
  const step = (by) => ids[place + by] && go({ image: ids[place + by], patch: "" });
  const { section, all, pick } = affinitySection(view, panels);
  const views = make("div", { className: "views" }, section, ...groups.map(groupElement));
  const redraw = () => all().forEach((panel) => panel.draw(panel.canvas));
  const ends = { first: place <= 0, last: place + 1 >= ids.length };
  page.replaceChildren(controls(view, step, ends, redraw), legend(view), views);
  const read = (panel, u, v) => { panel.value.textContent = u === null ? "" : panel.read(u, v); };
  linkViews(views, { pick, hover: (u, v) => all().forEach((panel) => read(panel, u, v)) });
  const steps = { ArrowLeft: () => step(-1), ArrowRight: () => step(1), Escape: toGallery };
  return { ...steps, ...enlargingKeys(panels) };
}

async function describeView(run, id, labels) {
  const wanted = Number(state.shown);
  const shownClass = labels.includes(wanted) ? wanted : labels[0];
  const methods = [...new Set([state.method, state.with])].filter((name) => run.methods.includes(name));
  return { run, id, labels, shownClass, methods, base: await loadPixels(id), colourOf: classColours(run, labels) };
}

/** [{title, panels, absent}]: what all methods share, then each method and why it lacks stages. */
function stageGroups(view) {
  const group = (title, stages, method, absent) =>
    ({ title, panels: stages.map((stage) => stagePanel(view, stage, method)), absent: [...new Set(Object.values(absent))] });
  const having = (stages, method) => stages.filter((stage) => !(stage in view.run.absent[method]));
  return [
    group("Data and initial CAM", having(SHARED, view.methods[0]), view.methods[0], {}),
    ...view.methods.map((method) => group(`Method ${view.run.titles[method]}`, having(OF_METHOD, method), method, view.run.absent[method])),
  ];
}

const groupElement = ({ title, panels, absent }) =>
  make("section", {}, make("h2", {}, title), ...(absent.length ? [make("p", { className: "count" }, absent.join(", "))] : []),
    make("div", { className: "figures" }, ...panels.map((panel) => panel.figure)));

/** The affinities, above the stages; `all` gives the panels of both, `pick` chooses a patch. */
function affinitySection(view, panels) {
  const section = make("section", { className: "affinities", "aria-live": "polite" });
  let shown = [];
  const show = () => { shown = showAffinities(section, view, show); };
  async function pick(u, v) {
    const known = panels.find((panel) => panel.grid)?.grid;
    const grid = known ?? plane(await affinity(view.id, view.methods[0], 0, "row"));
    const patch = Math.floor(v * grid.rows) * grid.columns + Math.floor(u * grid.columns);
    go({ patch: String(patch) }, true);
    show();
  }
  show();
  return { section, all: () => [...panels, ...shown], pick };
}

/** Keys 1 to 9 make the pictures of a stage large, or small again. */
function enlargingKeys(panels) {
  const enlarge = (stage) => {
    go({ large: state.large === stage ? "" : stage }, true);
    for (const { figure } of panels) figure.classList.toggle("large", figure.dataset.stage === state.large);
  };
  return Object.fromEntries(NUMBERED.map((stage, index) => [index + 1, () => enlarge(stage)]));
}

function controls({ run, id, labels, shownClass }, step, { first, last }, redraw) {
  const set = (name) => (value) => go({ [name]: value });
  const now = (name) => (value) => { go({ [name]: value }, true); redraw(); };
  const methods = run.methods.map((name) => [name, run.titles[name]]);
  const arrow = (text, by, disabled, spoken) =>
    make("button", { type: "button", onclick: () => step(by), disabled, "aria-label": spoken }, text);
  return make("form", { className: "controls", onsubmit: (event) => event.preventDefault() },
    make("a", { className: "button", href: link({ page: "gallery" }) }, "Gallery"),
    arrow("←", -1, first, "Image before"), make("b", { id: "which" }, id), arrow("→", 1, last, "Image after"),
    choice("Class", labels.map((label) => [label, run.classes[label]]), shownClass, set("shown")),
    choice("Method", methods, state.method, set("method")),
    choice("Compare with", [["", "none"], ...methods], state.with, set("with")),
    choice("Difference of", [["", "last stage"], ...LABELS.map((name) => [name, run.stages[name]])], state.of, set("of")),
    choice("Colours", Object.keys(run.maps).map((name) => [name, name]), state.map, now("map")),
    slider("Opacity", state.opacity, now("opacity")),
    slider("CAM threshold", state.threshold, now("threshold")));
}

function legend({ run, labels, colourOf }) {
  const chip = (colour, text) => {
    const mark = make("i", { className: "chip" });
    mark.style.background = `rgb(${colour})`;
    return make("span", {}, mark, text);
  };
  return make("p", { className: "legend" },
    ...labels.map((label) => chip(colourOf(label), run.classes[label])),
    make("span", {}, "Difference:"),
    ...Object.entries(MISTAKES).map(([kind, colour]) => chip(colour, kind)));
}
