// Images as the pixels that `trainer predict` computes: the bilinear filter of the Rust crate
// `fast_image_resize` in its order and with its integer weights, so that equal decoded images give equal pixels.

// Rows that are read at once, so that large photos need no large canvas.
const STRIP = 128;

/** The pixels of an image file, as a Uint8Array [height, width, channels]. */
export async function pixels(blob, { shape: [height, width, channels], fit }) {
  const image = await createImageBitmap(blob, {
    colorSpaceConversion: "none", premultiplyAlpha: "none", imageOrientation: "from-image",
  });
  const whole = { left: 0, top: 0, width: image.width, height: image.height };
  const frame = { left: 0, top: 0, width, height };
  const source = fit === "crop" ? centred(frame, whole) : whole;
  const target = fit === "pad" ? centred(whole, frame) : frame;
  const resized = columns(rows(image, source, target.height), source.width, target);
  image.close();
  const padded = new Uint8Array(height * width * 3);
  for (let y = 0; y < target.height; y++) {
    const row = resized.subarray(y * target.width * 3, (y + 1) * target.width * 3);
    padded.set(row, ((target.top + y) * width + target.left) * 3);
  }
  return channels === 1 ? grey(padded) : padded;
}

/** The largest rectangle with the aspect ratio of `one` in the middle of `other`. */
function centred(one, other) {
  const scale = Math.min(other.width / one.width, other.height / one.height);
  const scaled = (side, most) => Math.min(Math.max(Math.round(side * scale), 1), most);
  const [width, height] = [scaled(one.width, other.width), scaled(one.height, other.height)];
  return { left: (other.width - width) >> 1, top: (other.height - height) >> 1, width, height };
}

/**
 * For each of `size` new samples, the first of the `length` old ones that it depends on, and their weights as
 * integers, which are 2 ** `precision` times as large.
 */
function filter(length, size) {
  const scale = length / size;
  const reach = Math.max(scale, 1);
  const taps = Array.from({ length: size }, (_, index) => {
    const centre = (index + 0.5) * scale;
    const middle = centre - 0.5;
    let first = Math.max(Math.floor(centre - reach), 0);
    const end = Math.min(Math.ceil(centre + reach), length);
    const triangle = (old) => Math.max(1 - Math.abs((old - middle) * (1 / reach)), 0);
    while (triangle(first) === 0) first++;
    const weights = Array.from({ length: end - first }, (_, tap) => triangle(first + tap));
    const sum = weights.reduce((sum, weight) => sum + weight, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
  const most = taps.reduce((most, { weights }) => Math.max(most, ...weights), 0);
  let precision = 0;
  while (precision < 21 && Math.round(most * 2 ** (precision + 1)) < 2 ** 15) precision++;
  for (const tap of taps) {
    tap.weights = Int32Array.from(tap.weights, (weight) => Math.round(weight * 2 ** precision));
  }
  return { taps, precision };
}

/** Resizes the height: [height, width of `source`, 3] as bytes. */
function rows(image, source, height) {
  const length = source.width * 3;
  const { taps, precision } = filter(source.height, height);
  const sums = new Int32Array(height * length).fill(1 << (precision - 1));
  const canvas = Object.assign(document.createElement("canvas"), { width: source.width, height: STRIP });
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  for (let top = 0; top < source.height; top += STRIP) {
    const count = Math.min(STRIP, source.height - top);
    const strip = read(context, image, source.left, source.top + top, source.width, count);
    taps.forEach(({ first, weights }, y) => {
      const row = sums.subarray(y * length, (y + 1) * length);
      for (let old = Math.max(first, top); old < Math.min(first + weights.length, top + count); old++) {
        add(row, strip.subarray((old - top) * source.width * 4), weights[old - first]);
      }
    });
  }
  return Uint8Array.from(sums, (sum) => Math.min(sum >> precision, 255));
}

/** Adds `weight` times a row of RGBA samples to a row of RGB samples. */
function add(row, samples, weight) {
  for (let to = 0, from = 0; to < row.length; to += 3, from += 4) {
    row[to] += samples[from] * weight;
    row[to + 1] += samples[from + 1] * weight;
    row[to + 2] += samples[from + 2] * weight;
  }
}

/** Resizes the width of the result of `rows`: [height, width, 3] as bytes. */
function columns(rows, oldWidth, { height, width }) {
  const result = new Uint8Array(height * width * 3);
  const { taps, precision } = filter(oldWidth, width);
  taps.forEach(({ first, weights }, x) => {
    for (let y = 0; y < height; y++) {
      for (let channel = 0; channel < 3; channel++) {
        const from = (y * oldWidth + first) * 3 + channel;
        const half = 1 << (precision - 1);
        const sum = weights.reduce((sum, weight, tap) => sum + rows[from + 3 * tap] * weight, half);
        result[(y * width + x) * 3 + channel] = Math.min(sum >> precision, 255);
      }
    }
  });
  return result;
}

/** RGBA samples of a part of an image, transparent parts on white. */
function read(context, image, left, top, width, height) {
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(image, left, top, width, height, 0, 0, width, height);
  return context.getImageData(0, 0, width, height).data;
}

/** The luminance of sRGB, without its transfer function. */
function grey(rgb) {
  return Uint8Array.from({ length: rgb.length / 3 }, (_, pixel) => {
    const [red, green, blue] = rgb.subarray(pixel * 3, pixel * 3 + 3);
    return Math.round(0.2126478 * red + 0.7151791 * green + 0.072173 * blue);
  });
}
