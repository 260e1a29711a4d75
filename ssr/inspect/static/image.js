// One image: what every stage made of it, with linked zoom, crosshair and affinities.

import { AffinityDock } from "./affinities.js";
import { make, notice } from "./elements.js";
import { imageControls, legend } from "./image_controls.js";
import { Lightbox } from "./lightbox.js";
import { loadPixels } from "./panel.js";
import { selection } from "./selection.js";
import { classColours, stageGroups, stagePanel } from "./stages.js";
import { go, state } from "./state.js";
import { linkViews } from "./views.js";

const NUMBERS = 9;
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const toGallery = () => go({ page: "gallery" });

/** Show the image in the address; returns its keys, and what is done once it is shown. */
export async function showImage(page, run) {
  const { rows } = await selection(run);
  const ids = rows.map((row) => run.images.id[row]);
  const id = state.image || ids[0];
  const row = run.images.id.indexOf(id);
  if (row < 0) {
    page.replaceChildren(notice(id ? `No image is named ${id}.` : "No image passes the filters."));
    return { keys: { Escape: toGallery } };
  }
  const view = await describeView(run, id, run.images.labels[row]);
  const groups = stageGroups(view);
  const tiles = groups.flatMap((group) => group.tiles);
  const panels = tiles.map((tile) => (tile.panel = stagePanel(view, tile)));
  const workspace = make("div", { className: "workspace" });
  const dock = new AffinityDock(view, workspace);
  const lightbox = new Lightbox(view, tiles);
  const all = () => [...panels, ...dock.panels, ...lightbox.panels];
  workspace.append(stagesElement(groups), dock.element);
  linkViews(workspace, { pick: (u, v) => dock.pick(u, v), hover: (u, v) => all().forEach((panel) => panel.tell(u, v)) });
  panels.forEach((panel, place) => makeReachable(panel, place, dock, lightbox));
  dock.refresh();
  const step = stepper(ids, id);
  const redraw = () => all().forEach((panel) => panel.draw(panel.canvas));
  page.replaceChildren(imageControls(view, step, redraw), legend(view), workspace, lightbox.dialog);
  const numbers = Object.fromEntries(panels.slice(0, NUMBERS).map((_, place) => [place + 1, () => lightbox.show(place)]));
  return {
    keys: { ArrowLeft: () => step(-1), ArrowRight: () => step(1), Escape: toGallery, ...numbers },
    ready: () => lightbox.open(),
    refresh: () => [...panels, ...lightbox.panels, dock].forEach((one) => one.refresh()),
    focus: () => page.querySelector("#which").focus(),
  };
}

async function describeView(run, id, labels) {
  const wanted = Number(state.shown);
  const shownClass = state.shown === "all" ? 0 : labels.includes(wanted) ? wanted : labels[0];
  const methods = [...new Set([state.method, state.with])].filter((name) => run.methods.includes(name));
  return { run, id, labels, shownClass, methods, base: await loadPixels(id), colourOf: classColours(run, labels) };
}

/** Goes so many images on among those that pass the filters; `has` tells whether there is one. */
function stepper(ids, id) {
  const place = ids.indexOf(id);
  const has = (by) => place >= 0 && place + by in ids;
  return Object.assign((by) => has(by) && go({ image: ids[place + by], patch: "" }), { has });
}

/** Sections of pictures; two methods stand in one grid, with a column for each stage. */
function stagesElement(groups) {
  const [shared, ...compared] = groups.map(({ title, tiles }) => [make("h2", {}, title), ...tiles.map(({ panel }) => panel.figure)]);
  const stages = make("div", { className: "stages" }, make("section", { className: "figures" }, ...shared));
  if (compared.length) {
    const grid = make("section", { className: "figures compared" }, ...compared.flat());
    grid.style.setProperty("--columns", groups[1].tiles.length);
    stages.append(grid);
  }
  return stages;
}

/** Keys of a picture: arrows choose a patch, Enter and its number enlarge it. */
function makeReachable({ canvas, heading, foot, title }, place, dock, lightbox) {
  const enlarge = () => lightbox.show(place);
  if (place < NUMBERS) heading.prepend(make("kbd", {}, place + 1));
  foot.append(make("button", { type: "button", className: "small", "aria-label": `Enlarge ${title.textContent}`, onclick: enlarge }, "⤢"));
  canvas.tabIndex = 0;
  canvas.onkeydown = (event) => {
    const act = event.key === "Enter" ? enlarge : STEPS[event.key] && (() => dock.step(...STEPS[event.key]));
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation(); // the same keys go to other images
    act();
  };
}
