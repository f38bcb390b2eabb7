// A text, the answers of every run as one types, and what they would be without some words.
import { explain, predict } from "./api.js";
import { bars, find, folded, head, later, make, number, percent, plural, say, table } from "./dom.js";

const MOST_WORDS = 150;
const MOST_CLASSES = 8;

export class TextPart {
  constructor(runs, limits, toggles) {
    this.runs = runs;
    this.limits = limits;
    this.hidden = new Set(); // numbers of words
    this.cards = new Map(runs.map((run) => [run.name, new TextCard(run)]));
    this.shown = toggles(find("text-runs"), runs, (chosen) => { this.chosen = chosen; this.draw(); });
    this.chosen = this.shown;
    this.box = find("text");
    this.box.addEventListener("input", () => { this.hidden.clear(); this.draw(); });
    find("example").addEventListener("click", () => {
      const samples = runs.map((run) => run.sample.text).filter(Boolean);
      this.turn = ((this.turn ?? -1) + 1) % samples.length;
      this.box.value = samples[this.turn];
      this.hidden.clear();
      this.draw();
      this.box.focus();
    });
    this.ask = later(120, () => this.askNow());
    find("text-part").hidden = false;
    this.draw();
  }

  get text() { return this.box.value; }

  get rest() { // the text without the words that are hidden
    let number = -1;
    return this.text.replace(/\S+\s*/g, (word) => this.hidden.has(++number) ? "" : word);
  }

  draw() {
    const words = this.text.match(/\S+/g) ?? [];
    const long = this.text.length > this.limits.max_text ? `; the server takes ${this.limits.max_text.toLocaleString("en")} (--max-text)` : "";
    find("count").textContent = words.length ? `${plural(words.length, "word")}, ${plural(this.text.length, "character")}${long}` : "";
    this.drawWords(words);
    find("text-cards").replaceChildren(...this.runs.filter((run) => this.chosen.has(run.name)).map((run) => this.cards.get(run.name).root));
    for (const card of this.cards.values()) if (!words.length) card.clear();
    if (words.length) this.ask();
  }

  drawWords(words) {
    const place = find("words");
    place.hidden = !words.length;
    const focus = [...place.querySelectorAll("button")].indexOf(document.activeElement);
    const buttons = words.slice(0, MOST_WORDS).map((word, number) => make("button", {
      type: "button", "aria-pressed": String(this.hidden.has(number)),
      onclick: () => {
        if (!this.hidden.delete(number)) this.hidden.add(number);
        this.draw();
      },
    }, word));
    const all = this.hidden.size > 0 && make("button", { type: "button", class: "quiet", onclick: () => { this.hidden.clear(); this.draw(); find("text").focus(); } }, "show all again");
    const more = words.length > MOST_WORDS ? `and ${words.length - MOST_WORDS} more` : null;
    place.replaceChildren(make("p", { class: "soft small" }, "What if a word were not there? Click it."), ...buttons, ...(more ? [more] : []), ...(all ? [all] : []));
    if (focus >= 0) place.querySelectorAll("button")[focus]?.focus();
  }

  askNow() {
    for (const run of this.runs) {
      if (this.chosen.has(run.name)) this.cards.get(run.name).ask(this.text, this.rest, this.hidden.size > 0);
    }
  }
}

class TextCard {
  constructor(run) {
    this.run = run;
    this.turn = 0;
    this.explains = false;
    this.body = make("div", { class: "body" });
    this.why = make("div", { class: "why", hidden: true });
    this.button = make("button", { type: "button", class: "quiet", "aria-expanded": "false", onclick: () => this.toggle() }, "Why?");
    this.root = make("article", { class: "card result", "aria-label": `Answer of ${run.name}` },
      head(run,
        run.takes.includes("explain") && this.button),
      this.body, this.why);
    this.clear();
    this.askWhy = later(350, () => this.askWhyNow());
  }

