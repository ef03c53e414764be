// The import of a public key, and key pairs that are made in the browser.
import { byId } from "./asking.js";
import { isPrivate, toPem } from "./pem.js";

export function start() {
  const form = byId("import");
  if (!form) return;
  const field = byId("pem"), alert = byId("private-key-found");
  // A private key never stays in a field that is sent.
  const take = (text, from) => {
    const found = isPrivate(text);
    alert.hidden = !found;
    if (found) {
      field.value = "";
      alert.textContent = `${from} is a private key. It was not sent, and is not kept in this page. Only the signer needs it: choose its public key (public_key.pem).`;
    } else field.value = text;
    return !found;
  };
  field.addEventListener("input", () => { if (isPrivate(field.value)) take(field.value, "What you pasted"); else alert.hidden = true; });
  // Pasted before this script was there, or kept by the browser.
  if (field.value) take(field.value, "What you pasted");
  form.addEventListener("submit", (event) => { if (!take(field.value, "What you pasted")) event.preventDefault(); });
  const read = async (file) => { if (file) { take(await file.text(), file.name); if (!byId("name").value && field.value) byId("name").focus(); } };
  const file = byId("pem-file");
  file.addEventListener("change", async () => { await read(file.files[0]); if (!field.value) file.value = ""; });
  for (const target of [form, form.querySelector("[data-drop]")]) {
    target.addEventListener("dragover", (event) => { event.preventDefault(); target.classList.add("over"); });
    target.addEventListener("dragleave", () => target.classList.remove("over"));
    target.addEventListener("drop", (event) => { event.preventDefault(); event.stopPropagation(); target.classList.remove("over"); read(event.dataTransfer.files[0]); });
  }
  byId("make-pair").addEventListener("click", () => makePair(field, take));
}

async function makePair(field, take) {
  const ecdsa = byId("pair-type").value === "ecdsa", told = byId("pair-made");
  const way = ecdsa
    ? { name: "ECDSA", namedCurve: "P-256" }
    : { name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" };
  told.textContent = "Making a key pair…";
  const pair = await crypto.subtle.generateKey(way, true, ["sign", "verify"]);
  const [secret, open] = [await crypto.subtle.exportKey("pkcs8", pair.privateKey), await crypto.subtle.exportKey("spki", pair.publicKey)];
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([toPem("PRIVATE KEY", secret)], { type: "application/x-pem-file" }));
  link.download = "private_key.pem";
  link.click();
  URL.revokeObjectURL(link.href);
  take(toPem("PUBLIC KEY", open), "The pair");
  told.textContent = "Made. Your browser saves private_key.pem: keep it secret, because anyone who has it can sign. The public key is in the form: give it a name, and import it.";
  byId("name").focus();
}
