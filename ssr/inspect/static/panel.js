// A picture of an image with its caption and the value under the pointer.

import { explain, imagePath } from "./api.js";
import { make, notice } from "./elements.js";

const LARGEST = 512;

/** The pixels of an image, at most `largest` on a side: {width, height, data}. */
export async function loadPixels(id, largest = LARGEST) {
  const picture = new Image();
  picture.src = imagePath(id, largest === LARGEST ? 0 : largest);
  await picture.decode().catch(async (error) => {
    await explain(picture.src);
    throw error;
  });
  const sides = [picture.naturalWidth, picture.naturalHeight];
  const scale = Math.min(1, largest / Math.max(...sides));
  const [width, height] = sides.map((side) => Math.max(1, Math.round(side * scale)));
  const context = make("canvas", { width, height }).getContext("2d");
  context.drawImage(picture, 0, 0, width, height);
  return { width, height, data: context.getImageData(0, 0, width, height).data };
}

/** One plane (h, w) of an array (h, w) or (K, h, w). */
export function plane({ shape, values }, index = 0) {
  const [rows, columns] = shape.slice(-2);
  return { values, rows, columns, offset: index * rows * columns };
}

export class Panel {
  /** `size` is that of the picture, `spoken` what stands for it where it can't be seen. */
  constructor({ title, explanation, spoken }, { width, height }) {
    this.canvas = make("canvas", { role: "img", "aria-label": spoken, width, height });
    this.layers = [this.canvas, make("i", { className: "cross" }), make("i", { className: "patch" })];
    this.frame = make("div", { className: "frame" }, ...this.layers);
    this.frame.style.aspectRatio = `${width} / ${height}`; // also of what is not there yet
    this.title = make("b", { title: `${title}: ${explanation}` }, title);
    this.heading = make("div", {}, this.title);
    this.score = make("small");
    this.value = make("output");
    this.foot = make("div", {}, this.score, this.value);
    this.figure = make("figure", {}, this.frame, make("figcaption", {}, this.heading, this.foot));
    this.turn = 0; // of what is asked for
    this.draw = () => {};
    this.read = () => "";
  }

  /** Show the value at a place (u, v) in 0..1; null: none. */
  tell(u, v) {
    this.value.textContent = u === null ? "" : this.read(u, v);
  }

  /** Take over `draw`, `read` and `named` of what is promised, and draw; or say why not. */
  async fill(promise) {
    const mine = ++this.turn; // what was asked for later may come first
    try {
      const content = await promise;
      if (mine !== this.turn) return;
      Object.assign(this, content);
      if (this.named) this.title.textContent = this.named;
      if (this.figure.classList.contains("missing")) this.frame.replaceChildren(...this.layers);
      this.figure.classList.remove("missing");
      this.draw(this.canvas);
    } catch (error) {
      if (!error.told) throw error;
      if (mine !== this.turn) return;
      this.read = () => "";
      this.frame.replaceChildren(notice(error.message));
      this.figure.classList.add("missing");
    }
  }
}
