// Everything that is asked of the server. Addresses are relative: the token is part of the page's.

const TYPES = { float32: Float32Array, uint8: Uint8Array, uint16: Uint16Array };
const KEPT = 100;
const kept = new Map();

/** Why something can't be shown, in words for people, for it is not there. */
export const missing = (message) => Object.assign(new Error(message), { told: true, missing: true });

async function ask(path) {
  const answer = await fetch(path);
  const isMissing = answer.headers.has("x-missing"); // which is no failure
  if (answer.ok && !isMissing) return answer;
  throw Object.assign(new Error(await answer.text()), { told: true, missing: isMissing });
}

/** What `make` promises for `path`, of which the last few are kept. */
function once(path, make) {
  if (!kept.has(path)) {
    const promise = make();
    promise.catch(() => kept.delete(path)); // a stage may run by and by
    kept.set(path, promise);
    if (kept.size > KEPT) kept.delete(kept.keys().next().value);
  }
  return kept.get(path);
}

/** Ask anew for everything: something may have changed. */
export const forget = () => kept.clear();

/** What changes whenever a run has made something. */
export const stamp = async () => (await ask("stamp")).text();

export const json = (path) => once(path, async () => (await ask(path)).json());

/** {shape, values} of an array. */
export function array(path) {
  return once(path, async () => {
    const answer = await ask(path);
    const values = new TYPES[answer.headers.get("x-type")](await answer.arrayBuffer());
    return { shape: answer.headers.get("x-shape").split(",").map(Number), values };
  });
}

/** Throw what the server says of an image that can't be shown. */
export const explain = (path) => ask(path);

export const imagePath = (id, side = 0) => `image/${encodeURIComponent(id)}?side=${side}`;

export const stageArray = (stage, id, method) =>
  array(`array/${stage}/${encodeURIComponent(id)}?` + new URLSearchParams({ method }));

export const affinity = (id, method, patch, mode) =>
  array(`affinity/${encodeURIComponent(id)}?` + new URLSearchParams({ method, patch, mode }));

export const scores = (stage, method) => json(`scores/${stage}?` + new URLSearchParams({ method }));

export const prototypes = (method, round) =>
  json("prototypes?" + new URLSearchParams({ method, round }));
