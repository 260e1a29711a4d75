// What is shown lies in the address behind the #, so that a link shows the same again.

export const DEFAULTS = {
  page: "gallery", split: "", class: "", id: "", sort: "index", stage: "refined_cam",
  from: "aligned_cam", pair: "", descending: "", thumb: "", size: "168", method: "", image: "", with: "",
  shown: "", large: "", patch: "", mode: "row", of: "", map: "inferno", opacity: "70", threshold: "0",
  round: "0",
};

export const state = { ...DEFAULTS };

/** Take over the address; returns the names in it that mean nothing. */
export function readState() {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const name in DEFAULTS) state[name] = given.get(name) ?? DEFAULTS[name];
  return [...given.keys()].filter((name) => !(name in DEFAULTS));
}

/** The address of the present view with some changes. */
export function link(changes) {
  const wanted = { ...state, ...changes };
  const kept = Object.entries(wanted).filter(([name, value]) => String(value) !== DEFAULTS[name]);
  return "#" + new URLSearchParams(kept);
}

/** Change the view; `silently` neither draws anew nor adds to the history. */
export function go(changes, silently = false) {
  Object.assign(state, changes);
  if (!silently) {
    location.hash = link({});
    return;
  }
  history.replaceState(null, "", link({}));
  dispatchEvent(new Event("addresschange"));
}
