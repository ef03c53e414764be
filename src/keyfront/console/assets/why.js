// The page that explains a refusal, with a clock to drag.
import { ask, byId, soon } from "./asking.js";

export function start() {
  const form = byId("why");
  if (!form) return;
  const clock = byId("at");
  let latest = 0;
  const explain = async (at, keepClock) => {
    const mine = ++latest;
    try {
      const told = await ask("/ask/why", { ...Object.fromEntries(new FormData(form)), ...(at ? { at } : {}) });
      if (mine !== latest) return;
      byId("report").innerHTML = told.html;
      // What scrolls must be reachable by the keyboard.
      for (const each of byId("report").querySelectorAll("pre")) each.tabIndex = 0;
      byId("report").hidden = false;
      byId("why-problem").hidden = true;
      byId("clock").hidden = told.from === null;
      if (told.from !== null && !keepClock) [clock.min, clock.max, clock.value] = [told.from, told.to, told.at];
      byId("at-shown").textContent = `${new Date(told.at * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
      byId("clock-verdict").textContent = { allowed: "Allowed at this time.", refused: "Refused at this time.", unknown: "Not known at this time." }[told.outcome];
      byId("clock-verdict").className = `hint ${told.outcome}`;
    } catch (error) {
      if (mine !== latest) return;
      byId("why-problem").textContent = error.message;
      byId("why-problem").hidden = false;
      byId("report").hidden = byId("clock").hidden = true;
    }
  };
  form.addEventListener("submit", async (event) => { event.preventDefault(); await explain(); byId("report").focus(); });
  clock.addEventListener("input", soon(() => explain(clock.value, true), 80));
  byId("at-now").addEventListener("click", () => explain());
  const take = async (file) => { if (file) { byId("request").value = await file.text(); explain(); } };
  byId("request-file").addEventListener("change", (event) => take(event.target.files[0]));
  form.addEventListener("dragover", (event) => event.preventDefault());
  form.addEventListener("drop", (event) => { if (event.dataTransfer.files.length) { event.preventDefault(); take(event.dataTransfer.files[0]); } });
  // Another page of the console hands over a URL after the #, which is not sent.
  if (location.hash.length > 1) {
    byId("request").value = decodeURIComponent(location.hash.slice(1));
    history.replaceState(null, "", location.pathname);
    explain();
  }
}
