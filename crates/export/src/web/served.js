// `classifier.js` of the page of `trainer serve`: the model runs in the server.

export const note = "Images are sent to the server of this page.";

/** The probability of each class, for an image file or a list of features. */
export async function classify(model, input) {
  const name = encodeURIComponent(model.name);
  if (!(input instanceof Blob)) return infer(name, input);
  const { predictions: [{ probabilities }] } = await post(`predictions/${name}`, input);
  return probabilities.map((one) => one.probability);
}

async function infer(name, data) {
  const inputs = [{ name: "features", datatype: "FP32", shape: [1, data.length], data }];
  const { outputs } = await post(`v2/models/${name}/infer`, JSON.stringify({ inputs }));
  return outputs.find((output) => output.name === "probabilities").data;
}

async function post(path, body) {
  const response = await fetch(path, { method: "POST", body });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? `the server answered ${response.status}`);
  return answer;
}
