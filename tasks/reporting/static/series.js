// Series: one at a time, drawn by uPlot in the page's colours, to zoom with mouse, keys or buttons.
"use strict";
(() => {
  const { all, json, make } = globalThis.birnn;
  const SHARE = 0.25; // of what is shown: how far an arrow moves
  const color = (name, alpha = "") =>
    getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim() + alpha;
  const round = (value) => (value === null || value === undefined ? "–" :
    Number(value.toPrecision(6)).toLocaleString("en", { maximumFractionDigits: 12 }));
  const grid = ([first, unit, steps]) => {
    if (typeof steps === "number") return Array.from({ length: steps }, (_, k) => first + k * unit);
    let at = first;
    return [first, ...steps.map((apart) => (at += apart * unit))];
  };
  const spread = (values, at, length) => {
    const whole = Array(length).fill(null);
    (values || []).forEach((value, k) => { whole[at + k] = value; });
    return whole;
  };
  const hour = "{HH}:{mm}", day = "{D} {MMM}", year = "\n{YYYY}";
  const TICKS = [
    [31536e6, "{YYYY}", null, null, null, null, null, null, 1],
    [24192e5, "{MMM}", year, null, null, null, null, null, 1],
    [864e5, day, year, null, null, null, null, null, 1],
    [36e5, hour, `\n${day} {YYYY}`, null, `\n${day}`, null, null, null, 1],
    [6e4, hour, `\n${day} {YYYY}`, null, `\n${day}`, null, null, null, 1],
    [1e3, "{HH}:{mm}:{ss}", `\n${day} {YYYY}`, null, `\n${day}`, null, null, null, 1],
    [1, "{ss}.{fff}", `\n${day} {hh}:{mm}`, null, null, null, null, null, 1],
  ];

  for (const block of all(".series")) {
    const { levels, moments, series } = json(".items", block);
    const plot = block.querySelector(".plot"), readout = block.querySelector(".readout");
    const which = block.querySelector(".which"), search = block.querySelector("input");
    const numbers = block.querySelector(".figures-of");
    const daily = (x) => x.every((at) => at % 864e5 === 0);
    let chart = null, line = null, x = [], columns = [], dated = false;

    const stamp = (at) => {
      if (!moments) return at.toLocaleString("en");
      const text = new Date(at).toISOString().replace("T", " ").replace(/(:00)?\.000Z$|Z$/, "");
      return dated ? text.slice(0, 10) : text;
    };
    const parts = () => [["backtest", "c2"], ["future", "c1"]].filter(([name]) => line[name])
      .map(([name, ink]) => {
        const [at, mean, low, high] = line[name], wide = (values) => spread(values, at, x.length);
        return { name, ink, mean: wide(mean), low: low.map(wide), high: high.map(wide) };
      });

    const hidden = { width: 0, points: { show: false } };
    const dots = (u, number, first, last) => last - first < 50;
    const options = (forecasts) => {
      const lines = [{}], bands = [], values = [x];
      for (const part of forecasts)
        levels.forEach((_, k) => {
          bands.push({ series: [lines.length, lines.length + 1], fill: color(part.ink, "26") });
          lines.push(hidden, hidden);
          values.push(part.high[k], part.low[k]);
        });
      lines.push({ stroke: color("ink"), width: 1.3, points: { show: dots, size: 4 } });
      values.push(spread(line.history, 0, x.length));
      for (const part of forecasts) {
        lines.push({ stroke: color(part.ink), width: 2, points: { show: dots, size: 4 } });
        values.push(part.mean);
      }
      const axis = { stroke: color("soft"), font: "12px ui-sans-serif, system-ui, sans-serif",
        grid: { stroke: color("line"), width: 1 }, ticks: { show: false } };
      const axes = [{ ...axis, grid: { show: false }, ...(moments ? { values: TICKS } : { size: 32 }) },
        { ...axis, size: (u, texts) => 14 + 7 * Math.max(5, ...(texts || []).map((t) => t.length)) }];
      const cursor = { drag: { x: true, y: false }, points: { size: 7 }, y: false };
      return [{ width: plot.clientWidth, height: tall(), ms: 1, axes, bands, cursor, series: lines,
        tzDate: (at) => uPlot.tzDate(new Date(at), "Etc/UTC"), legend: { show: false },
        scales: { x: { time: moments } }, hooks: { setCursor: [read], drawAxes: [origins], setScale: [later] } }, values];
    };
    const tall = () => (plot.clientWidth < 560 ? 260 : 380);
    const origins = (u) => {
      const places = line.origins.map((at) => u.valToPos(x[at], "x", true));
      if (places.length < 2 || places[1] - places[0] < 40 * devicePixelRatio) return;
      const { left, top, width, height } = u.bbox, context = u.ctx;
      context.save();
      context.strokeStyle = color("line");
      context.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
      context.beginPath();
      for (const at of places.filter((at) => at >= left && at <= left + width)) {
        context.moveTo(at, top);
        context.lineTo(at, top + height);
      }
      context.stroke();
      context.restore();
    };
    const row = (at) => [["came true", line.history[at]], ...columns.flatMap((part) => {
      const name = part.name === "future" ? "forecast" : "backtest", last = levels.length - 1;
      const bounds = last < 0 || part.low[last][at] === null ? [] :
        [[`${levels[last]} %`, `${round(part.low[last][at])} to ${round(part.high[last][at])}`]];
      return part.mean[at] === null ? [] : [[name, part.mean[at]], ...bounds];
    })].filter(([, value]) => value !== null && value !== undefined);
    const read = (u) => {
      const at = u.cursor.idx;
      readout.textContent = at === null || at === undefined || u.cursor.left < 0 ? "\u00a0" :
        [stamp(x[at]), ...row(at).map(([name, value]) =>
          `${name} ${typeof value === "number" ? round(value) : value}`)].join(" · ");
    };

    const ends = () => [x[0], x[x.length - 1]];
    const limits = (low, high) => {
      const [first, last] = ends(), least = 3 * (x.length > 1 ? x[1] - x[0] : 1);
      const width = Math.min(Math.max(high - low, least), last - first);
      const from = Math.min(Math.max(low, first), last - width);
      chart.setScale("x", { min: from, max: from + width });
    };
    const scale = (factor, share = 0.5) => {
      const { min, max } = chart.scales.x, at = min + share * (max - min);
      limits(at - factor * (at - min), at + factor * (max - at));
    };
    const move = (share) => {
      const { min, max } = chart.scales.x;
      limits(min + share * (max - min), max + share * (max - min));
    };
    const toEnd = () => {
      const ahead = line.future ? line.future[1].length : 0;
      const shown = Math.min(x.length, Math.max(60, 6 * ahead));
      limits(x[x.length - shown], x[x.length - 1]);
    };
    const keys = { ArrowLeft: () => move(-SHARE), ArrowRight: () => move(SHARE), "+": () => scale(0.6),
      "=": () => scale(0.6), "-": () => scale(1 / 0.6), Home: () => limits(...ends()), End: toEnd };
    plot.addEventListener("keydown", (event) => {
      if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      keys[event.key]();
    });
    for (const button of all(".zoom button", block))
      button.addEventListener("click", () => keys[button.dataset.key]());
    plot.addEventListener("mouseup", () => plot.focus({ preventScroll: true }));
    plot.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && document.activeElement !== plot) return; // the page scrolls
      event.preventDefault();
      const box = chart.over.getBoundingClientRect();
      scale(event.deltaY > 0 ? 1.25 : 0.8, Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1));
    }, { passive: false });

    const draw = (keep) => {
      const before = keep && chart ? { ...chart.scales.x } : null;
      chart?.destroy();
      const [made, values] = options(columns);
      chart = new uPlot(made, values, plot);
      if (before) limits(before.min, before.max); else toEnd();
      readout.textContent = "\u00a0";
    };
    let asked = 0;
    const later = () => {
      cancelAnimationFrame(asked);
      asked = requestAnimationFrame(fill);
    };
    const fill = () => {
      if (!numbers.open || !chart) return;
      const table = numbers.querySelector("table"), head = make("tr"), body = make("tbody");
      const names = ["came true", ...columns.flatMap((part) => [part.name === "future" ? "forecast" : part.name,
        ...levels.flatMap((level) => [`low ${level} %`, `high ${level} %`])])];
      for (const name of [moments ? "time" : "step", ...names]) {
        const cell = make("th", name, name === "time" ? "" : "number");
        cell.scope = "col";
        head.append(cell);
      }
      const { min, max } = chart.scales.x, shown = [];
      x.forEach((at, k) => { if (at >= min && at <= max) shown.push(k); });
      for (const k of shown.slice(-200)) {
        const cells = [line.history[k], ...columns.flatMap((part) => [part.mean[k],
          ...levels.flatMap((_, level) => [part.low[level][k], part.high[level][k]])])];
        const own = make("tr"), first = make("th", stamp(x[k]));
        first.scope = "row";
        own.append(first, ...cells.map((value) => make("td", round(value), "number")));
        body.append(own);
      }
      const heads = make("thead");
      heads.append(head);
      table.replaceChildren(make("caption", "What the chart shows now, at most its last 200 steps", "hidden-text"), heads, body);
    };
    numbers.addEventListener("toggle", fill);
    const choose = (number) => {
      line = series[number];
      x = grid(line.x);
      dated = daily(x);
      columns = parts();
      plot.setAttribute("aria-description", line.name);
      draw(false);
      fill();
      if (which) which.value = String(number);
    };

    const list = () => {
      const word = search ? search.value.trim().toLowerCase() : "", was = which.value;
      const found = series.map(({ name }, number) => [name, number])
        .filter(([name]) => name.toLowerCase().includes(word));
      which.replaceChildren(...found.map(([name, number]) => new Option(name, number)));
      if (!found.length) return;
      const kept = found.some(([, number]) => String(number) === was);
      if (kept) which.value = was; else choose(found[0][1]);
    };
    choose(0);
    if (which) {
      list();
      which.value = "0";
      which.addEventListener("change", () => choose(Number(which.value)));
      search?.addEventListener("input", list);
    }
    for (const cell of all("table.picks tbody th")) {
      const number = series.findIndex(({ name }) => name === cell.textContent);
      if (number < 0) continue;
      const button = make("button", cell.textContent);
      button.type = "button";
      button.addEventListener("click", () => {
        if (search) { search.value = ""; list(); }
        choose(number);
        block.scrollIntoView();
        plot.focus({ preventScroll: true });
      });
      cell.replaceChildren(button);
    }
    new ResizeObserver(() => chart.setSize({ width: plot.clientWidth, height: tall() })).observe(plot);
    const repaint = () => draw(true);
    document.addEventListener("birnn-theme", repaint);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  }
})();