  clear() {
    this.turn += 1;
    this.whole = this.record = null;
    delete this.root.dataset.waiting;
    this.why.hidden = true;
    this.body.replaceChildren(make("p", { class: "soft" }, "Its answer will stand here."));
  }

  async ask(text, rest, without) { // an answer that comes after a later question is dropped
    const turn = ++this.turn;
    this.stop?.abort();
    this.stop = new AbortController();
    this.root.dataset.waiting = "";
    const texts = without ? [text, rest] : [text];
    try {
      const { records } = await predict({ run: this.run.name, texts }, this.stop.signal);
      if (turn !== this.turn) return;
      this.whole = records[0];
      this.record = records.at(-1);
      this.draw(without);
      if (this.explains) this.askWhy();
    } catch (error) {
      if (error.name === "AbortError" || turn !== this.turn) return;
      this.body.replaceChildren(make("p", { class: "notice bad" }, error.message));
    }
    delete this.root.dataset.waiting;
  }

  draw(without) {
    const before = without ? this.whole : null;
    const parts = this.record.probabilities ? shares(this.record, before) : tags(this.record, before, this.run.labels);
    this.body.replaceChildren(...parts);
  }

  toggle() {
    this.explains = !this.explains;
    this.button.setAttribute("aria-expanded", String(this.explains));
    this.button.setAttribute("aria-pressed", String(this.explains));
    this.why.hidden = true;
    if (this.explains && this.record) this.askWhyNow();
  }

  async askWhyNow() {
    const turn = this.turn;
    if (!this.record || "waiting" in this.root.dataset) return; // an answer that comes asks again
    try {
      const found = await explain({ run: this.run.name, text: this.record.text }, this.stop.signal);
      if (turn !== this.turn || !this.explains) return;
      const none = make("p", { class: "soft" }, "There is nothing to explain: no span was found.");
      this.why.replaceChildren(...(found.explanations.length ? [...found.explanations.map((one) => reasons(one, found.explanations.length > 1)), legend(), ...found.notes.map((note) => make("p", { class: "soft small" }, note))] : [none]));
    } catch (error) {
      if (error.name === "AbortError") return;
      this.why.replaceChildren(make("p", { class: "notice bad" }, error.message));
    }
    this.why.hidden = !this.explains;
  }
}

function shares(record, before) {
  const names = Object.keys(record.probabilities);
  const order = names.length > MOST_CLASSES ? names.toSorted((a, b) => record.probabilities[b] - record.probabilities[a]) : names;
  const rows = order.slice(0, MOST_CLASSES).map((name) => {
    const share = record.probabilities[name], old = before?.probabilities[name];
    const fill = make("i"), mark = old == null ? null : make("b", { title: `with all words ${percent(old)}` });
    fill.style.width = `${100 * share}%`;
    if (mark) mark.style.left = `${100 * old}%`;
    const points = old == null ? 0 : Math.round(100 * (share - old));
    const moved = points && make("span", { class: `small ${points > 0 ? "up" : "down"}` }, ` ${points > 0 ? "+" : "−"}${Math.abs(points)}`);
    return make("tr", { class: name === record.label && "best" }, make("th", { scope: "row" }, name),
      make("td", {}, make("div", { class: "bar" }, fill, mark)), make("td", { class: "number" }, percent(share), moved || null));
  });
  const share = record.probabilities[record.label];
  say(`${record.label}, ${percent(share)}`);
  const more = order.length - rows.length;
  return [
    make("p", { class: "answer" }, record.label, make("small", {}, percent(share))),
    before && before.label !== record.label && make("p", { class: "soft small" }, `With all words it is ${before.label}.`),
    bars("Probability of each class", rows),
    more > 0 && make("p", { class: "soft small" }, `and ${plural(more, "class").replace("classs", "classes")} less likely`),
  ].filter(Boolean);
}

