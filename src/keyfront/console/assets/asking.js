// Requests of the pages' scripts to the console.
const csrf = document.querySelector("meta[name=csrf]").content;

// Sends a form and returns its JSON. A refusal becomes an error with the console's words.
export async function ask(path, form) {
  const answer = await fetch(path, { method: "POST", body: new URLSearchParams(form), headers: { "X-CSRF-Token": csrf } });
  if (!answer.headers.get("content-type")?.startsWith("application/json"))
    throw new Error(`The console answers ${answer.status}: reload the page.`);
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.error);
  return said;
}

// Calls `what` when nothing has happened for a moment.
export function soon(what, milliseconds = 150) {
  let timer = 0;
  const later = () => { clearTimeout(timer); timer = setTimeout(what, milliseconds); };
  later.cancel = () => clearTimeout(timer);
  return later;
}

export const byId = (id) => document.getElementById(id);
