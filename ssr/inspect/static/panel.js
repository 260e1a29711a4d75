// A picture of an image with its caption and the value under the pointer.

import { explain, imagePath } from "./api.js";
import { make, notice } from "./elements.js";

const LARGEST = 512;

/** The pixels of an image, at most LARGEST on a side: {width, height, data}. */
export async function loadPixels(id) {
  const picture = new Image();
  picture.src = imagePath(id);
  await picture.decode().catch(async (error) => {
    await explain(picture.src);
    throw error;
  });
  const sides = [picture.naturalWidth, picture.naturalHeight];
  const scale = Math.min(1, LARGEST / Math.max(...sides));
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
  constructor({ title, explanation, number, spoken }, { width, height }) {
    this.canvas = make("canvas", { role: "img", "aria-label": spoken, width, height });
    this.frame = make("div", { className: "frame" }, this.canvas, make("i", { className: "cross" }));
    this.title = make("b", {}, title);
    this.value = make("output");
    const key = number ? [make("kbd", {}, number)] : [];
    const caption = make("figcaption", { title: explanation }, ...key, this.title, this.value);
    this.figure = make("figure", {}, this.frame, caption);
    this.draw = () => {};
    this.read = () => "";
  }

  /** Take over `draw`, `read`, `grid` and `named` of what is promised, and draw; or say why not. */
  async fill(promise) {
    try {
      Object.assign(this, await promise);
      if (this.named) this.title.textContent = this.named;
      this.draw(this.canvas);
    } catch (error) {
      if (!error.told) throw error;
      this.frame.replaceChildren(notice(error.message));
      this.figure.classList.add("missing");
    }
  }
}
