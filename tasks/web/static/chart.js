// A series: its history, its forecast with bands; the last values can be taken hold of and moved.
const REACH = 16; // pixels around a point

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const faded = (name, share) => `color-mix(in srgb, ${color(name)} ${100 * share}%, transparent)`;

export function places(times) { // x of each stamp, and whether they are times; clocks show what is written
  if (times.every((time) => /^-?\d+$/.test(time))) return [times.map(Number), false];
  const read = times.map((time) => Date.parse(`${time.slice(0, 10)}T${time.slice(11, 19) || "00:00:00"}Z`) / 1000);
  const sorted = read.every((x, i) => Number.isFinite(x) && (!i || x > read[i - 1]));
  return sorted ? [read, true] : [times.map((_, i) => i), false];
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

function clock(plot, splits, axis, space, step) { // words below the axis, by how far they are apart
  let before = "";
  return splits.map((seconds) => {
    const at = new Date(seconds * 1000), two = (value) => String(value).padStart(2, "0");
    const year = at.getUTCFullYear(), month = MONTHS[at.getUTCMonth()];
    const day = `${at.getUTCDate()} ${month} ${year}`;
    const [first, second] = step < 86400 ? [`${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`, day]
      : step < 86400 * 28 ? [`${at.getUTCDate()} ${month}`, year] : step < 86400 * 360 ? [month, year] : [year, ""];
    const shown = second === before ? `${first}` : `${first}\n${second}`;
    before = second;
    return shown;
  });
}

export class Chart {
  constructor(place, { movable = 0, moved = () => {}, point = () => {}, sticks = false } = {}) {
    Object.assign(this, { place, movable, moved, point, sticks });
    new ResizeObserver(() => this.size()).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    new MutationObserver(() => this.draw()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  show(series) { // {times, history, mean, bands, before?}
    const same = this.plot && this.series && this.series.times.length === series.times.length && this.series.times[0] === series.times[0] && this.series.bands.length === series.bands.length && Boolean(this.series.before) === Boolean(series.before);
    this.series = series;
    if (same) this.plot.setData(this.data());
    else this.draw();
  }

  data() {
    const { history, mean, bands, before } = this.series, cut = history.length;
    const [x, timed] = places(this.series.times);
    this.timed = timed;
    const joined = (values) => [...Array(cut - 1).fill(null), history[cut - 1], ...values];
    const rows = [x, [...history, ...Array(mean.length).fill(null)]];
    for (const band of bands.toReversed()) rows.push(joined(band.upper), joined(band.lower));
    if (before) rows.push(joined(before));
    if (mean.length) rows.push(joined(mean));
    return rows;
  }

  draw() {
    if (!this.series || !this.place.clientWidth) return;
    this.plot?.destroy();
    const data = this.data();
    const { bands, before, mean } = this.series;
    const series = [{}, { label: "history", stroke: color("ink"), width: 1.6, ...(this.sticks ? { stroke: color("c1"), fill: color("c1"), width: 1, paths: uPlot.paths.bars({ size: [0.8, 60] }), points: { show: false } } : {}) }];
    if (!this.sticks) series[1].points = { show: data[0].length < 150 && mean.length > 0, size: 4, fill: color("ink"), stroke: color("ink") };
    const areas = [];
    bands.toReversed().forEach((band, i) => {
      series.push({ label: `upper ${band.level} %`, stroke: "transparent", points: { show: false } }, { label: `lower ${band.level} %`, stroke: "transparent", points: { show: false } });
      areas.push({ series: [2 + 2 * i, 3 + 2 * i], fill: faded("c1", 0.13) });
    });
    if (before) series.push({ label: "forecast before", stroke: color("base"), width: 1.6, dash: [5, 4], points: { show: false } });
    if (mean.length) series.push({ label: "forecast", stroke: color("c1"), width: 2.2, points: { show: false } });
    const axis = { stroke: color("soft"), font: "12px system-ui, sans-serif", grid: { stroke: color("line"), width: 1 }, ticks: { show: false } };
    this.plot = new uPlot({
      width: this.place.clientWidth, height: this.height, series, bands: areas, legend: { show: false },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      scales: { x: { time: this.timed } },
      axes: [{ ...axis, grid: { show: false }, ...(this.timed ? { values: clock, size: 46 } : { size: 30 }) }, { ...axis, size: 60 }],
      cursor: { points: { size: 7 }, drag: { x: true, y: false } },
      hooks: { setCursor: [(plot) => this.point(plot.cursor.idx)] },
    }, data, this.place);
    this.hold();
  }

  get height() { return this.sticks ? 160 : Math.round(Math.min(380, Math.max(250, this.place.clientWidth * 0.45))); }

  size() {
    if (!this.plot) this.draw();
    else if (this.plot.width !== this.place.clientWidth) this.plot.setSize({ width: this.place.clientWidth, height: this.height });
  }

  near(event) { // the number of a history's point under the pointer that may be moved
    const box = this.plot.over.getBoundingClientRect(), { history } = this.series;
    const x = event.clientX - box.left, y = event.clientY - box.top;
    let best = -1, least = REACH;
    for (let i = Math.max(0, history.length - this.movable); i < history.length; i++) {
      if (history[i] == null) continue;
      const far = Math.hypot(this.plot.valToPos(this.plot.data[0][i], "x") - x, this.plot.valToPos(history[i], "y") - y);
      if (far < least) { best = i; least = far; }
    }
    return best;
  }

  hold() {
    const over = this.plot.over;
    over.addEventListener("pointermove", (event) => { if (!this.held) this.place.classList.toggle("holds", this.near(event) >= 0); });
    over.addEventListener("pointerdown", (event) => {
      const i = this.near(event);
      if (i < 0) return;
      event.stopPropagation();
      this.held = true;
      over.setPointerCapture(event.pointerId);
      const scale = { min: this.plot.scales.y.min, max: this.plot.scales.y.max };
      const move = (moving) => {
        const y = moving.clientY - over.getBoundingClientRect().top;
        const room = over.clientHeight, share = 1 - y / room;
        this.moved(i - this.series.history.length, scale.min + share * (scale.max - scale.min));
      };
      const end = () => {
        this.held = false;
        over.removeEventListener("pointermove", move);
        over.removeEventListener("pointerup", end);
        over.removeEventListener("pointercancel", end);
      };
      over.addEventListener("pointermove", move);
      over.addEventListener("pointerup", end);
      over.addEventListener("pointercancel", end);
    });
    over.addEventListener("mousedown", (event) => { if (this.held) { event.stopImmediatePropagation(); event.preventDefault(); } }, true);
  }
}
