// What is shown lies in the address behind the #, so that a link shows the same again.

const DEFAULTS = {
  page: "gallery", split: "", class: "", id: "", sort: "index", stage: "refined_cam",
  from: "aligned_cam", pair: "", descending: "", method: "", image: "", with: "", shown: "",
  large: "", patch: "", mode: "row", of: "", map: "inferno", opacity: "70", threshold: "0",
  round: "0",
};

export const state = { ...DEFAULTS };

export function readState() {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const name in DEFAULTS) state[name] = given.get(name) ?? DEFAULTS[name];
}

/** The address of the present view with some changes. */
export function link(changes) {
  const wanted = { ...state, ...changes };
  const kept = Object.entries(wanted).filter(([name, value]) => String(value) !== DEFAULTS[name]);
  return "#" + new URLSearchParams(kept);
}

/** Change the view; `silently` neither draws anew nor adds to the history. */
export function go(changes, silently = false) {
  const address = link(changes);
  if (!silently) {
    location.hash = address;
    return;
  }
  Object.assign(state, changes);
  history.replaceState(null, "", address);
}
