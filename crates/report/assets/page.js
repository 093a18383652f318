// What answers in a page: charts, sortable tables, the confusion matrix, filters. The page can be read without it.
"use strict";

const page = (() => {
  const make = (tag, properties, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const number = (value) => {
    const size = Math.abs(value);
    const short = Number(value.toPrecision(4));
    return size >= 1e5 || (size > 0 && size < 1e-3) ? short.toExponential() : String(short);
  };
  const button = (text, press) => make("button", { type: "button", textContent: text, onclick: press });
  const label = (text, control) => make("label", {}, text, control);
  const select = (options) =>
    make("select", {}, ...options.map(([value, text]) => make("option", { value, textContent: text })));

  // A chart: a heading with buttons, the plot, and a legend with the values under the cursor.
  class Chart {
    constructor(figure, data) {
      // Pale lines lie behind the others.
      data.lines.sort((one, other) => (other.style === "pale") - (one.style === "pale"));
      Object.assign(this, { data, table: uPlot.join(data.lines.map(({ points }) => points)) });
      this.shown = data.lines.map(({ style }) => style !== "hidden");
      this.isLogarithmic = this.startsLogarithmic();
      this.log = button("log", () => this.setLogarithmic(!this.isLogarithmic));
      this.log.hidden = data.scale === "percent";
      this.reset = button("reset zoom", () => this.zoom());
      this.host = make("div", { tabIndex: 0, onkeydown: (event) => this.key(event) });
      this.host.setAttribute("role", "img");
      this.host.setAttribute("aria-label", `${data.heading} by ${data.x}. Arrow keys move the cursor, + and - zoom, 0 shows everything.`);
      this.legend = make("div", { className: "legend" });
      this.host.onfocus = () => this.legend.setAttribute("aria-live", "polite");
      this.host.onblur = () => this.legend.setAttribute("aria-live", "off");
      const head = make("div", { className: "chart-head" }, make("b", { textContent: data.heading }), this.reset, this.log);
      figure.replaceChildren(head, this.host, this.legend);
      this.draw();
      new ResizeObserver(() => this.plot.setSize(this.size())).observe(this.host);
    }

    values() {
      return this.data.lines.flatMap(({ points }, line) => (this.shown[line] ? points[1] : []));
    }

    lowest(high) {
      const low = Math.min(...this.values().filter((value) => value > 0));
      return this.data.scale === "decades" ? Math.max(low, 1e-4 * high) : low;
    }

    startsLogarithmic() {
      const high = Math.max(...this.values());
      return this.data.scale !== "percent" && high > 100 * this.lowest(high);
    }

    setLogarithmic(isLogarithmic) {
      this.isLogarithmic = isLogarithmic;
      this.draw();
    }

    size() {
      return { width: Math.max(this.host.clientWidth, 200), height: 250 };
    }

    range(low, high) {
      if (low === null) return [0, 1];
      if (this.isLogarithmic) return [this.lowest(high), high];
      const margin = 0.05 * (high - low || Math.abs(high) || 1);
      const top = this.data.scale === "percent" ? Math.min(high + margin, Math.max(high, 100)) : high + margin;
      return [low >= 0 ? Math.max(low - margin, 0) : low - margin, top];
    }

    draw() {
      const [ink, grid] = [colour("--ink"), colour("--grid")];
      const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 }, font: "12px system-ui" };
      const line = ({ name, points, colour, style }, index) => ({
        label: name,
        stroke: colour,
        width: style === "pale" ? 1 : 1.75,
        alpha: style === "pale" ? 0.4 : 1,
        show: this.shown[index],
        spanGaps: true,
        points: { show: style !== "pale" && points[0].length < 25 },
      });
      this.plot?.destroy();
      this.buildLegend();
      this.log.setAttribute("aria-pressed", this.isLogarithmic);
      this.plot = new uPlot({
        ...this.size(),
        legend: { show: false },
        cursor: { sync: { key: this.data.x }, points: { size: 7 }, y: false },
        scales: {
          x: { time: false },
          y: { distr: this.isLogarithmic ? 3 : 1, range: (_, low, high) => this.range(low, high) },
        },
        axes: [
          { ...axis, size: 28, label: this.data.x, labelSize: 18, labelFont: "12px system-ui" },
          { ...axis, size: 58, values: (_, ticks) => ticks.map((value) => (value === null ? "" : number(value))) },
        ],
        series: [{}, ...this.data.lines.map(line)],
        hooks: { setCursor: [() => this.fillLegend()], draw: [() => this.drawMarks()], setScale: [() => this.showReset()] },
      }, this.table, this.host);
      this.fillLegend();
      this.showReset();
    }

    drawMarks() {
      const { ctx, bbox } = this.plot;
      ctx.save();
      Object.assign(ctx, { strokeStyle: colour("--quiet"), fillStyle: colour("--quiet"), textAlign: "center" });
      ctx.font = `${11 * devicePixelRatio}px system-ui`;
      ctx.setLineDash([4, 4]);
      for (const [at, name] of this.data.marks) {
        const x = this.plot.valToPos(at, "x", true);
        if (x < bbox.left || x > bbox.left + bbox.width) continue;
        ctx.beginPath();
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
        ctx.stroke();
        ctx.fillText(name, x, bbox.top - 3);
      }
      ctx.restore();
    }

    // The value of a line at the cursor, or at the point of its own that is nearest.
    at(line, index) {
      const values = this.table[line + 1];
      for (let distance = 0; distance < values.length; distance++) {
        for (const value of [values[index - distance], values[index + distance]]) {
          if (value !== undefined && value !== null) return value;
        }
      }
    }

    buildLegend() {
      this.where = make("span", { className: "quiet" });
      this.entries = this.data.lines.map(({ name, colour }, line) => {
        const swatch = make("i", {});
        swatch.style.background = colour;
        const value = make("span", { className: "value" });
        const entry = make("button", { type: "button", onclick: () => this.toggle(line) }, swatch, name, value);
        entry.setAttribute("aria-pressed", this.shown[line]);
        return entry;
      });
      this.legend.replaceChildren(this.where, ...this.entries);
    }

    // Shows the values at the cursor, or the last ones.
    fillLegend() {
      const index = this.plot?.cursor.idx ?? this.table[0].length - 1;
      this.where.textContent = `${this.data.x} ${number(this.table[0][index])}`;
      this.entries.forEach((entry, line) => (entry.lastChild.textContent = ` ${number(this.at(line, index))}`));
    }

    toggle(line) {
      this.shown[line] = !this.shown[line];
      this.plot.setSeries(line + 1, { show: this.shown[line] });
      this.entries[line].setAttribute("aria-pressed", this.shown[line]);
    }

    showReset() {
      const { min, max } = this.plot?.scales.x ?? {};
      this.reset.hidden = !(min > this.table[0][0] || max < this.table[0].at(-1));
    }

    zoom(min = this.table[0][0], max = this.table[0].at(-1)) {
      this.plot.setScale("x", { min, max });
    }

    key({ key }) {
      const { cursor, scales } = this.plot;
      const [xs, width] = [this.table[0], scales.x.max - scales.x.min];
      const index = cursor.idx ?? xs.length - 1;
      if (key === "ArrowLeft" || key === "ArrowRight") {
        const x = xs[Math.min(Math.max(index + (key === "ArrowLeft" ? -1 : 1), 0), xs.length - 1)];
        this.plot.setCursor({ left: this.plot.valToPos(x, "x"), top: 10 }, true, true);
      } else if (key === "+" || key === "-") {
        const share = key === "+" ? 0.25 : 1;
        this.zoom(Math.max(xs[index] - share * width, xs[0]), Math.min(xs[index] + share * width, xs.at(-1)));
      } else if (key === "0") {
        this.zoom();
      }
    }
  }

  const charts = [];
  const chart = (figure) => charts.push(new Chart(figure, JSON.parse(figure.querySelector("script").textContent)));
  for (const query of ["(prefers-color-scheme: dark)", "print"]) {
    matchMedia(query).addEventListener("change", () => charts.forEach((chart) => chart.draw()));
  }

  // Sorts a table by a column when its heading is pressed, numbers in descending order first.
  function sortable(table) {
    const value = (row, column) => {
      const text = row.cells[column].textContent.replaceAll("\u202f", "");
      return /^[+-]?\d/.test(text) ? parseFloat(text) : text === "–" ? -Infinity : text;
    };
    const compare = (one, other) => (one < other ? -1 : one > other ? 1 : 0);
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const press = () => {
        const rows = [...table.tBodies[0].rows];
        const isText = rows.some((row) => typeof value(row, column) === "string");
        const was = head.ariaSort;
        const isDescending = was ? was === "ascending" : !isText;
        [...table.tHead.rows[0].cells].forEach((other) => (other.ariaSort = null));
        head.ariaSort = isDescending ? "descending" : "ascending";
        const key = isText ? (row) => row.cells[column].textContent : (row) => value(row, column);
        rows.sort((one, other) => (isDescending ? -1 : 1) * compare(key(one), key(other)));
        table.tBodies[0].append(...rows);
      };
      head.replaceChildren(button(head.textContent, press));
    });
  }

  const cards = () => [...document.querySelectorAll(".examples .card[data-pair]:not(.found .card)")];

  // Shows the pictures of the examples of a true and a predicted class.
  function showPair(names, [label, predicted], count) {
    const found = cards().filter((card) => card.dataset.pair === `${label},${predicted}`);
    const close = button("Close", () => dialog.close());
    const heading = make("h2", {}, `True ${names[label]}, predicted ${names[predicted]}`, close);
    const note = `${found.length} of ${count} ${count === 1 ? "example is" : "examples are"} kept in this page.`;
    const pictures = make("div", { className: "pictures" }, ...found.map((card) => card.cloneNode(true)));
    const dialog = make("dialog", {}, heading, make("p", { className: "quiet", textContent: note }), pictures);
    dialog.onclose = () => dialog.remove();
    document.body.append(dialog);
    dialog.showModal();
  }

  const orders = (names, scores) => ({
    labels: names.map((_, index) => index),
    worst: names.map((_, index) => index).sort((one, other) => scores[one] - scores[other]),
  });

  function confusion(box) {
    const { names, scores, cells } = JSON.parse(box.querySelector("script").textContent);
    const order = select([["labels", "labels"], ["worst", "worst F1 first"]]);
    box.prepend(make("div", { className: "controls" }, label("Order of the classes", order)));
    const draw = cells ? confusionMap(box, names, cells) : confusionTable(box.querySelector("table"));
    order.onchange = () => draw(orders(names, scores)[order.value]);
    draw(orders(names, scores).labels);
    return names;
  }

  // Reorders the rows and columns; the first column has the names.
  function confusionTable(table) {
    const [head, rows] = [table.tHead.rows[0], [...table.tBodies[0].rows]];
    const all = new Map([head, ...rows].map((row) => [row, [...row.cells]]));
    return (order) => {
      for (const [row, [first, ...cells]] of all) row.replaceChildren(first, ...order.map((index) => cells[index]));
      table.tBodies[0].replaceChildren(...order.map((index) => rows[index]));
    };
  }

  // A picture with a square for each cell, since a table of so many would be too large.
  function confusionMap(box, names, cells) {
    const side = Math.max(1, Math.floor(720 / names.length));
    const canvas = make("canvas", { width: side * names.length, height: side * names.length });
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", "Confusion matrix, true classes from top to bottom, predicted ones from left to right. The most confused pairs are listed below.");
    const status = make("p", { className: "quiet", textContent: "Point at a cell for its classes; press it for its pictures." });
    box.append(canvas, status);
    const totals = names.map(() => 0);
    cells.forEach(([label, , count]) => (totals[label] += count));
    let places = [];
    const draw = (order) => {
      const place = order.reduce((all, index, at) => ((all[index] = at), all), []);
      const context = canvas.getContext("2d");
      context.clearRect(0, 0, canvas.width, canvas.height);
      places = cells.map(([label, predicted, count]) => ({ x: place[predicted], y: place[label], label, predicted, count }));
      for (const { x, y, label, predicted, count } of places) {
        // A mistake stays visible where a class is a single pixel.
        const size = label === predicted ? side : Math.max(side, 4);
        const at = (place) => (place + 0.5) * side - size / 2;
        context.globalAlpha = 0.4 + 0.6 * (count / totals[label]);
        context.fillStyle = colour(label === predicted ? "--bar" : "--bad");
        context.fillRect(at(x), at(y), size, size);
      }
    };
    const under = ({ offsetX, offsetY }) => {
      const scale = names.length / canvas.clientWidth;
      const distance = ({ x, y }) => Math.hypot(x + 0.5 - offsetX * scale, y + 0.5 - offsetY * scale);
      const nearest = places.reduce((best, one) => (distance(one) < distance(best) ? one : best));
      return distance(nearest) < Math.max(1, 4 * scale) ? nearest : null;
    };
    canvas.onmousemove = (event) => {
      const cell = under(event);
      if (cell) status.textContent = `True ${names[cell.label]}, predicted ${names[cell.predicted]}: ${cell.count}`;
    };
    canvas.onclick = (event) => {
      const cell = under(event);
      if (cell) showPair(names, [cell.label, cell.predicted], cell.count);
    };
    return draw;
  }

  // Makes the numbers of examples of a pair of classes buttons that show them.
  function pairButtons(names) {
    for (const cell of document.querySelectorAll("[data-pair]:not(.card)")) {
      const pair = cell.dataset.pair.split(",").map(Number);
      const open = button(cell.textContent, () => showPair(names, pair, Number(cell.textContent)));
      open.ariaLabel = `${cell.textContent}: true ${names[pair[0]]}, predicted ${names[pair[1]]}`;
      cell.replaceChildren(open);
    }
  }

  // Shows the examples that match, in place of the lists.
  function filters(box, names) {
    const all = cards();
    const classes = (part) => {
      const present = new Set(all.map((card) => card.dataset.pair.split(",")[part]));
      return select([["", "any"], ...[...present].sort((one, other) => one - other).map((index) => [index, names[index]])]);
    };
    const [label_, predicted] = [classes(0), classes(1)];
    const percentage = (value) => make("input", { type: "number", min: 0, max: 100, value });
    const [low, high] = [percentage(0), percentage(100)];
    const mistakes = make("input", { type: "checkbox" });
    const count = make("span", { className: "quiet" });
    count.setAttribute("aria-live", "polite");
    const controls = make("div", { className: "controls" }, label("True", label_), label("Predicted", predicted),
      label("Confidence (%) from", low), label("to", high), label("Mistakes only", mistakes), count);
    const lists = make("div", {}, ...box.childNodes);
    const found = make("div", { className: "pictures found", hidden: true });
    const matches = ({ dataset: { pair, confidence } }) => {
      const [own, guess] = pair.split(",");
      return (!label_.value || label_.value === own) && (!predicted.value || predicted.value === guess) &&
        (!mistakes.checked || own !== guess) && 100 * confidence >= low.value && 100 * confidence <= high.value;
    };
    controls.oninput = () => {
      const matching = all.filter(matches);
      lists.hidden = matching.length < all.length;
      found.hidden = !lists.hidden;
      found.replaceChildren(...(lists.hidden ? matching.map((card) => card.cloneNode(true)) : []));
      count.textContent = lists.hidden ? `${matching.length} of ${all.length} examples` : "";
    };
    if (lists.querySelector(".stack img + img")) {
      const overlay = button("Show what mistakes depend on", () => {
        overlay.setAttribute("aria-pressed", document.body.classList.toggle("saliency"));
      });
      overlay.setAttribute("aria-pressed", false);
      overlay.title = "Red where covering the image lowers the probability of the predicted class";
      controls.append(overlay);
    }
    box.replaceChildren(controls, lists, found);
  }

  function copyable(command) {
    const copy = button("Copy", async () => {
      await navigator.clipboard.writeText(command.querySelector("code").textContent);
      copy.textContent = "Copied";
    });
    copy.className = "copy";
    command.append(copy);
  }

  document.querySelectorAll("figure.chart").forEach(chart);
  document.querySelectorAll("table.sortable").forEach(sortable);
  document.querySelectorAll(".command").forEach(copyable);
  const matrix = document.querySelector(".confusion-matrix");
  if (matrix) {
    const names = confusion(matrix);
    pairButtons(names);
    document.querySelectorAll(".examples").forEach((box) => filters(box, names));
  }
  return { Chart, make, sortable, number };
})();
