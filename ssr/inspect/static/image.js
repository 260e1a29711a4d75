// One image: what every stage made of it, with linked zoom, crosshair and affinities.

import { affinity, imagePath, stageArray } from "./api.js";
import { drawDifference, drawImage, drawLabels, drawMap, drawMask, drawParts, IGNORE, mistake, MISTAKES, rgb, valueAt } from "./draw.js";
import { choice, make, notice, slider } from "./elements.js";
import { selection } from "./gallery.js";
import { go, link, state } from "./state.js";
import { linkViews } from "./views.js";

const LARGEST = 512;
const SHARED = ["image", "truth", "superpixels", "regions", "initial_cam"];
const OF_METHOD = ["aligned_cam", "target", "refined_cam", "pseudo_label", "prediction", "prediction_crf", "difference"];
const PER_CLASS = ["initial_cam", "aligned_cam", "target", "refined_cam"];
const LABELS = ["pseudo_label", "prediction", "prediction_crf"];
const NUMBERED = ["image", "initial_cam", "aligned_cam", "regions", "target", "refined_cam", "pseudo_label", "prediction", "prediction_crf"];
const AFFINITIES = ["CLIP", "DINO", "fused"];

/** The pixels of the image, at most LARGEST on a side: {width, height, data}. */
async function loadPixels(id) {
  const picture = new Image();
  picture.src = imagePath(id);
  await picture.decode();
  const scale = Math.min(1, LARGEST / Math.max(picture.naturalWidth, picture.naturalHeight));
  const [width, height] = [picture.naturalWidth, picture.naturalHeight].map((side) => Math.max(1, Math.round(side * scale)));
  const canvas = make("canvas", { width, height });
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0, width, height);
  return { width, height, data: context.getImageData(0, 0, width, height).data };
}

/** One plane (h, w) of an array (h, w) or (K, h, w). */
function plane({ shape, values }, index = 0) {
  const [rows, columns] = shape.slice(-2);
  return { values, rows, columns, offset: index * rows * columns };
}

function colours(run, row) {
  const order = [...run.images.labels[row]];
  return (label) => {
    if (!order.includes(label)) order.push(label);
    return rgb(run.colours[order.indexOf(label) % run.colours.length]);
  };
}

/** A figure of a stage: `draw` on its canvas, `read(u, v)` for the text under the pointer. */
class Panel {
  constructor(title, what, number, { width, height }) {
    this.canvas = make("canvas", { role: "img", "aria-label": title, width, height });
    this.frame = make("div", { className: "frame" }, this.canvas, make("i", { className: "cross" }));
    this.value = make("output");
    const caption = make("figcaption", { title: what }, make("b", {}, title), this.value);
    if (number) caption.prepend(make("kbd", {}, number));
    this.figure = make("figure", {}, this.frame, caption);
    this.draw = this.read = () => "";
  }

  async fill(promise) {
    try {
      Object.assign(this, await promise);
      this.draw();
    } catch (error) {
      if (!error.missing) throw error;
      this.frame.replaceChildren(notice("not run yet"));
      this.frame.title = error.message;
      this.figure.classList.add("missing");
    }
  }
}

