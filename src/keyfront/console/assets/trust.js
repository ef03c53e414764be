// The drawing of who trusts whom: follow a node by hovering or by the keyboard, and filter.
import { byId } from "./asking.js";

export async function start() {
  const place = byId("trust");
  if (!place) return;
  const answer = await fetch(place.dataset.drawing);
  place.innerHTML = await answer.text();
  const drawing = place.querySelector(".drawing");
  if (!drawing) return;
  const nodes = new Map([...drawing.querySelectorAll("[data-id]")].map((each) => [each.dataset.id, each]));
  const lines = [...drawing.querySelectorAll(".edge")];

  // All nodes that lead to or come from one: only one way at a time, so that a group's other keys stay out.
  const connected = (id) => {
    const found = new Set([id]), used = new Set();
    for (const [here, there] of [["from", "to"], ["to", "from"]]) {
      const queue = [id];
      while (queue.length) {
        const next = queue.pop();
        for (const line of lines) if (line.dataset[here] === next) {
          used.add(line);
          if (!found.has(line.dataset[there])) { found.add(line.dataset[there]); queue.push(line.dataset[there]); }
        }
      }
    }
    return { found, used };
  };
  const trace = (node) => {
    drawing.classList.toggle("tracing", Boolean(node));
    for (const each of drawing.querySelectorAll(".traced")) each.classList.remove("traced");
    if (!node) return;
    const { found, used } = connected(node.dataset.id);
    for (const id of found) nodes.get(id)?.classList.add("traced");
    for (const line of used) line.classList.add("traced");
  };
  for (const node of nodes.values()) {
    node.addEventListener("mouseenter", () => trace(node));
    node.addEventListener("mouseleave", () => trace(null));
    node.addEventListener("focus", () => trace(node));
    node.addEventListener("blur", () => trace(null));
  }
  const field = byId("trust-filter"), filter = () => {
    const wanted = field.value.trim().toLowerCase(), kept = new Set();
    for (const [id, node] of nodes) if (node.textContent.toLowerCase().includes(wanted)) for (const each of connected(id).found) kept.add(each);
    for (const [id, node] of nodes) node.classList.toggle("left-out", Boolean(wanted) && !kept.has(id));
    for (const line of lines) line.classList.toggle("left-out", Boolean(wanted) && !(kept.has(line.dataset.from) && kept.has(line.dataset.to)));
  };
  field.addEventListener("input", filter);
  filter();
  if (location.hash) document.querySelector(location.hash)?.focus();
}
