// `classifier.js` of an exported page: the model runs in the browser.

import * as ort from "./ort.js";
import { pixels } from "./pixels.js";

export const note = "Images stay on this device.";

const bytes = async (path) => (await fetch(path)).arrayBuffer();

// More threads need a server that isolates the page from other origins.
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmBinary = await bytes("ort.wasm");
const session = await ort.InferenceSession.create(await bytes("model.onnx"));

/** The probability of each class, for an image file or a list of features. */
export async function classify(model, input) {
  const tensor = input instanceof Blob
    ? new ort.Tensor("uint8", await pixels(input, model), [1, ...model.shape])
    : new ort.Tensor("float32", Float32Array.from(input), [1, input.length]);
  const { probabilities } = await session.run({ [session.inputNames[0]]: tensor });
  return Array.from(probabilities.data);
}
