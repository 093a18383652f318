// The page of all runs: follows them by the events of the server, and draws the curves of chosen ones.
(() => {
  "use strict";
  const { Chart, make } = page;
  const { palette, directory, version } = JSON.parse(document.querySelector("script[type='application/json']").textContent);
  const table = document.querySelector(".list table");
  const body = table.tBodies[0];
  const plots = document.querySelector(".curves .plots");
  const command = document.querySelector(".curves .command");
  const status = document.querySelector("[role=status]");
  const STARTED = 6;
  const rowOf = new Map();
  // For each run, the points of its metrics and of its timings; see `points.rs`.
  const curves = new Map();
  const slots = [];
  let names = [...body.rows].map((row) => row.dataset.run);
  let sorting = { column: null, isDescending: true };
  let latest = version;
  let source;

  // Heading, file, column of its points, scale.
  const CHARTS = [
    ["Training loss", 0, 1, "free"],
    ["Validation loss", 0, 2, "free"],
    ["Validation accuracy (%)", 0, 3, "percent"],
    ["Learning rate", 0, 4, "decades"],
    ["Examples per second", 1, 1, "free"],
  ];

  // A chart whose lines grow, appear and disappear.
  class LiveChart extends Chart {
    draw() {
      super.draw();
      this.plot.series.slice(1).forEach((series, line) => {
        series.points.show = () => this.data.lines[line].points[0].length < 25;
      });
    }

    show(lines) {
      const key = (lines) => lines.map(({ name }) => name).join("/");
      const hidden = new Set(this.data.lines.filter((_, line) => !this.shown[line]).map(({ name }) => name));
      const isSame = key(lines) === key(this.data.lines);
      this.data.lines = lines;
      this.table = uPlot.join(lines.map(({ points }) => points));
      this.shown = lines.map(({ name }) => !hidden.has(name));
      if (!isSame) this.draw();
      else if (this.reset.hidden) this.plot.setData(this.table);
      else {
        this.plot.setData(this.table, false);
        this.plot.redraw();
      }
      this.fillLegend();
    }
  }

  // The choice is in the address. Without one it is what has run while the page is open, or the newest.
  const running = new Set();
  function chosen() {
    const asked = new URLSearchParams(location.hash.slice(1)).getAll("run");
    const fallback = running.size ? [...running] : names.slice(0, 1);
    return (location.hash ? asked : fallback).filter((name) => rowOf.has(name));
  }

  function choose(names) {
    const fragment = new URLSearchParams(names.map((name) => ["run", name]));
    history.replaceState(null, "", `#${fragment.size ? fragment : "none"}`);
    follow();
  }

  // A run keeps its colour as long as it is chosen.
  const slotOf = (name) => {
    if (!slots.includes(name)) {
      const free = slots.findIndex((other) => !chosen().includes(other));
      slots[free < 0 ? slots.length : free] = name;
    }
    return palette[slots.indexOf(name) % palette.length];
  };

  function follow() {
    const names = chosen();
    for (const name of curves.keys()) if (!names.includes(name)) curves.delete(name);
    for (const [name, row] of rowOf) {
      const box = row.querySelector("input");
      box.checked = names.includes(name);
      box.style.setProperty("--chosen", box.checked ? slotOf(name) : "");
    }
    source?.close();
    source = new EventSource(["/events", latest, ...names.map(encodeURIComponent)].join("/"));
    source.onmessage = ({ data }) => receive(JSON.parse(data));
    source.onopen = () => (status.textContent = "");
    source.onerror = () => (status.textContent = "The server does not answer: this is what was known last.");
    draw();
  }

  const hasSpecial = /[^\w./-]/;
  const quoted = (path) => (hasSpecial.test(path) ? `'${path.replaceAll("'", "'\\''")}'` : path);

  function draw() {
    const names = chosen();
    document.querySelector(".curves").hidden = !names.length;
    command.hidden = names.length < 2;
    const [text, copy] = command.children;
    const report = `trainer report ${names.map((name) => quoted(`${directory}/${name}`)).join(" ")}`;
    if (text.textContent !== report) [text.textContent, copy.textContent] = [report, "Copy"];
    CHARTS.forEach(([heading, file, column, scale], index) => {
      const lines = names.map((name) => {
        const points = (curves.get(name)?.[file] ?? []).filter((point) => point[column] !== null);
        return { name, colour: slotOf(name), style: "plain", points: [points.map(([epoch]) => epoch), points.map((point) => point[column])] };
      }).filter(({ points }) => points[0].length);
      const figure = plots.children[index];
      figure.hidden = !lines.length;
      if (!lines.length) return;
      if (figure.chart) figure.chart.show(lines);
      else figure.chart = new LiveChart(figure, { heading, x: "epoch", scale, marks: [], lines });
    });
  }

  function receive(news) {
    const before = chosen().join("/");
    latest = news.version;
    Object.entries(news.rows).forEach(([name, html]) => update(name, html));
    if (news.names) {
      names = news.names;
      for (const [name, row] of rowOf) {
        if (names.includes(name)) continue;
        row.remove();
        rowOf.delete(name);
      }
    }
    for (const [name, files] of Object.entries(news.curves)) {
      const known = curves.get(name) ?? [[], []];
      curves.set(name, known);
      files.forEach(({ from, points }, file) => {
        if (from === 0) known[file] = [];
        for (const point of points) {
          // A resumed run repeats epochs.
          while (known[file].at(-1)?.[0] >= point[0]) known[file].pop();
          known[file].push(point);
        }
      });
    }
    arrange();
    if (chosen().join("/") !== before) follow();
    else if (Object.keys(news.curves).length) draw();
  }

  function update(name, html) {
    const fresh = make("template", { innerHTML: html }).content.firstElementChild;
    const row = rowOf.get(name) ?? adopt(fresh);
    row.dataset.state = fresh.dataset.state;
    if (fresh.dataset.state === "running") running.add(name);
    [...fresh.cells].slice(1).forEach((cell, index) => {
      const old = row.cells[index + 1];
      if (old.outerHTML !== cell.outerHTML) old.replaceWith(cell);
    });
  }

  // Adds a check box.
  function adopt(row) {
    const name = row.dataset.run;
    rowOf.set(name, row);
    if (row.dataset.state === "running") running.add(name);
    const toggle = () => choose(box.checked ? [...chosen(), name] : chosen().filter((other) => other !== name));
    const box = make("input", { type: "checkbox", onchange: toggle });
    row.cells[0].replaceChildren(make("label", {}, box, name));
    return row;
  }

  // Sorts and filters the rows; they are moved only if their order changes, which would lose the focus.
  function arrange() {
    const words = query.value.toLowerCase().split(/\s+/);
    const place = new Map(names.map((name, index) => [name, index]));
    const key = ({ cells }) => {
      const text = sorting.column === 0 ? cells[0].textContent : cells[sorting.column].dataset.sort;
      if (text) return Number.isNaN(Number(text)) ? text.toLowerCase() : Number(text);
    };
    const compare = (one, other) => {
      const [a, b] = sorting.column === null ? [] : [key(one), key(other)];
      if (a === b) return place.get(one.dataset.run) - place.get(other.dataset.run);
      if (a === undefined || b === undefined) return a === undefined ? 1 : -1;
      return (sorting.isDescending ? -1 : 1) * (a < b ? -1 : 1);
    };
    const rows = [...rowOf.values()].sort(compare);
    if (rows.some((row, index) => row !== body.rows[index])) {
      const focused = document.activeElement;
      body.append(...rows);
      focused.focus({ preventScroll: true });
    }
    for (const row of rows) row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
    const count = rows.filter((row) => !row.hidden).length;
    const text = count === rows.length ? `${count} ${count === 1 ? "run" : "runs"}` : `${count} of ${rows.length} runs`;
    if (found.textContent !== text) found.textContent = text;
    document.querySelector(".list").hidden = !rows.length;
    document.querySelector(".none").hidden = rows.length > 0;
  }

  function sortBy(head, column) {
    const isNumber = names.some((name) => /^-?\d+(\.\d+)?$/.test(rowOf.get(name).cells[column].dataset.sort));
    const isDescending = head.ariaSort ? head.ariaSort === "ascending" : isNumber || column === STARTED;
    [...table.tHead.rows[0].cells].forEach((other) => (other.ariaSort = null));
    head.ariaSort = isDescending ? "descending" : "ascending";
    sorting = { column, isDescending };
    arrange();
  }

  const query = make("input", { type: "search", oninput: arrange });
  const found = make("span", { className: "quiet" });
  found.setAttribute("aria-live", "polite");
  table.closest(".scroll").before(make("div", { className: "controls" }, make("label", {}, "Filter", query), found));
  [...table.tHead.rows[0].cells].slice(0, -1).forEach((head, column) => {
    head.replaceChildren(make("button", { type: "button", textContent: head.textContent, onclick: () => sortBy(head, column) }));
  });
  [...body.rows].forEach(adopt);
  plots.append(...CHARTS.map(() => make("figure", { className: "chart", hidden: true })));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => [...plots.children].forEach(({ chart }) => chart?.draw()));
  onhashchange = follow;
  arrange();
  follow();
})();
