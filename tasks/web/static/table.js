// A file: what was read, what comes next, drawn and as a table, and what if its last values were others.
import { explain, predict, predictCsv } from "./api.js";
import { Chart } from "./chart.js";
import { bars, find, folded, head, later, make, number, percent, plural, save, say, table } from "./dom.js";

const MOST_DRAWN = 500; // series
const MOST_ROWS = 200; // of a table
const MOVABLE = 24, FIELDS = 6; // last values that can be dragged, and typed

export class TablePart {
  constructor(runs, limits, toggles) {
    this.runs = runs;
    this.limits = limits;
    const alone = runs.filter((run) => !run.takes.includes("texts"));
    this.cards = new Map(runs.map((run) => [run.name, new TableCard(run)]));
    this.chosen = toggles(find("table-runs"), runs, (chosen) => { this.chosen = chosen; this.ask(); }, alone.length ? alone : runs);
    const drop = find("drop");
    find("file").addEventListener("change", (event) => this.take(event.target.files[0]));
    for (const name of ["dragenter", "dragover"]) addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
    for (const name of ["dragleave", "drop"]) addEventListener(name, (event) => { event.preventDefault(); drop.classList.remove("over"); });
    addEventListener("drop", (event) => this.take(event.dataTransfer.files[0]));
    find("table-example").addEventListener("click", () => this.example());
    find("table-example").hidden = !runs.some((run) => asCsv(run.sample));
    find("table-part").hidden = false;
  }

  async take(file) {
    if (!file) return;
    if (file.size > this.limits.max_body * 1e6) {
      find("file-words").textContent = `${file.name} has ${(file.size / 1e6).toFixed(1)} MB; the server takes ${this.limits.max_body} MB (--max-body)`;
      this.name = ""; // the answers to an earlier file are not this one's
      this.ask();
      return;
    }
    this.name = file.name;
    this.text = decoded(await file.arrayBuffer());
    this.own = null;
    find("file").value = "";
    this.ask();
  }

  example() { // each run its own columns
    this.name = "an example";
    this.own = true;
    this.ask();
  }

  ask() {
    const shown = this.runs.filter((run) => this.chosen.has(run.name));
    if (this.name) find("file-words").textContent = this.name;
    const texts = new Map(shown.map((run) => [run, this.own ? asCsv(run.sample) : this.text]));
    const asked = this.name ? shown.filter((run) => !this.own || texts.get(run)) : [];
    find("table-cards").replaceChildren(...asked.map((run) => this.cards.get(run.name).root));
    for (const run of asked) this.cards.get(run.name).take(texts.get(run), this.name);
  }
}

