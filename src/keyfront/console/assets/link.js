// The page that tries a link. A private key is used here and nowhere else.
import { ask, byId, soon } from "./asking.js";
import { privateKey, sign } from "./pem.js";

export function start() {
  const form = byId("link");
  if (!form) return;
  let secret = "", latest = 0;
  const chosen = (name) => form.elements[name].value;
  const fields = (more) => ({ ...Object.fromEntries(new FormData(form)), ...more });

  const tell = (error) => {
    byId("link-problem").textContent = error ? error.message : "";
    byId("link-problem").hidden = !error;
  };
  const preview = soon(async () => {
    const mine = ++latest;
    try {
      const made = await ask("/ask/link", fields());
      if (mine !== latest) return; // signed, or typed on, in the meantime
      show(made);
      tell(null);
    } catch (error) { if (mine === latest) tell(error); }
  });
  const choose = () => {
    for (const part of form.querySelectorAll("[data-key]")) part.hidden = part.dataset.key !== chosen("key");
    byId("resource").disabled = chosen("opens") !== "pattern";
    byId("signed").hidden = true;
    preview();
  };
  byId("private").addEventListener("change", async (event) => {
    const file = event.target.files[0];
    secret = file ? await file.text() : "";
    byId("private-state").textContent = file ? `${file.name} is in this page only, until you leave it.` : "It is read by this page, and never sent.";
  });
  form.addEventListener("input", choose);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    latest++;
    preview.cancel();
    try {
      const made = chosen("key") === "browser" ? await inBrowser(fields(), secret) : await ask("/ask/link", fields({ sign: "yes" }));
      show(made);
      await present(made);
      tell(null);
    } catch (error) { byId("signed").hidden = true; tell(error); }
  });
  choose();
}

async function inBrowser(form, secret) {
  if (!secret) throw new Error("No private key is chosen: choose its file (private_key.pem).");
  if (!form.key_id) throw new Error("The key-pair id is missing: choose the id of the key's public half in CloudFront, K….");
  const key = await privateKey(secret, form.hash === "SHA256" ? "SHA-256" : "SHA-1");
  const asked = await ask("/ask/link", form);
  const bytes = Uint8Array.from(atob(asked.bytes), (each) => each.charCodeAt(0));
  const signature = btoa(String.fromCharCode(...await sign(key, bytes)));
  // The same moments as in the bytes that were signed.
  return ask("/ask/link", { ...form, expires: asked.expires, ...(asked.starts ? { starts: asked.starts } : {}), signature });
}

function show(made) {
  byId("policy").textContent = made.policy;
  byId("policy-kind").textContent = `A ${made.kind} policy, valid until ${made.until}.`;
  byId("link-warnings").replaceChildren(...made.warnings.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
}

async function present(made) {
  byId("signed-url").value = made.url;
  byId("signed-curl").textContent = made.curl;
  byId("open-link").href = made.url;
  // After the #, so that it is not sent.
  byId("explain-link").href = `/why#${encodeURIComponent(made.url)}`;
  byId("signed").hidden = false;
  const code = byId("signed-code"), problem = byId("signed-code-problem");
  try {
    code.src = (await ask("/ask/qr", { url: made.url })).image;
    code.hidden = false;
    problem.textContent = "";
  } catch (error) { code.hidden = true; problem.textContent = error.message; }
  byId("signed-heading").focus();
}
