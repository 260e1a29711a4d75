// The affinity of a patch: whom it listens to, and who listens to it.

import { affinity, missing } from "./api.js";
import { drawMap, valueAt } from "./draw.js";
import { make, notice } from "./elements.js";
import { Panel, plane } from "./panel.js";
import { look } from "./stages.js";
import { go, state } from "./state.js";

const MODES = { row: "Row: whom it listens to", column: "Column: who listens to it" };
const EXPLANATION = "bright: as strong as the strongest beside the patch itself";

/** Fill `section` for the patch in the address; returns the panels. */
export function showAffinities(section, view, changed) {
  if (state.patch === "") {
    section.replaceChildren(notice("Click a patch: its affinity to all others appears here."));
    return [];
  }
  const panels = view.methods.flatMap((method, place) => affinityPanels(view, method, place > 0));
  const turn = make("button", { type: "button" }, MODES[state.mode]);
  turn.onclick = () => {
    go({ mode: state.mode === "row" ? "column" : "row" }, true);
    changed();
  };
  section.replaceChildren(
    make("h2", {}, `Affinity of patch ${state.patch} `, turn),
    make("div", { className: "figures" }, ...panels.map((panel) => panel.figure)));
  return panels;
}

/** CLIP, DINO and the fused affinity of a method, or only the last, for the others are shared. */
function affinityPanels(view, method, onlyFused) {
  const found = affinity(view.id, method, state.patch, state.mode);
  const titles = ["CLIP attention", "DINO attention", `Fused affinity of ${method}`];
  return titles.map((title, index) => ({ title, index })).slice(onlyFused ? 2 : 0).map(({ title, index }) => {
    const spoken = `${title}, ${state.mode} of patch ${state.patch}, image ${view.id}`;
    const panel = new Panel({ title, explanation: EXPLANATION, spoken }, view.base);
    panel.fill(found.then((lines) => content(view, plane(lines, index), panel)));
    return panel;
  });
}

function content(view, map, panel) {
  const patch = Number(state.patch);
  const own = map.values.subarray(map.offset, map.offset + map.rows * map.columns);
  // Attention to oneself outshines all else.
  const most = own.reduce((a, b, place) => (place === patch ? a : Math.max(a, b)), 0);
  if (!most) throw missing("this method does not refine");
  panel.frame.append(marker(patch, map));
  return {
    draw: (canvas) => drawMap(canvas, view.base, map, { ...look(view), threshold: 0, scale: 1 / most }),
    read: (u, v) => valueAt(map, u, v).toPrecision(3),
  };
}

function marker(patch, { rows, columns }) {
  const mark = make("i", { className: "patch" });
  mark.style.setProperty("--column", (patch % columns) / columns);
  mark.style.setProperty("--row", Math.floor(patch / columns) / rows);
  mark.style.width = `calc(var(--zoom) * ${100 / columns}%)`;
  mark.style.height = `calc(var(--zoom) * ${100 / rows}%)`;
  return mark;
}