function asCsv(sample) {
  if (sample.csv) return sample.csv;
  if (!sample.rows) return "";
  const quoted = (cell) => /[",\n]/.test(cell) ? `"${String(cell).replaceAll('"', '""')}"` : String(cell ?? "");
  const names = Object.keys(sample.rows[0]);
  return [names, ...sample.rows.map((row) => names.map((name) => row[name]))].map((row) => row.map(quoted).join(",")).join("\n") + "\n";
}

function decoded(bytes) {
  const head = new Uint8Array(bytes.slice(0, 2));
  if (head[0] === 0xff && head[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (head[0] === 0xfe && head[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  try { return new TextDecoder("utf-8", { fatal: true }).decode(bytes); } catch { return new TextDecoder("windows-1252").decode(bytes); }
}

class TableCard {
  constructor(run) {
    this.run = run;
    this.turn = 0;
    this.changes = new Map(); // series → step → value
    this.body = make("div", { class: "body" });
    this.root = make("article", { class: "card result", "aria-label": `Answer of ${run.name}` },
      head(run), this.body);
    this.again = later(120, () => this.ask());
  }

  take(text, name) {
    Object.assign(this, { text, name, chart: null, series: null, plain: null });
    this.changes.clear();
    this.body.replaceChildren(make("p", { class: "soft" }, "Reading…"));
    this.ask();
  }

  question() {
    const changes = [...this.changes].flatMap(([id, steps]) => [...steps].map(([step, value]) => ({ id, step, value })));
    return { run: this.run.name, csv: this.text, ...(this.run.takes.includes("changes") ? { drawings: MOST_DRAWN, changes } : {}) };
  }

  async ask() {
    const turn = ++this.turn;
    this.stop?.abort();
    this.stop = new AbortController();
    this.root.dataset.waiting = "";
    try {
      const answer = await predict(this.question(), this.stop.signal);
      if (turn !== this.turn) return;
      this.answer = answer;
      if (!this.changes.size) this.plain = answer.drawings;
      if (this.chart && answer.drawings) this.redraw();
      else this.draw();
    } catch (error) {
      if (error.name === "AbortError" || turn !== this.turn) return;
      this.body.replaceChildren(make("p", { class: "notice bad", role: "alert" }, error.message));
      this.chart = null;
    }
    delete this.root.dataset.waiting;
  }

  draw() {
    const { records, notes, drawings } = this.answer;
    const read = make("details", { open: true }, make("summary", {}, "What was read"),
      notes.length ? make("ul", { class: "read" }, notes.map((note) => make("li", {}, note))) : make("p", { class: "soft small" }, "The file, as it stands."));
    const download = make("button", { type: "button", onclick: () => this.download() }, "Download the answer");
    if (!records.length) this.body.replaceChildren(read, make("p", {}, "There is nothing to answer."));
    else if (drawings) this.drawSeries(read, download);
    else if ("probabilities" in records[0]) this.drawLabels(read, download);
    else if ("tokens" in records[0]) this.drawTags(read, download);
    else this.drawSteps(read, download);
    say(`${this.run.name}: ${plural(records.length, "row")} answered`);
  }

  // Series -------------------------------------------------------------------

  drawSeries(read, download) {
    const drawings = this.answer.drawings, several = drawings.length > 1;
    this.picker = make("select", { "aria-label": "Series", onchange: () => { this.series = this.picker.value; this.redraw(); } },
      drawings.map((one, i) => make("option", { value: i }, one.name)));
    this.series = 0;
    const plot = make("div", { class: "plot", role: "img" });
    this.readout = make("p", { class: "readout", "aria-hidden": "true" });
    this.fields = make("div", { class: "whatif" });
    this.reset = make("button", { type: "button", class: "quiet", hidden: true, onclick: () => { this.changes.clear(); this.fill(); this.ask(); } }, "as it was");
    this.rows = make("div");
    this.legend = make("ul", { class: "legend" });
    const first = make("div", { class: "row" }, several && this.picker, several && make("span", { class: "soft small" }, plural(new Set(this.answer.records.map((row) => row.id)).size, "series").replace("seriess", "series")), download);
    this.why = make("div", { class: "why", hidden: true });
    this.button = make("button", { type: "button", class: "quiet", "aria-expanded": "false", onclick: () => this.toggleWhy() }, "Why?");
    if (this.run.takes.includes("explain")) first.append(this.button);
    this.body.replaceChildren(...[first, this.legend, plot, this.readout,
      make("div", {}, make("p", { class: "soft small" }, "What if the last values were others? Drag them, or type."), this.fields), this.why, this.rows, read]);
    this.plot = plot;
    this.chart = new Chart(plot, { movable: MOVABLE, moved: (step, value) => this.move(step, value, true), point: (i) => this.point(i) });
    this.redraw();
  }

  get drawn() { return this.answer.drawings[this.series]; }

  redraw() {
    const one = this.drawn, before = this.changes.size ? this.plain?.[this.series]?.mean : null;
    this.chart.show({ ...one, before });
    const last = one.times.length - 1, cut = one.history.length;
    this.plot.setAttribute("aria-label", `${one.name}: ${plural(cut, "value")} of history from ${one.times[0]}, a forecast of ${plural(one.mean.length, "step")} to ${one.times[last]}, from ${number(one.mean[0])} to ${number(one.mean.at(-1))}; the table below has all values`);
    const bands = one.bands.map((band) => band.level).join(", ");
    this.legend.replaceChildren(...[["ink", "", "history"], ["c1", "", "forecast"], ...(bands ? [["c1", "band", `${bands} % bands`]] : []), ...(before ? [["base", "dashed", "forecast before"]] : [])].map(([tone, kind, words]) => {
      const sign = make("i", { class: kind });
      sign.style.color = `var(--${tone})`;
      return make("li", {}, sign, words);
    }));
    const head = ["time", "forecast", ...one.bands.flatMap((band) => [`from (${band.level} %)`, `to (${band.level} %)`])];
    const rows = one.mean.map((value, i) => [one.times[cut + i], number(value), ...one.bands.flatMap((band) => [number(band.lower[i]), number(band.upper[i])])]);
    const open = this.rows.querySelector("details")?.open;
    this.rows.replaceChildren(folded("The forecast as a table", table(head, rows, head.map((_, i) => i).slice(1))));
    this.rows.firstChild.open = Boolean(open);
    this.fill();
    this.point(null);
    if (this.explains && this.whyOf !== one.name) this.askWhy();
    this.whyOf = one.name;
  }

  fill() { // fields of the last values; the one that is typed in stays as it is
    const one = this.drawn, mine = this.changes.get(one.name), cut = one.history.length;
    this.reset.hidden = !this.changes.size;
    const count = Math.min(FIELDS, cut), key = `${one.name}\n${one.times[cut - 1]}`;
    if (this.filled !== key) {
      this.filled = key;
      this.inputs = Array.from({ length: count }, (_, i) => make("input", { type: "number", step: "any", oninput: (event) => this.typed(i - count, event.target.value) }));
      this.fields.replaceChildren(...this.inputs.map((input, i) => make("label", {}, one.times[cut - count + i], input)), this.reset);
    }
    this.inputs.forEach((input, i) => {
      const step = i - count, value = mine?.get(step) ?? one.history[cut + step];
      if (input !== document.activeElement) input.value = value == null ? "" : Number(value.toPrecision(7));
      input.classList.toggle("changed", Boolean(mine?.has(step)));
    });
  }

  typed(step, text) {
    if (text === "" || !Number.isFinite(Number(text))) return;
    this.move(step, Number(text));
  }

  move(step, value, rounded = false) {
    const one = this.drawn, kept = rounded ? Number(value.toPrecision(5)) : value;
    if (!this.changes.has(one.name)) this.changes.set(one.name, new Map());
    this.changes.get(one.name).set(step, kept);
    one.history[one.history.length + step] = kept;
    this.chart.show({ ...one, before: this.plain?.[this.series]?.mean });
    this.fill();
    this.again();
  }

  point(i) {
    const one = this.drawn, cut = one.history.length;
    const at = i ?? one.times.length - 1;
    const value = at < cut ? one.history[at] : one.mean[at - cut];
    const widest = one.bands.at(-1);
    const band = at >= cut && widest ? `, ${number(widest.lower[at - cut])} to ${number(widest.upper[at - cut])} (${widest.level} %)` : "";
    this.readout.textContent = `${one.times[at]}: ${at < cut ? "" : "forecast "}${value == null ? "missing" : number(value)}${band}`;
  }

  toggleWhy() {
    this.explains = !this.explains;
    this.button.setAttribute("aria-expanded", String(this.explains));
    this.button.setAttribute("aria-pressed", String(this.explains));
    this.why.hidden = true;
    if (this.explains) this.askWhy();
  }

  async askWhy() { // of the file as it stands, without other last values
    const turn = this.turn, name = this.drawn.name;
    try {
      const found = await explain({ run: this.run.name, csv: this.text, series: name });
      if (turn !== this.turn || name !== this.drawn.name || !this.explains) return;
      const [one] = found.explanations, plot = make("div", { class: "plot low", role: "img", "aria-label": `How far each step of the lookback moved the forecast of ${name}; the table below has the largest` });
      const rows = [...one.causes, ...(one.others ?? [])].toSorted((a, b) => Math.abs(b.weight) - Math.abs(a.weight)).slice(0, 20)
        .map((cause) => [cause.name, number(cause.weight), number(cause.value)]);
      this.why.hidden = false;
      this.why.replaceChildren(make("p", {}, make("strong", {}, `Why ${one.target}?`), " ",
        make("span", { class: "soft small" }, `${one.score}: ${number(one.value)}, from ${number(one.baseline)} with ${one.nothing}`)),
      make("p", { class: "soft small" }, `By how much each step of the lookback moved it, in ${one.unit}`), plot, folded("The largest", table(["step", "weight", "value"], rows, [1, 2])));
      new Chart(plot, { sticks: true }).show({ times: one.causes.map((cause) => cause.name), history: one.causes.map((cause) => cause.weight), mean: [], bands: [] });
    } catch (error) {
      this.why.hidden = !this.explains;
      this.why.replaceChildren(make("p", { class: "notice bad" }, error.message));
    }
  }

  // Rows ---------------------------------------------------------------------

  drawSteps(read, download) {
    const { records } = this.answer, values = records.map((row) => row.predicted);
    const plot = make("div", { class: "plot", role: "img", "aria-label": `Predictions of ${plural(values.length, "row")}, from ${number(Math.min(...values.slice(0, 50000)))} to ${number(Math.max(...values.slice(0, 50000)))}` });
    this.body.replaceChildren(make("div", { class: "row" }, download), plot, this.firstRows(Object.keys(records[0])), read);
    this.chartOfSteps = new Chart(plot);
    this.chartOfSteps.show({ times: values.map((_, i) => String(i + 1)), history: values, mean: [], bands: [] });
  }

  firstRows(names, shown = (row) => names.map((name) => typeof row[name] === "number" ? number(row[name]) : row[name])) {
    const { records } = this.answer, some = records.slice(0, MOST_ROWS);
    const title = records.length > some.length ? `The first ${MOST_ROWS} of ${plural(records.length, "row")}` : plural(records.length, "row");
    const numeric = names.map((name, i) => i).filter((i) => typeof some[0][names[i]] === "number" || names[i] === "sure");
    const part = folded(title, table(names, some.map(shown), numeric));
    part.open = true;
    return part;
  }

  drawLabels(read, download) {
    const { records } = this.answer, counts = new Map();
    for (const row of records) counts.set(row.label, (counts.get(row.label) ?? 0) + 1);
    const rows = [...counts].sort((a, b) => b[1] - a[1]).map(([label, count]) => {
      const fill = make("i");
      fill.style.width = `${100 * count / records.length}%`;
      return make("tr", {}, make("th", { scope: "row" }, label), make("td", {}, make("div", { class: "bar" }, fill)), make("td", { class: "number" }, count.toLocaleString("en")));
    });
    const texts = Object.keys(records[0]).filter((name) => name !== "label" && name !== "probabilities");
    this.body.replaceChildren(make("div", { class: "row" }, download),
      bars("Rows of each class", rows),
      this.firstRows([...texts, "label", "sure"], (row) => [...texts.map((name) => row[name]), row.label, percent(row.probabilities[row.label])]), read);
  }

  drawTags(read, download) {
    const shown = (row) => [row.text ?? row.tokens.map((token) => token.text).join(" "),
      row.spans ? row.spans.map((span) => `${span.text} (${span.label})`).join(", ") : row.tokens.map((token) => token.tag).join(" ")];
    this.body.replaceChildren(make("div", { class: "row" }, download), this.firstRows(["text", this.answer.records[0].spans ? "spans" : "tags"], shown), read);
  }

  async download() {
    const { drawings, ...question } = this.question();
    try {
      save(`${this.run.name}-answer.csv`, await predictCsv(question));
    } catch (error) {
      this.body.prepend(make("p", { class: "notice bad", role: "alert" }, error.message));
    }
  }
}
