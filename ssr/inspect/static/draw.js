// Pictures of arrays, drawn on the pixels of the image: sliders need no server.

export const IGNORE = 255;
const HATCH = 3;

/** Bilinear value of a map (h, w) at a pixel of the image, pixel centres aligned. */
function enlarge({ values, offset = 0, rows, columns }, width, height) {
  const result = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const v = Math.min(Math.max(((y + 0.5) * rows) / height - 0.5, 0), rows - 1);
    const top = Math.floor(v), down = Math.min(top + 1, rows - 1), below = v - top;
    for (let x = 0; x < width; x++) {
      const u = Math.min(Math.max(((x + 0.5) * columns) / width - 0.5, 0), columns - 1);
      const left = Math.floor(u), next = Math.min(left + 1, columns - 1), right = u - left;
      const at = (row, column) => values[offset + row * columns + column];
      result[y * width + x] =
        (1 - below) * ((1 - right) * at(top, left) + right * at(top, next)) +
        below * ((1 - right) * at(down, left) + right * at(down, next));
    }
  }
  return result;
}

/** The value of a map at a place (u, v) in 0..1, not interpolated. */
export function valueAt({ values, offset = 0, rows, columns }, u, v) {
  const row = Math.min(Math.floor(v * rows), rows - 1);
  const column = Math.min(Math.floor(u * columns), columns - 1);
  return values[offset + row * columns + column];
}

/** Draw by a function of (x, y, red, green, blue, grey) that gives a colour. */
function paint(canvas, base, colour) {
  canvas.width = base.width;
  canvas.height = base.height;
  const context = canvas.getContext("2d");
  const drawn = context.createImageData(base.width, base.height);
  for (let y = 0, at = 0; y < base.height; y++) {
    for (let x = 0; x < base.width; x++, at += 4) {
      const [red, green, blue] = [base.data[at], base.data[at + 1], base.data[at + 2]];
      const grey = 0.299 * red + 0.587 * green + 0.114 * blue;
      const chosen = colour(x, y, red, green, blue, grey);
      drawn.data[at] = chosen[0];
      drawn.data[at + 1] = chosen[1];
      drawn.data[at + 2] = chosen[2];
      drawn.data[at + 3] = 255;
    }
  }
  context.putImageData(drawn, 0, 0);
}

const mix = (from, to, share) => from + (to - from) * share;

export function drawImage(canvas, base) {
  paint(canvas, base, (x, y, red, green, blue) => [red, green, blue]);
}

/** Activation in colour over the image in grey; what is below the threshold stays grey. */
export function drawMap(canvas, base, map, { colours, opacity, threshold, scale = 1 }) {
  const large = enlarge(map, base.width, base.height);
  paint(canvas, base, (x, y, red, green, blue, grey) => {
    const value = Math.min(large[y * base.width + x] * scale, 1);
    const share = value < threshold ? 0 : opacity;
    const at = 3 * Math.round(255 * value);
    return [0, 1, 2].map((channel) => mix(grey, colours[at + channel], share));
  });
}

/** Each pixel in the colour of the class whose map is strongest there, over the image in grey. */
export function drawCams(canvas, base, maps, labels, { colourOf, opacity, threshold }) {
  const large = maps.map((map) => enlarge(map, base.width, base.height));
  const colours = labels.map((label) => colourOf(label));
  paint(canvas, base, (x, y, red, green, blue, grey) => {
    const at = y * base.width + x;
    let best = 0;
    for (let index = 1; index < large.length; index++) if (large[index][at] > large[best][at]) best = index;
    const value = large[best][at];
    const share = value < threshold ? 0 : opacity * value;
    return colours[best].map((channel) => mix(0.7 * grey, channel, share));
  });
}

/** The image where a mask is on, dark where it is off. */
export function drawMask(canvas, base, map) {
  paint(canvas, base, (x, y, red, green, blue, grey) =>
    valueAt(map, x / base.width, y / base.height)
      ? [red, green, blue]
      : [0.22 * grey, 0.22 * grey, 0.22 * grey]);
}

/** Each part in its mean colour, with its borders as dark lines. */
export function drawParts(canvas, base, parts) {
  const sums = new Map();
  const { width, height, data } = base;
  const part = (x, y) => valueAt(parts, x / width, y / height);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 4) {
      const key = part(x, y);
      const sum = sums.get(key) ?? sums.set(key, [0, 0, 0, 0]).get(key);
      for (let channel = 0; channel < 3; channel++) sum[channel] += data[at + channel];
      sum[3]++;
    }
  }
  paint(canvas, base, (x, y) => {
    const mine = part(x, y);
    const sum = sums.get(mine);
    const edge = (x + 1 < width && part(x + 1, y) !== mine) || (y + 1 < height && part(x, y + 1) !== mine);
    return [0, 1, 2].map((channel) => (sum[channel] / sum[3]) * (edge ? 0.6 : 1));
  });
}

const hatched = (x, y) => (x + y) % 8 < HATCH;

/** Classes in their colours over the image in grey; ignored pixels are hatched. */
export function drawLabels(canvas, base, map, { colourOf, opacity }) {
  paint(canvas, base, (x, y, red, green, blue, grey) => {
    const label = valueAt(map, x / base.width, y / base.height);
    if (label === IGNORE && hatched(x, y)) return [255, 255, 255];
    if (label === 0 || label === IGNORE) return [0.7 * grey, 0.7 * grey, 0.7 * grey];
    return colourOf(label).map((channel) => mix(grey, channel, opacity));
  });
}

/** Kinds of mistakes; their colours are far from those of classes, also for the colour-blind. */
export const MISTAKES = {
  missed: [91, 44, 255],
  invented: [255, 0, 102],
  confused: [168, 255, 96],
  right: [240, 240, 240],
};

export function mistake(truth, label) {
  if (truth === IGNORE || label === IGNORE) return "unknown";
  if (truth === label) return truth ? "right" : "background";
  if (!label) return "missed";
  return truth ? "confused" : "invented";
}

export function drawDifference(canvas, base, truth, labels) {
  paint(canvas, base, (x, y, red, green, blue, grey) => {
    const [u, v] = [x / base.width, y / base.height];
    const kind = mistake(valueAt(truth, u, v), valueAt(labels, u, v));
    if (kind === "unknown") return hatched(x, y) ? [255, 255, 255] : [0, 0, 0];
    if (kind === "background") return [0.4 * grey, 0.4 * grey, 0.4 * grey];
    return MISTAKES[kind].map((channel) => mix(grey, channel, kind === "right" ? 0.5 : 0.85));
  });
}

export const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
