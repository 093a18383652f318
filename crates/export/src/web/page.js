// The page, whose module `classifier.js` knows where a model runs.

const MOST_ROWS = 10;

const element = (id) => document.getElementById(id);
const say = (text) => { element("status").textContent = text; };
const percent = (probability) => `${(100 * probability).toFixed(1)} %`;

let classifier;
let model;
// Inputs are classified one after the other, in the order in which they are given.
let queue = Promise.resolve();

async function start() {
  const response = await fetch("models.json");
  const models = await response.json();
  classifier = await import("./classifier.js");
  element("models").append(...models.map(({ name }) => new Option(name)));
  element("models").addEventListener("change", (event) => choose(models[event.target.selectedIndex]));
  element("choice").hidden = models.length < 2;
  element("note").textContent = classifier.note;
  listen();
  choose(models[0]);
}

function choose(chosen) {
  model = chosen;
  const { name, classes, shape, fit } = model;
  document.title = element("name").textContent = name;
  const labels = [...classes.slice(0, MOST_ROWS), ...(classes.length > MOST_ROWS ? [".."] : [])];
  element("about").textContent = `${classes.length} classes: ${labels.join(", ")}`;
  element("images").hidden = !fit;
  element("features").hidden = Boolean(fit);
  element("numbers").replaceChildren(...(fit ? [] : numbers(shape[2])));
  element("results").replaceChildren();
  say("Ready");
}

/** A labelled field for each feature. */
function numbers(count) {
  return Array.from({ length: count }, (_, index) => {
    const field = Object.assign(document.createElement("input"), { type: "number", step: "any", required: true });
    const label = document.createElement("label");
    label.append(`Feature ${index + 1}`, field);
    return label;
  });
}

function listen() {
  const area = element("images");
  element("files").addEventListener("change", ({ target }) => {
    classifyFiles(target.files);
    target.value = "";
  });
  addEventListener("dragover", (event) => {
    event.preventDefault();
    area.classList.add("target");
  });
  addEventListener("dragleave", (event) => area.classList.toggle("target", event.relatedTarget !== null));
  addEventListener("drop", (event) => {
    event.preventDefault();
    area.classList.remove("target");
    classifyFiles(event.dataTransfer.files);
  });
  addEventListener("paste", (event) => classifyFiles(event.clipboardData.files));
  element("features").addEventListener("submit", (event) => {
    event.preventDefault();
    const features = Array.from(element("numbers").querySelectorAll("input"), (field) => field.valueAsNumber);
    classifyAll([{ name: features.join(", "), input: features }]);
  });
  // Browsers offer the camera only to pages from https or localhost.
  element("open-camera").hidden = !navigator.mediaDevices;
  element("open-camera").addEventListener("click", () => openCamera().catch((error) => say(`No camera: ${error.message}`)));
  element("camera").addEventListener("close", closeCamera);
}

async function openCamera() {
  const video = element("camera").querySelector("video");
  video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  element("camera").returnValue = "";
  element("camera").showModal();
}

/** Classifies the picture of the camera if the dialog was closed by "Take a photo". */
function closeCamera() {
  const video = element("camera").querySelector("video");
  const canvas = Object.assign(document.createElement("canvas"), { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext("2d").drawImage(video, 0, 0);
  video.srcObject.getTracks().forEach((track) => track.stop());
  video.srcObject = null;
  if (element("camera").returnValue === "photo") {
    // There is no photo before the first picture of the camera.
    canvas.toBlob((photo) => photo && classifyAll([{ name: "Photo", input: photo }]));
  }
}

function classifyFiles(files) {
  const images = Array.from(files).map((file) => ({ name: file.name, input: file }));
  if (model.fit && images.length > 0) classifyAll(images);
}

/** Shows a result for each input, above earlier ones. */
function classifyAll(inputs) {
  const chosen = model;
  const items = inputs.map(waiting);
  element("results").prepend(...items);
  say("Classifying");
  queue = queue.then(async () => {
    const answers = [];
    for (const [index, { name, input }] of inputs.entries()) {
      answers.push(await classify(chosen, name, input, items[index]));
    }
    if (chosen === model) say(answers.length === 1 ? answers[0] : `${answers.length} images classified`);
  });
}

/** An item of the results without its answer. */
function waiting({ name, input }) {
  const item = element("result").content.cloneNode(true).firstElementChild;
  item.querySelector("h2").textContent = name;
  if (input instanceof Blob) show(item.querySelector("img"), input);
  return item;
}

function show(image, blob) {
  image.src = URL.createObjectURL(blob);
  image.onload = image.onerror = ({ type }) => {
    image.hidden = type === "error";
    URL.revokeObjectURL(image.src);
  };
}

/** Classifies an input, shows the answer in its item and returns it as a sentence. */
async function classify(model, name, input, item) {
  const message = item.querySelector(".message");
  try {
    const probabilities = await classifier.classify(model, input);
    const ranked = model.classes.map((label, index) => ({ label, probability: probabilities[index] }));
    ranked.sort((one, other) => other.probability - one.probability);
    item.querySelector("tbody").append(...ranked.slice(0, MOST_ROWS).map(row));
    item.querySelector("table").hidden = false;
    const others = ranked.length - MOST_ROWS;
    message.textContent = others > 0 ? `and ${others} other classes` : "";
    return `${name}: ${ranked[0].label}, ${percent(ranked[0].probability)}`;
  } catch (error) {
    message.classList.add("failed");
    message.textContent = `Cannot be classified: ${error.message}`;
    return `${name}: ${message.textContent}`;
  }
}

function row({ label, probability }) {
  const row = element("row").content.cloneNode(true);
  row.querySelector("th").textContent = label;
  row.querySelector(".bar").style.setProperty("--probability", probability);
  Object.assign(row.querySelector("data"), { value: probability, textContent: percent(probability) });
  return row;
}

start().catch((error) => say(`The page cannot start: ${error.message}`));
