// Small helpers that make elements.

import { go, state } from "./state.js";

/** An element with properties and children; names with a dash become attributes. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

/** A labelled choice; `options` are [value, text]. */
export function choice(text, options, value, change) {
  const select = make("select", { "aria-label": text, onchange: () => change(select.value) });
  select.append(...options.map(([key, title]) => make("option", { value: key }, title)));
  select.value = value;
  return make("label", {}, text, select);
}

/** A labelled slider that calls `change` while it moves. */
export function slider(text, value, change, [min, max] = [0, 100]) {
  const input = make("input", { type: "range", "aria-label": text, min, max, value });
  input.oninput = () => change(input.value);
  return make("label", {}, text, input);
}

export const SIZES = [100, 400];

/** How wide pictures are, of all pages. */
export function sizeSlider(changed = () => {}) {
  return slider("Size", state.size, (value) => {
    go({ size: value }, true);
    setSize();
    changed();
  }, SIZES);
}

export const setSize = () => document.documentElement.style.setProperty("--size", `${state.size}px`);

let unfolded = false;

/** A bar: what always stands there, and what a button unfolds where the window is narrow. */
export function controls(first, others) {
  const folded = make("div", { className: "folded", id: "folded" }, ...others);
  const button = make("button", { type: "button", className: "fold", "aria-controls": "folded" }, "Filters and view");
  const show = () => {
    folded.classList.toggle("unfolded", unfolded);
    button.setAttribute("aria-expanded", unfolded);
  };
  button.onclick = () => { unfolded = !unfolded; show(); };
  show();
  return make("form", { className: "controls", onsubmit: (event) => event.preventDefault() }, ...first, button, folded);
}

/** A patch of a colour [red, green, blue] and what it stands for. */
export function chip(colour, text) {
  const mark = make("i", { className: "chip" });
  mark.style.background = `rgb(${colour})`;
  return make("span", {}, mark, text);
}

/** Set a text that is read aloud when it changes. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export const notice = (text) => make("p", { className: "notice", role: "status" }, text);