export async function showImage(page, run) {
  const chosen = await selection(run);
  const ids = chosen.rows.map((row) => run.images.id[row]);
  const id = state.image || ids[0];
  const row = run.images.id.indexOf(id);
  if (row < 0) {
    page.replaceChildren(notice(id ? `No image is named ${id}.` : "No image passes the filters."));
    return { Escape: () => go({ page: "gallery" }) };
  }
  const labels = run.images.labels[row];
  const shownClass = labels.includes(Number(state.shown)) ? Number(state.shown) : labels[0];
  const methods = [state.method, state.with].filter((name, place, all) => name && all.indexOf(name) === place);
  const base = await loadPixels(id);
  const colourOf = colours(run, row);
  const panels = [];
  const look = () => ({
    colours: run.maps[state.map] ?? run.maps.inferno, opacity: state.opacity / 100, threshold: state.threshold / 100, colourOf,
  });

  /** How a stage is drawn and read. */
  async function content(stage, method, panel) {
    if (stage === "image") return { draw: () => drawImage(panel.canvas, base) };
    if (stage === "superpixels" || stage === "regions") {
      const parts = plane(await stageArray(stage, id, method));
      return { draw: () => drawParts(panel.canvas, base, parts), read: (u, v) => `no. ${valueAt(parts, u, v)}` };
    }
    if (stage === "difference") return difference(method, panel);
    const found = await stageArray(stage, id, method);
    if (PER_CLASS.includes(stage)) {
      if (!labels.length) throw Object.assign(new Error("no labels"), { missing: true });
      const map = plane(found, labels.indexOf(shownClass));
      panel.grid = map;
      if (stage === "target") return { draw: () => drawMask(panel.canvas, base, map), read: (u, v) => (valueAt(map, u, v) ? "on" : "off") };
      return { draw: () => drawMap(panel.canvas, base, map, look()), read: (u, v) => valueAt(map, u, v).toFixed(3) };
    }
    const map = plane(found);
    return {
      draw: () => drawLabels(panel.canvas, base, map, look()),
      read: (u, v) => { const label = valueAt(map, u, v); return label === IGNORE ? "ignored" : run.classes[label]; },
    };
  }

  async function difference(method, panel) {
    const truth = plane(await stageArray("truth", id, method));
    const wanted = state.of ? [state.of] : [...LABELS].reverse();
    for (const [place, stage] of wanted.entries()) {
      try {
        const map = plane(await stageArray(stage, id, method));
        panel.figure.querySelector("b").textContent = `Difference: ${run.stages[stage]}`;
        return { draw: () => drawDifference(panel.canvas, base, truth, map), read: (u, v) => mistake(valueAt(truth, u, v), valueAt(map, u, v)) };
      } catch (error) {
        if (!error.missing || place === wanted.length - 1) throw error;
      }
    }
    return {};
  }

  function figure(stage, method) {
    const [title, what] = {
      ...run.panels, superpixels: ["Superpixels", "SLIC, each in its mean colour"],
      regions: ["Colour regions", "superpixels of like colours, each region in its mean colour"],
      difference: ["Difference", "where the labels are not the ground truth"],
    }[stage];
    const of = PER_CLASS.includes(stage) && shownClass ? ` of ${run.classes[shownClass]}` : "";
    const number = NUMBERED.indexOf(stage) + 1;
    const panel = new Panel(title + of, what, number || "", base);
    panel.figure.dataset.stage = stage;
    panel.figure.classList.toggle("large", state.large === stage);
    panel.canvas.setAttribute("aria-label", `${title}${of}, image ${id}, method ${method}`);
    panels.push(panel);
    panel.fill(content(stage, method, panel));
    return panel.figure;
  }

  const group = (title, figures) => make("section", {}, make("h2", {}, title), make("div", { className: "figures" }, ...figures));
  const groups = [
    group("Data and initial CAM", SHARED.map((stage) => figure(stage, state.method))),
    ...methods.map((method) => group(`Method ${method}`, OF_METHOD.filter((stage) => !run.absent[method].includes(stage)).map((stage) => figure(stage, method)))),
  ];
  const rows = make("section", { className: "affinities", "aria-live": "polite" });
  const redraw = () => panels.forEach((panel) => panel.draw());
  const place = ids.indexOf(id);
  const step = (by) => ids[place + by] && go({ image: ids[place + by], patch: "" });
  const views = make("div", { className: "views" }, rows, ...groups);
  page.replaceChildren(bar(), legend(), views);

  /** Affinities of the chosen patch, above the stages. */
  async function showAffinities() {
    if (state.patch === "") {
      rows.replaceChildren(notice("Click a patch: its affinity to all others appears here."));
      return;
    }
    const mode = make("button", { type: "button", id: "mode" });
    mode.onclick = () => { go({ mode: state.mode === "row" ? "column" : "row" }, true); showAffinities(); };
    mode.textContent = state.mode === "row" ? "Row: whom it listens to" : "Column: who listens to it";
    const parts = [];
    const old = panels.filter((panel) => panel.affinity);
    for (const panel of old) panels.splice(panels.indexOf(panel), 1);
    for (const method of methods) {
      const found = affinity(id, method, state.patch, state.mode);
      for (const [index, name] of AFFINITIES.entries()) {
        if (method !== methods[0] && name !== "fused") continue; // CLIP and DINO are the same for all
        const panel = new Panel(name === "fused" ? `Fused affinity of ${method}` : `${name} attention`, "bright: as strong as the strongest beside the patch itself", "", base);
        panel.affinity = true;
        panels.push(panel);
        parts.push(panel.figure);
        panel.fill(found.then((one) => affinityContent(one, index, panel)));
      }
    }
    rows.replaceChildren(make("h2", {}, `Affinity of patch ${state.patch} `, mode), make("div", { className: "figures" }, ...parts));
  }

  function affinityContent(found, index, panel) {
    const map = plane(found, index);
    const own = map.values.subarray(map.offset, map.offset + map.rows * map.columns);
    const patch = Number(state.patch);
    // Attention to oneself outshines all else.
    const most = own.reduce((a, b, place) => (place === patch ? a : Math.max(a, b)), 0);
    panel.frame.append(marker(patch, map));
    if (!most) throw Object.assign(new Error("this method does not refine"), { missing: true });
    return {
      draw: () => drawMap(panel.canvas, base, map, { ...look(), threshold: 0, scale: 1 / most }),
      read: (u, v) => valueAt(map, u, v).toPrecision(3),
    };
  }

  function marker(patch, { rows: down, columns: across }) {
    const mark = make("i", { className: "patch" });
    mark.style.left = `${(100 * (patch % across)) / across}%`;
    mark.style.top = `${(100 * Math.floor(patch / across)) / down}%`;
    mark.style.width = `${100 / across}%`;
    mark.style.height = `${100 / down}%`;
    return mark;
  }

  async function pick(u, v) {
    const grid = panels.find((panel) => panel.grid)?.grid ?? plane(await affinity(id, state.method, 0, "row"));
    const patch = Math.floor(v * grid.rows) * grid.columns + Math.floor(u * grid.columns);
    go({ patch: String(patch) }, true);
    showAffinities();
  }

  function bar() {
    const set = (name) => (value) => go({ [name]: value });
    const now = (name) => (value) => { go({ [name]: value }, true); redraw(); };
    const all = run.methods.map((name) => [name, name]);
    return make("form", { className: "controls", onsubmit: (event) => event.preventDefault() },
      make("a", { className: "button", href: link({ page: "gallery" }) }, "Gallery"),
      make("button", { type: "button", onclick: () => step(-1), disabled: place <= 0, "aria-label": "Image before" }, "←"),
      make("b", { id: "which" }, id),
      make("button", { type: "button", onclick: () => step(1), disabled: place + 1 >= ids.length, "aria-label": "Image after" }, "→"),
      choice("Class", labels.map((label) => [label, run.classes[label]]), shownClass, set("shown")),
      choice("Method", all, state.method, set("method")),
      choice("Compare with", [["", "none"], ...all], state.with, set("with")),
      choice("Difference of", [["", "last stage"], ...LABELS.map((name) => [name, run.stages[name]])], state.of, set("of")),
      choice("Colours", Object.keys(run.maps).map((name) => [name, name]), state.map, now("map")),
      slider("Opacity", state.opacity, now("opacity")),
      slider("CAM threshold", state.threshold, now("threshold")));
  }

  function legend() {
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

  linkViews(views, {
    pick,
    hover: (u, v) => panels.forEach((panel) => { panel.value.textContent = u === null ? "" : panel.read(u, v); }),
  });
  showAffinities();
  const keys = { ArrowLeft: () => step(-1), ArrowRight: () => step(1), Escape: () => go({ page: "gallery" }) };
  NUMBERED.forEach((stage, index) => {
    keys[index + 1] = () => {
      go({ large: state.large === stage ? "" : stage }, true);
      panels.forEach((panel) => panel.figure.classList.toggle("large", Boolean(state.large) && panel.figure.dataset.stage === state.large));
    };
  });
  return keys;
}
