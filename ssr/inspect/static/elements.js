// Small helpers that make elements.

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

/** A labelled slider from 0 to 100 that calls `change` while it moves. */
export function slider(text, value, change) {
  const input = make("input", { type: "range", "aria-label": text, min: 0, max: 100, value });
  input.oninput = () => change(input.value);
  return make("label", {}, text, input);
}

export const notice = (text) => make("p", { className: "notice", role: "status" }, text);
