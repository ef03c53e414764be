// Small scripts for the console's pages. Each part starts only where its elements are.
import { start as startImport } from "./import.js";
import { start as startLink } from "./link.js";
import { start as startLive } from "./live.js";
import { start as startTrust } from "./trust.js";
import { start as startWhy } from "./why.js";

for (const start of [copying, alive, statuses, pathTest, rotation, startImport, startLink, startLive, startTrust, startWhy]) start();

function copying() {
  document.addEventListener("click", async (click) => {
    const button = click.target.closest("[data-copy]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    await navigator.clipboard.writeText(source.value ?? source.textContent);
    const before = button.innerHTML;
    button.textContent = "Copied";
    setTimeout(() => { button.innerHTML = before; }, 1500);
  });
}

// The page of an endpoint that is gone: it is loaded again once the endpoint answers.
function alive() {
  if (!document.querySelector("[data-alive]")) return;
  const look = async () => {
    try {
      if ((await fetch("/alive")).ok) return location.reload();
    } catch { /* the console itself is gone, too */ }
    setTimeout(look, 2000);
  };
  setTimeout(look, 2000);
}

// The state of a deployment, as it changes.
function statuses() {
  for (const element of document.querySelectorAll("[data-status]")) {
    const source = new EventSource(element.dataset.status);
    source.addEventListener("part", (event) => { element.textContent = JSON.parse(event.data); });
    source.addEventListener("problem", (event) => { element.textContent = JSON.parse(event.data); });
    source.addEventListener("end", () => { element.classList.remove("busy"); source.close(); });
  }
}

// The steps of a rotation, as they are done.
function rotation() {
  const element = document.querySelector("[data-steps]");
  if (!element) return;
  const source = new EventSource(element.dataset.steps);
  source.addEventListener("part", (event) => { element.innerHTML = JSON.parse(event.data); });
  source.addEventListener("end", () => source.close());
}

function pathTest() {
  const form = document.querySelector("[data-path-test]");
  if (!form) return;
  const input = form.querySelector("input"), list = document.getElementById("behaviors");
  let latest = 0;
  const ask = async () => {
    const mine = ++latest;
    const answer = await fetch(`${form.dataset.pathTest}?path=${encodeURIComponent(input.value)}`);
    const text = await answer.text();
    if (mine === latest && answer.ok) list.innerHTML = text;
  };
  input.addEventListener("input", ask);
  form.addEventListener("submit", (event) => { event.preventDefault(); ask(); });
  // Typed before this script was there, or kept by the browser.
  if (input.value) ask();
}
