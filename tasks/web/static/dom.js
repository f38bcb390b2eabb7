// Elements from values: whatever is shown is a text node, never markup.
export const find = (id) => document.getElementById(id);

export function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children.flat().filter((child) => child != null && child !== false));
  return made;
}

export function table(head, rows, numbers = []) {
  const cell = (name, value, column) =>
    make(name, { class: numbers.includes(column) ? "number" : /^\d{4}-\d\d-\d\d/.test(value) && "stamp", scope: name === "th" && "col" }, String(value ?? ""));
  return make("div", { class: "scroll tall", tabindex: "0", role: "region", "aria-label": "Table" },
    make("table", {},
      make("thead", {}, make("tr", {}, head.map((value, column) => cell("th", value, column)))),
      make("tbody", {}, rows.map((row) => make("tr", {}, row.map((value, column) => cell("td", value, column)))))));
}

export const bars = (caption, rows) => make("table", { class: "bars" }, make("caption", { class: "hidden-text" }, caption),
  make("colgroup", {}, make("col", { class: "name" }), make("col"), make("col", { class: "share" })), make("tbody", {}, rows));

export const folded = (title, ...inside) => make("details", {}, make("summary", {}, title), inside);

export const percent = (share) => {
  const points = 100 * share;
  const shown = points > 0 && points < 9.95 || points > 90.05 && points < 99.995 ? points.toFixed(1) : points.toFixed(0);
  return `${shown} %`;
};

export const number = (value) => value == null ? "" : Number(value.toPrecision(5)).toLocaleString("en", { maximumFractionDigits: 6 });

export const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;

export function later(wait, act) { // the last call within ``wait`` milliseconds counts
  let timer = 0;
  return (...given) => { clearTimeout(timer); timer = setTimeout(() => act(...given), wait); };
}

export function save(name, blob) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

export const say = (words) => { find("said").textContent = words; };

export const head = (run, ...more) => make("header", {}, make("h3", {}, run.name),
  make("span", { class: "soft" }, run.task === run.name ? run.encoder : `${run.task} · ${run.encoder}`),
  run.report && !sessionStorage.getItem("birnn-token") && make("a", { class: "small", href: `/reports/${encodeURIComponent(run.name)}`, target: "_blank", rel: "noopener" }, "its report"),
  more);
