// The prototypes of a round: nearest images and texts, and which classes each cluster holds.

import { prototypes } from "./api.js";
import { choice, controls, make, notice } from "./elements.js";
import { go, link, state } from "./state.js";
import { thumbnail } from "./thumbnails.js";

function table(run, clusters) {
  const used = run.classes.slice(1).map((_, index) => index);
  const head = make("tr", {}, make("th", { scope: "col" }, "Cluster"),
    ...used.map((index) => make("th", { scope: "col" }, run.classes[index + 1])));
  const body = clusters.map((cluster, number) => {
    const most = Math.max(...cluster.counts, 1);
    return make("tr", {}, make("th", { scope: "row" }, name(run, cluster, number)), ...used.map((index) => {
      const cell = make("td", {}, cluster.counts[index] || "");
      cell.style.setProperty("--share", cluster.counts[index] / most);
      return cell;
    }));
  });
  return make("div", { className: "scroll" }, make("table", {},
    make("caption", {}, "Samples of each class in each cluster"), make("thead", {}, head), make("tbody", {}, ...body)));
}

const name = (run, cluster, number) => `${number + 1}: ${cluster.class ? run.classes[cluster.class] : "no class"}`;

function show(run, cluster, number) {
  const texts = cluster.texts.map(([text, cosine]) => `${text} ${cosine.toFixed(3)}`).join(", ");
  const images = cluster.images.map(([id, label, cosine, index]) => make("a", { href: link({ page: "image", image: id, patch: "", shown: index || "" }) },
    make("div", { className: "picture" }, thumbnail(run, run.images.id.indexOf(id), index ? "initial_cam" : "", index).element),
    make("small", {}, `${label} ${cosine.toFixed(3)}`)));
  return make("article", {}, make("h2", {}, name(run, cluster, number)), make("p", {}, `Nearest texts: ${texts}`),
    make("div", { className: "nearest" }, ...(images.length ? images : [notice("an empty cluster")])));
}

export async function showPrototypes(page, run) {
  const rounds = Array.from({ length: run.rounds[state.method] }, (_, index) => [index + 1, index + 1]);
  const bar = controls([], [
    choice("Method", run.methods.map((one) => [one, run.titles[one]]), state.method, (method) => go({ method, round: 0 })),
    choice("Round", [[0, "last"], ...rounds], state.round, (round) => go({ round })),
  ]);
  try {
    const found = await prototypes(state.method, state.round);
    const summary = `Round ${found.round}, purity ${found.purity.toFixed(3)}. Pictures show the initial CAM that a sample was pooled under.`;
    page.replaceChildren(bar, make("p", { className: "count" }, summary), table(run, found.clusters),
      ...found.clusters.map((cluster, number) => show(run, cluster, number)));
  } catch (error) {
    if (!error.told) throw error;
    page.replaceChildren(bar, notice(error.message));
  }
  return {
    keys: { Escape: () => go({ page: "gallery" }) },
    refresh: (fresh) => fresh.rounds[state.method] === run.rounds[state.method],
  };
}
