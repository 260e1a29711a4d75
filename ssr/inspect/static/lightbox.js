// One picture as large as the window allows; arrows and numbers lead to the others.

import { make } from "./elements.js";
import { stagePanel } from "./stages.js";
import { go, state } from "./state.js";
import { linkViews } from "./views.js";

const nameOf = ({ stage, method }) => `${stage}@${method}`;

export class Lightbox {
  /** `tiles` ({stage, method}) in the order in which they stand. */
  constructor(view, tiles) {
    this.view = view;
    this.tiles = tiles;
    this.panels = [];
    this.dialog = make("dialog", { className: "lightbox", "aria-label": "Enlarged picture" });
    this.dialog.onclose = () => {
      if (this.dialog.open) return; // opened again since
      this.panels = [];
      this.dialog.replaceChildren();
      go({ large: "" }, true);
    };
    this.dialog.onkeydown = (event) => this.press(event);
    this.dialog.onclick = (event) => event.target === this.dialog && this.dialog.close();
    linkViews(this.dialog, { pick: () => {}, hover: (u, v) => this.panels.forEach((panel) => panel.tell(u, v)) });
  }

  /** Open what the address names. */
  open() {
    const place = this.tiles.findIndex((tile) => nameOf(tile) === state.large);
    if (place >= 0) this.show(place);
  }

  show(place) {
    if (!this.tiles[place]) return;
    this.place = place;
    go({ large: nameOf(this.tiles[place]) }, true);
    const panel = stagePanel(this.view, this.tiles[place]);
    panel.figure.style.setProperty("--aspect", this.view.base.width / this.view.base.height);
    this.panels = [panel];
    const close = make("button", { type: "button", "aria-label": "Close", onclick: () => this.dialog.close() }, "×");
    panel.foot.append(close);
    this.dialog.replaceChildren(panel.figure);
    if (!this.dialog.open) this.dialog.showModal();
    close.focus();
  }

  press(event) {
    if (!this.dialog.open) return; // it has the focus a moment longer
    const place = { ArrowLeft: this.place - 1, ArrowRight: this.place + 1 }[event.key] ?? event.key - 1;
    if (!this.tiles[place]) return;
    event.preventDefault();
    this.show(place);
  }
}
