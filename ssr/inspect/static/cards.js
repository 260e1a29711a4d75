// The cards of a gallery: only those in view are elements, and one of them can be tabbed to.

import { make } from "./elements.js";
import { link, state } from "./state.js";
import { classNames, thumbnail } from "./thumbnails.js";

const CAPTIONS = { index: 44, iou: 60, gain: 60, pair: 78 }; // by what is sorted by
const GAP = 8;
const ROWS_AROUND = 2;

export class Cards {
  /** `changed` is called when the place or the selected card may be another. */
  constructor(run, changed) {
    this.run = run;
    this.changed = changed;
    this.rows = [];
    this.text = () => "";
    this.cards = new Map(); // by row of the index, so that a card keeps its picture when it moves
    this.selected = 0;
    this.list = make("ul", { className: "plane", "aria-label": "Images" });
    this.scroller = make("div", { className: "scroller" }, this.list);
    this.scroller.onscroll = () => this.fill();
    new ResizeObserver(() => this.fill()).observe(this.scroller);
  }

  /** Show these rows of the index, in this order; `text(id)` is the score of an image. */
  update(rows, text, selected) {
    Object.assign(this, { rows, text, selected: Math.max(0, Math.min(selected, rows.length - 1)) });
    this.fill();
  }

  refresh() {
    for (const { picture } of this.cards.values()) picture.refresh();
  }

  /** The image whose card is selected. */
  get id() {
    return this.run.images.id[this.rows[this.selected]];
  }

  get shape() {
    const [width, height] = [Number(state.size) + GAP, Math.round(0.75 * state.size) + CAPTIONS[state.sort] + GAP];
    return { width, height, columns: Math.max(1, Math.floor(this.scroller.clientWidth / width)) };
  }

  fill() {
    if (!this.scroller.clientWidth) return; // not shown yet
    const { width, height, columns } = this.shape;
    this.list.style.height = `${Math.ceil(this.rows.length / columns) * height}px`;
    const first = Math.max(0, Math.floor(this.scroller.scrollTop / height) - ROWS_AROUND) * columns;
    const last = first + (Math.ceil(this.scroller.clientHeight / height) + 2 * ROWS_AROUND) * columns;
    const places = this.rows.map((_, place) => place).filter((place) => (place >= first && place < last) || place === this.selected);
    const wanted = new Set(places.map((place) => this.rows[place]));
    for (const [row, { item }] of this.cards) {
      if (!wanted.has(row)) { item.remove(); this.cards.delete(row); }
    }
    for (const place of places) this.put(place, { width, height, columns });
    this.changed();
  }

  put(place, { width, height, columns }) {
    const row = this.rows[place];
    if (!this.cards.has(row)) {
      this.cards.set(row, this.card(row));
      this.list.append(this.cards.get(row).item);
    }
    const { item, anchor, score } = this.cards.get(row);
    item.style.left = `${(place % columns) * width}px`;
    item.style.top = `${Math.floor(place / columns) * height}px`;
    item.style.height = `${height - GAP}px`;
    anchor.href = link({ page: "image", image: this.run.images.id[row], patch: "" });
    item.ariaPosInSet = place + 1;
    item.ariaSetSize = this.rows.length;
    item.classList.toggle("selected", place === this.selected);
    anchor.tabIndex = place === this.selected ? 0 : -1;
    anchor.onfocus = () => this.select(place);
    score.textContent = this.text(this.run.images.id[row]);
  }

  card(row) {
    const id = this.run.images.id[row];
    const names = classNames(this.run, row, state.thumb);
    const picture = thumbnail(this.run, row, state.thumb, Number(state.class));
    const score = make("span", { className: "score" });
    const anchor = make("a", {},
      make("div", { className: "picture" }, picture.element), make("b", {}, id), score, make("small", {}, ...(names.length ? names : [this.run.images.split[row]])));
    return { item: make("li", { className: "card" }, anchor), anchor, score, picture };
  }

  select(place) {
    if (place === this.selected) return;
    this.selected = place;
    this.fill();
  }

  /** Select another card, bring it into view and focus it. */
  move(steps) {
    if (!this.rows.length) return;
    this.select(Math.min(this.rows.length - 1, Math.max(0, this.selected + steps)));
    this.reveal();
    this.focus();
  }

  /** Scroll to where one was, and on to the selected card if nothing of it is in view there. */
  restore(top) {
    this.fill();
    this.scroller.scrollTop = top;
    const { start, end, from, to } = this.view;
    if (start >= to || end <= from) this.reveal();
    else this.fill();
  }

  reveal() {
    const { start, end, from, to } = this.view;
    this.scroller.scrollTop = Math.min(start, Math.max(end - (to - from), from));
    this.fill();
  }

  /** Where the row of the selected card starts and ends, and from where to where one sees. */
  get view() {
    const { height, columns } = this.shape;
    const start = Math.floor(this.selected / columns) * height;
    const { scrollTop, clientHeight } = this.scroller;
    return { start, end: start + height, from: scrollTop, to: scrollTop + clientHeight };
  }

  focus() {
    this.cards.get(this.rows[this.selected])?.anchor.focus({ preventScroll: true });
  }
}
