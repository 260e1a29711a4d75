// The affinity of a patch, docked beside the stages: whom it listens to, and who listens to it.

import { affinity, missing } from "./api.js";
import { drawMap, valueAt } from "./draw.js";
import { make, notice, say } from "./elements.js";
import { Panel, plane } from "./panel.js";
import { look } from "./stages.js";
import { go, state } from "./state.js";

const MODES = { row: "Row: whom it listens to", column: "Column: who listens to it" };
const HINT = "Click a patch: its affinity to all others appears here.";
const EXPLANATION = "bright: as strong as the strongest beside the patch itself";
const KINDS = ["CLIP attention", "DINO attention", "Fused affinity"];
const FUSED = 2; // CLIP's and DINO's are of the features

export class AffinityDock {
  /** `workspace` holds all frames: they mark the patch by its properties. */
  constructor(view, workspace) {
    this.view = view;
    this.workspace = workspace;
    this.methods = view.methods.filter((method) => !("features" in view.run.absent[method]));
    this.sources = this.methods.flatMap((method) => kindsOf(view.run, this.methods[0], method));
    this.panels = this.sources.map(({ title }) => new Panel({ title, explanation: EXPLANATION, spoken: title }, view.base));
    this.heading = make("h2", { "aria-live": "polite" });
    this.hint = notice(this.methods.length ? HINT : view.run.absent[view.methods[0]].features);
    this.turn = make("button", { type: "button", onclick: () => this.change({ mode: state.mode === "row" ? "column" : "row" }) });
    const close = make("button", { type: "button", className: "close", "aria-label": "Close affinities", onclick: () => this.change({ patch: "" }) }, "×");
    this.figures = make("div", { className: "figures" }, ...this.panels.map((panel) => panel.figure));
    this.element = make("aside", { className: "affinities", "aria-label": "Affinity of a patch" },
      this.heading, close, this.turn, this.hint, this.figures);
  }

  change(changes) {
    go(changes, true);
    return this.refresh();
  }

  /** Show the patch in the address, or how to choose one. */
  async refresh() {
    const picked = state.patch !== "" && this.methods.length > 0;
    this.workspace.classList.toggle("picked", picked);
    this.element.classList.toggle("open", picked); // where the window is narrow
    say(this.heading, picked ? `Affinity of patch ${state.patch}` : "Affinity of a patch");
    this.turn.textContent = MODES[state.mode];
    this.hint.hidden = picked;
    this.turn.hidden = this.figures.hidden = !picked;
    if (!picked) return;
    this.mark().catch(() => this.workspace.classList.remove("picked")); // the panels say why
    await Promise.all(this.sources.map((source, place) => {
      this.panels[place].canvas.setAttribute("aria-label", `${source.title}, ${state.mode} of patch ${state.patch}, image ${this.view.id}`);
      return this.panels[place].fill(this.content(source));
    }));
  }

  /** Choose the patch at a place (u, v) in 0..1. */
  pick(u, v) {
    return this.choose(({ rows, columns }) => Math.floor(v * rows) * columns + Math.floor(u * columns));
  }

  /** Choose the neighbour of the patch, or the one in the middle if there is none. */
  step(right, down) {
    if (state.patch === "") return this.pick(0.5, 0.5);
    const within = (value, most) => Math.min(Math.max(value, 0), most - 1);
    return this.choose(({ rows, columns }) =>
      within(Math.floor(state.patch / columns) + down, rows) * columns + within((state.patch % columns) + right, columns));
  }

  /** Choose the patch that `find` gives for a grid, or say why there is none. */
  async choose(find) {
    if (!this.methods.length) return;
    try {
      await this.change({ patch: String(find(await this.grid(0))) });
    } catch (error) {
      if (!error.told) throw error;
      this.hint.textContent = `No patch can be chosen: ${error.message}`;
      this.element.classList.add("open");
    }
  }

  async grid(place) {
    return plane(await affinity(this.view.id, this.methods[place], 0, "row"));
  }

  /** Where the patch lies, in shares of the image: {u, v, rows, columns}. */
  async where() {
    const { rows, columns } = await this.grid(0);
    return { u: (state.patch % columns) / columns, v: Math.floor(state.patch / columns) / rows, rows, columns };
  }

  async mark() {
    const { u, v, rows, columns } = await this.where();
    const set = (name, value) => this.workspace.style.setProperty(name, value);
    set("--column", u);
    set("--row", v);
    set("--patch-width", `${100 / columns}%`);
    set("--patch-height", `${100 / rows}%`);
  }

  /** The patch at the same place in the grid of another method. */
  async patchOf(method) {
    const place = this.methods.indexOf(method);
    if (!place) return Number(state.patch);
    const { u, v, rows, columns } = await this.where();
    const own = await this.grid(place);
    const [across, down] = [u + 0.5 / columns, v + 0.5 / rows];
    return Math.floor(down * own.rows) * own.columns + Math.floor(across * own.columns);
  }

  async content({ method, index }) {
    const patch = await this.patchOf(method);
    const map = plane(await affinity(this.view.id, method, patch, state.mode), index);
    const own = map.values.subarray(map.offset, map.offset + map.rows * map.columns);
    // Attention to oneself outshines all else.
    const most = own.reduce((a, b, place) => (place === patch ? a : Math.max(a, b)), 0);
    if (!most) throw missing("this method does not refine");
    return {
      draw: (canvas) => drawMap(canvas, this.view.base, map, { ...look(this.view), threshold: 0, scale: 1 / most }),
      read: (u, v) => valueAt(map, u, v).toPrecision(3),
    };
  }
}

/** What is shown of a method: only the fused affinity if its features are those of the first. */
function kindsOf(run, first, method) {
  const kinds = KINDS.map((kind, index) => ({ method, index, title: method === first && index < FUSED ? kind : `${kind} of ${method}` }));
  return method !== first && run.owners[method].features === run.owners[first].features ? kinds.slice(FUSED) : kinds;
}