function tags(record, before, labels) {
  const spans = record.spans, kind = (label) => `k${labels.indexOf(label) < 0 ? 6 : labels.indexOf(label) % 6}`;
  const parts = [];
  let at = 0;
  const marks = spans ?? record.tokens.map((token) => ({ ...token, label: token.tag }));
  for (const mark of marks) {
    const words = piece(record.text, mark.start, mark.end);
    parts.push(piece(record.text, at, mark.start));
    parts.push(spans
      ? make("mark", { class: kind(mark.label) }, words, make("small", {}, mark.label, " ", percent(mark.confidence)))
      : make("span", { class: `tagged ${kind(mark.label)}`, title: percent(mark.confidence) }, words, make("small", {}, mark.label)));
    at = mark.end;
  }
  parts.push(piece(record.text, at));
  const named = marks.map((mark) => `${mark.label}: ${piece(record.text, mark.start, mark.end)}`);
  say(spans ? (named.length ? named.join(", ") : "no span") : "");
  const rows = marks.map((mark) => [piece(record.text, mark.start, mark.end), mark.label, percent(mark.confidence), mark.start, mark.end]);
  const what = spans ? plural(spans.length, "span") : plural(marks.length, "token");
  return [
    make("p", { class: "sentence" }, parts),
    spans && !spans.length && make("p", { class: "soft small" }, "No span in this text."),
    before && changes(record, before),
    rows.length && folded(`${what} as a table`, table(["text", spans ? "type" : "tag", "sure", "from", "to"], rows, [2, 3, 4])),
  ].filter(Boolean);
}

// Places count characters as Python does; JavaScript counts units of UTF-16.
const piece = (text, start, end) => [...text].slice(start, end).join("");

function changes(record, before) {
  const names = (one) => new Set((one.spans ?? []).map((span) => `${span.text} (${span.label})`));
  const now = names(record), then = names(before);
  const lost = [...then].filter((name) => !now.has(name)), found = [...now].filter((name) => !then.has(name));
  const words = [lost.length ? `gone: ${lost.join(", ")}` : "", found.length ? `new: ${found.join(", ")}` : ""].filter(Boolean).join("; ");
  return make("p", { class: "soft small" }, words ? `Without the hidden words: ${words}` : "The other spans stay as they are.");
}

function reasons(one, several) { // how far each word moved the score, as shades
  const most = Math.max(...one.causes.map((cause) => Math.abs(cause.weight)), 1e-9);
  const parts = [];
  let at = 0;
  for (const cause of one.causes) {
    if (cause.start == null) continue;
    parts.push(piece(one.text, at, cause.start));
    const word = make("span", { class: cause.weight >= 0 ? "for" : "against", title: `${cause.weight >= 0 ? "+" : "−"}${number(Math.abs(cause.weight))}` }, piece(one.text, cause.start, cause.end));
    word.style.setProperty("--part", `${Math.round(38 * Math.abs(cause.weight) / most)}%`);
    parts.push(word);
    at = cause.end;
  }
  parts.push(piece(one.text ?? "", at));
  const rows = [...one.causes, ...(one.others ?? [])].toSorted((a, b) => Math.abs(b.weight) - Math.abs(a.weight)).slice(0, 30)
    .map((cause) => [cause.name, number(cause.weight), cause.attention == null ? "" : percent(cause.attention)]);
  const where = several && one.start != null ? ` “${piece(one.text, one.start, one.end)}”` : "";
  return make("div", { class: "row-of-why" },
    make("p", {}, make("strong", {}, `Why ${one.target}${where}?`), " ", make("span", { class: "soft small" }, `${one.score}: ${number(one.value)}, from ${number(one.baseline)} where nothing is known`)),
    make("p", { class: "sentence" }, parts),
    folded("Words by weight", table(["word", `weight (${one.unit})`, "attention"], rows, [1, 2])));
}

const legend = () => make("ul", { class: "legend" }, make("li", {}, make("i", { class: "for" }), "speaks for it"),
  make("li", {}, make("i", { class: "against" }), "speaks against it"));
