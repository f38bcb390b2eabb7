// The page: which runs there are, a part for texts, a part for files, and how a program asks.
import { hasToken, runs as askRuns, send, setToken, takeToken } from "./api.js";
import { find, folded, make, plural } from "./dom.js";
import { TablePart } from "./table.js";
import { TextPart } from "./text.js";

const THEMES = { "": ["Auto", "as the system has them"], light: ["Light", "light"], dark: ["Dark", "dark"] };

function dress(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  const [name, words] = THEMES[theme];
  find("theme").textContent = name;
  find("theme").setAttribute("aria-label", `Colours: ${words}`);
}

function themes() {
  let theme = localStorage.getItem("birnn-theme") ?? "";
  if (!(theme in THEMES)) theme = "";
  dress(theme);
  find("theme").addEventListener("click", () => {
    const names = Object.keys(THEMES);
    theme = names[(names.indexOf(theme) + 1) % names.length];
    localStorage.setItem("birnn-theme", theme);
    dress(theme);
  });
}

// Buttons that choose runs; one alone needs no choice. Returns the names that are chosen.
function toggles(place, runs, changed, first = runs) {
  const chosen = new Set(first.map((run) => run.name));
  if (runs.length > 1) {
    place.setAttribute("role", "group");
    place.setAttribute("aria-label", "Runs that are asked");
    place.append(make("span", { class: "soft small" }, "Ask"), ...runs.map((run) => make("button", {
      type: "button", "aria-pressed": String(chosen.has(run.name)),
      onclick: (event) => {
        if (!chosen.delete(run.name)) chosen.add(run.name);
        event.currentTarget.setAttribute("aria-pressed", String(chosen.has(run.name)));
        changed(chosen);
      },
    }, run.name)));
  }
  return chosen;
}

function commands(runs) {
  const token = hasToken() ? ' \\\n  -H "Authorization: Bearer $BIRNN_TOKEN"' : "";
  for (const run of runs) {
    if (!Object.keys(run.sample).length) continue;
    const body = JSON.stringify({ run: run.name, ...run.sample }).replaceAll("'", "'\\''");
    const line = `curl ${location.origin}/v1/predict${token} \\\n  -H "Content-Type: application/json" \\\n  -d '${body}'`;
    find("commands").append(folded(run.name, make("pre", { tabindex: "0" }, line)));
  }
  find("openapi").addEventListener("click", async (event) => { // a link brings no token
    if (!hasToken()) return;
    event.preventDefault();
    const text = await (await send("/openapi.json")).blob();
    open(URL.createObjectURL(text), "_blank");
  });
  find("program").hidden = false;
}

async function start() {
  let known;
  try {
    known = await askRuns();
  } catch (error) {
    find("door").hidden = error.status !== 401;
    find("trouble").hidden = error.status === 401 && !hasToken();
    find("trouble").textContent = error.status === 401 ? "That is not the token." : error.message;
    find("title").textContent = error.status === 401 ? "This server asks for a token" : "No answer";
    return;
  }
  find("door").hidden = find("trouble").hidden = true;
  const { runs, limits } = known;
  const one = runs.length === 1;
  find("title").textContent = one ? runs[0].name : `${plural(runs.length, "run")}, side by side`;
  document.title = one ? `${runs[0].name} · birnn` : "birnn";
  find("served").textContent = one ? `${runs[0].task} · ${runs[0].encoder}` : runs.map((run) => run.name).join(", ");
  const texts = runs.filter((run) => run.takes.includes("texts")), tables = runs.filter((run) => run.takes.includes("table"));
  if (texts.length) new TextPart(texts, limits, toggles);
  if (tables.length) new TablePart(tables, limits, toggles);
  commands(runs);
}

themes();
takeToken();
find("door").addEventListener("submit", (event) => {
  event.preventDefault();
  setToken(find("token").value);
  start();
});
start();
