// Tagged sentences: searched, and filtered by a click on a kind of error.
"use strict";
(() => {
  const { all, json, make } = globalThis.birnn;
  for (const block of all(".sentences")) {
    const { labels, colors, kinds, rows, shown, total } = json(".items", block);
    const list = block.querySelector(".tagged"), search = block.querySelector("input");
    const [label, fault] = [".label", ".fault"].map((name) => block.querySelector(`select${name}`));
    const count = block.querySelector(".count"), none = kinds.length;
    const [back, on] = [".back", ".on"].map((name) => block.querySelector(name));
    const has = (place) => ([, parts]) => parts.some((part) =>
      typeof part !== "string" && [...part[1], ...part[2]].some((mark) => mark[2] === place));
    labels.map((name, place) => [name, place]).filter(([, place]) => rows.some(has(place)))
      .sort().forEach(([name, place]) => label.append(new Option(name, place)));
    const faulty = (kind) => ([, , faults]) =>
      kind === none ? !faults.length : faults.some(([own]) => own === kind);
    const lines = all("tbody tr", block.querySelector("table"));
    const buttons = [...kinds, "none"].map((name, kind) => {
      const cell = lines[kind]?.querySelector("th");
      if (!rows.some(faulty(kind))) return null;
      fault.append(new Option(name, kind));
      const button = make("button", cell.textContent);
      button.type = "button";
      button.addEventListener("click", () => {
        fault.value = fault.value === String(kind) ? "" : String(kind);
        anew();
      });
      cell.replaceChildren(button);
      return button;
    });
    const texts = rows.map(([, parts]) => parts.map((part) =>
      typeof part === "string" ? part : part[0].join(" ")).join(" ").toLowerCase());

    const mark = ([start, end, place, flags, sure], side) => {
      const span = make("span", "", `mark ${side}`);
      for (const [bit, name] of [[1, "wrong"], [2, "before"], [4, "after"]])
        if (flags & bit) span.classList.add(name);
      span.style.gridColumn = `${start + 1} / ${end + 1}`;
      span.style.setProperty("--color", `var(--${colors[place]})`);
      if (flags & 2) return span;
      span.append(make("span", side === "gold" ? "so: " : "predicted: ", "hidden-text"), labels[place]);
      if (sure !== undefined) span.append(" ", make("small", `${(100 * sure).toFixed(0)} %`));
      return span;
    };
    const cluster = ([words, gold, predicted, wrong]) => {
      const box = make("span", "", wrong ? "cluster wrong" : "cluster");
      box.append(...gold.map((one) => mark(one, "gold")));
      if (!gold.length) box.append(make("span", "", "mark gold none"));
      words.forEach((word, place) => {
        const cell = make("span", `${word} `, "word");
        cell.style.gridColumn = place + 1;
        box.append(cell);
      });
      box.append(...predicted.map((one) => mark(one, "predicted")));
      return box;
    };
    const item = ([where, parts, faults]) => {
      const line = document.createElement("li"), text = document.createElement("p");
      text.append(...parts.map((part) => (typeof part === "string" ? `${part} ` : cluster(part))));
      const told = faults.map(([kind, times]) => ` · ${kinds[kind]}${times > 1 ? ` ×${times}` : ""}`);
      line.append(text, make("p", where + told.join(""), "where"));
      return line;
    };

    let first = 0;
    const show = () => {
      const word = search.value.trim().toLowerCase();
      const tests = [];
      if (label.value) tests.push(has(Number(label.value)));
      if (fault.value) tests.push(faulty(Number(fault.value)));
      const found = rows.filter((row, number) =>
        texts[number].includes(word) && tests.every((test) => test(row)));
      first = Math.max(0, Math.min(first, Math.floor((found.length - 1) / shown) * shown));
      list.replaceChildren(...found.slice(first, first + shown).map(item));
      const last = Math.min(first + shown, found.length);
      const which = found.length ? `${first + 1} to ${last} of ${found.length.toLocaleString("en")}` : "none";
      const more = rows.length < total ? `; of ${total.toLocaleString("en")} sentences, ${rows.length.toLocaleString("en")} are here` : "";
      count.textContent = which + more;
      back.disabled = first === 0;
      on.disabled = last >= found.length;
      buttons.forEach((button, kind) =>
        button?.setAttribute("aria-pressed", String(fault.value === String(kind))));
    };
    const anew = () => { first = 0; show(); };
    search.addEventListener("input", anew);
    for (const select of [label, fault]) select.addEventListener("change", anew);
    const turn = (by) => {
      first += by;
      show();
      list.scrollIntoView({ block: "start" });
    };
    back.addEventListener("click", () => turn(-shown));
    on.addEventListener("click", () => turn(shown));
    show();
  }
})();
