// What scripts add to a report that can be read without them. Text goes in as text, never as HTML.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("with-scripts");
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const json = (selector, within) => JSON.parse(within.querySelector(selector).textContent);
  const make = (name, text = "", className = "") => {
    const element = document.createElement(name);
    element.textContent = text;
    if (className) element.className = className;
    return element;
  };
  const percent = (value) => (value === null ? "–" : `${(100 * value).toFixed(1)} %`);
  globalThis.birnn = { all, json, make, percent }; // for the scripts of single blocks

  // Light or dark, until the page is closed.
  const theme = document.querySelector(".theme");
  theme.addEventListener("click", () => {
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const now = root.dataset.theme || system;
    root.dataset.theme = now === "dark" ? "light" : "dark";
    document.dispatchEvent(new Event("birnn-theme"));
  });

  // The section that is being read.
  const links = all(".bar a");
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const link of links)
        link.setAttribute("aria-current", String(link.hash === `#${entry.target.id}`));
    }
  }, { rootMargin: "-20% 0px -70% 0px" });
  all("main > section").forEach((section) => seen.observe(section));

  // Numbers beside the cursor of a chart.
  const digits = (value) => (value === null ? "–" : Number(value.toPrecision(4)).toLocaleString("en"));
  for (const chart of all(".chart[data-frames]")) {
    const frames = JSON.parse(chart.dataset.frames);
    const [low, high] = JSON.parse(chart.dataset.limits);
    const { series } = json(".points", chart);
    const cursor = make("div", "", "cursor"), tip = make("div", "", "tip");
    const hide = () => { cursor.remove(); tip.remove(); };
    chart.addEventListener("pointerleave", hide);
    chart.addEventListener("pointermove", (event) => {
      const box = chart.getBoundingClientRect();
      const narrow = getComputedStyle(chart.querySelector(".narrow")).display !== "none";
      const [left, top, right, bottom] = frames[narrow ? 1 : 0];
      const share = ((event.clientX - box.left) / box.width - left) / (right - left);
      if (share < -0.02 || share > 1.02) return hide();
      const wanted = low + share * (high - low);
      const xs = series.flatMap((line) => line.x);
      if (!xs.length) return hide();
      const x = xs.reduce((best, one) => (Math.abs(one - wanted) < Math.abs(best - wanted) ? one : best));
      tip.replaceChildren(make("div", digits(x)));
      for (const line of series) {
        const place = line.x.indexOf(x);
        if (place < 0) continue;
        const row = make("div"), dot = make("i");
        dot.style.background = `var(--${line.color})`;
        row.append(dot, `${line.name} ${digits(line.y[place])}`);
        tip.append(row);
      }
      const at = (left + ((x - low) / (high - low)) * (right - left)) * box.width;
      Object.assign(cursor.style, { left: `${at}px`, top: `${top * box.height}px`,
        height: `${(bottom - top) * box.height}px` });
      chart.append(cursor, tip);
      const flip = at > box.width / 2;
      Object.assign(tip.style, { left: flip ? "" : `${at + 10}px`,
        right: flip ? `${box.width - at + 10}px` : "", top: `${top * box.height}px` });
    });
  }

  // A threshold, read off.
  for (const block of all(".thresholds")) {
    const { levels, series } = json(".levels", block);
    const input = block.querySelector("input"), output = block.querySelector("output");
    const places = all(".slider dd", block);
    const show = () => {
      const place = Number(input.value);
      output.textContent = `${Math.round(100 * levels[place])} %`;
      series.forEach(([, values], number) => { places[number].textContent = percent(values[place]); });
    };
    input.addEventListener("input", show);
    show();
  }

  // Tables that sort by a click on a heading.
  const sortValue = (text) => {
    const number = Number.parseFloat(text.replace(/[,\s]/g, ""));
    return Number.isNaN(number) ? text.toLowerCase() : number;
  };
  const compare = (a, b) => (typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a < typeof b ? -1 : 1);
  for (const table of all("table.sortable")) {
    const heads = all("thead th", table), body = table.tBodies[0];
    heads.forEach((head, place) => {
      const button = make("button", head.textContent);
      button.type = "button";
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "descending" ||
          (!head.hasAttribute("aria-sort") && !head.classList.contains("number"));
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "ascending" : "descending");
        const rows = [...body.rows].map((row) => [sortValue(row.cells[place].textContent), row]);
        rows.sort((a, b) => compare(a[0], b[0]) * (down ? 1 : -1));
        body.append(...rows.map(([, row]) => row));
      });
    });
  }

  // Texts to search.
  const shaded = (words, weights) => {
    const cell = make("td", "", "words");
    words.forEach((word, place) => {
      const weight = weights[place] || 0;
      if (weight > 4) {
        const span = make("span", word);
        span.style.setProperty("--weight", weight);
        cell.append(span, " ");
      } else cell.append(`${word} `);
    });
    return cell;
  };
  for (const block of all(".examples")) {
    const { rows, shown, total } = json(".items", block);
    const search = block.querySelector("input"), body = block.querySelector("tbody");
    const count = block.querySelector(".count");
    const selects = [[block.querySelector(".gold"), 3], [block.querySelector(".predicted"), 4]];
    for (const [select, place] of selects)
      for (const label of [...new Set(rows.map((row) => row[place]))].sort())
        select.append(new Option(label, label));
    const texts = rows.map((row) => row[1].join(" ").toLowerCase());
    let first = 0;
    const show = () => {
      const word = search.value.trim().toLowerCase();
      const found = rows.filter((row, number) => texts[number].includes(word) &&
        selects.every(([select, place]) => !select.value || row[place] === select.value));
      first = Math.max(0, Math.min(first, Math.floor((found.length - 1) / shown) * shown));
      body.replaceChildren(...found.slice(first, first + shown).map((row) => {
        const line = document.createElement("tr");
        const sure = make("td", percent(row[5]), "number"), number = make("td", row[0], "number soft");
        line.append(shaded(row[1], row[2]), make("td", row[3]), make("td", row[4]), sure, number);
        return line;
      }));
      const last = Math.min(first + shown, found.length);
      const which = found.length ? `${first + 1} to ${last} of ${found.length.toLocaleString("en")}` : "none";
      const more = rows.length < total ? `; ${total.toLocaleString("en")} in predictions.csv` : "";
      count.textContent = which + more;
      block.querySelector(".back").disabled = first === 0;
      block.querySelector(".on").disabled = last >= found.length;
    };
    const anew = () => { first = 0; show(); };
    search.addEventListener("input", anew);
    for (const [select] of selects) select.addEventListener("change", anew);
    block.querySelector(".back").addEventListener("click", () => { first -= shown; show(); });
    block.querySelector(".on").addEventListener("click", () => { first += shown; show(); });
    show();
  }

  for (const button of all(".copy")) {
    button.addEventListener("click", () => {
      const pre = button.parentElement.querySelector("pre");
      navigator.clipboard?.writeText(pre.textContent).then(() => {
        button.textContent = "Copied";
        setTimeout(() => { button.textContent = "Copy"; }, 1500);
      });
    });
  }

  // What is folded is printed too.
  const folds = all("details");
  addEventListener("beforeprint", () => folds.forEach((fold) => {
    fold.dataset.was = fold.open;
    fold.open = true;
  }));
  addEventListener("afterprint", () => folds.forEach((fold) => {
    fold.open = fold.dataset.was === "true";
  }));
})();
