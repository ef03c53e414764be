// Decisions as they happen, and summaries of access logs.
import { byId } from "./asking.js";

const MOST = 300;

export function start() {
  logs();
  const place = byId("live");
  if (!place) return;
  const rows = byId("decisions"), filter = byId("live-filter"), pause = byId("live-pause"), state = byId("live-state");
  const fits = (row) => { row.hidden = !row.textContent.toLowerCase().includes(filter.value.trim().toLowerCase()); };
  filter.addEventListener("input", () => { for (const row of rows.children) fits(row); });
  let held = [];
  const add = (html) => {
    rows.insertAdjacentHTML("afterbegin", html);
    fits(rows.firstElementChild);
    while (rows.children.length > MOST) rows.lastElementChild.remove();
    byId("no-decisions").hidden = true;
  };
  pause.addEventListener("click", () => {
    const paused = pause.getAttribute("aria-pressed") !== "true";
    pause.setAttribute("aria-pressed", paused);
    pause.textContent = paused ? "Go on" : "Pause";
    if (!paused) { held.forEach(add); held = []; }
  });
  const source = new EventSource(place.dataset.events);
  source.addEventListener("ready", () => { state.textContent = "Watching: new decisions appear here."; });
  source.addEventListener("decision", (event) => {
    const html = JSON.parse(event.data);
    if (pause.getAttribute("aria-pressed") === "true") held = [...held, html].slice(-MOST);
    else add(html);
  });
  source.addEventListener("chart", (event) => { byId("chart").innerHTML = JSON.parse(event.data); });
  source.addEventListener("error", () => { state.textContent = "The console does not answer. Trying again…"; });
}

async function logs(again = "") {
  const place = byId("logs");
  if (!place) return;
  byId("logs-again").onclick = () => logs("?again");
  place.setAttribute("aria-busy", "true");
  place.innerHTML = await (await fetch(place.dataset.drawing + again)).text();
  place.removeAttribute("aria-busy");
}
