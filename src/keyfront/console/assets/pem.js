// Keys as PEM, and as WebCrypto takes them.

export const isPrivate = (text) => text.includes("PRIVATE KEY");

export function toPem(label, bytes) {
  const base64 = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return `-----BEGIN ${label}-----\n${base64.match(/.{1,64}/g).join("\n")}\n-----END ${label}-----\n`;
}

// The private key in a PEM file (PKCS#8, PKCS#1 or SEC 1), for signing with `hash`. It stays in this page.
export async function privateKey(text, hash) {
  const found = /-----BEGIN ((?:RSA |EC )?PRIVATE KEY)-----([\s\S]+?)-----END \1-----/.exec(text);
  if (!found) throw new Error(/ENCRYPTED/.test(text) ? "This key is encrypted, which a browser cannot open. Decrypt it first: openssl pkey -in FILE -out OPEN.pem" : "This file holds no private key in PEM.");
  const der = Uint8Array.from(atob(found[2].replace(/\s+/g, "")), (each) => each.charCodeAt(0));
  const pkcs8 = found[1] === "PRIVATE KEY" ? der : wrapped(der, found[1].startsWith("RSA") ? RSA : P256);
  const ways = [{ name: "RSASSA-PKCS1-v1_5", hash }, { name: "ECDSA", namedCurve: "P-256", hash }];
  for (const way of ways) {
    try {
      return { key: await crypto.subtle.importKey("pkcs8", pkcs8, way, false, ["sign"]), way };
    } catch { /* not of this type */ }
  }
  throw new Error("This private key is neither RSA nor ECDSA P-256: CloudFront accepts no others.");
}

// A signature as CloudFront takes it: for ECDSA as DER, which WebCrypto does not make.
export async function sign({ key, way }, bytes) {
  const made = new Uint8Array(await crypto.subtle.sign(way, key, bytes));
  if (way.name !== "ECDSA") return made;
  const half = made.length / 2;
  return der(0x30, [...integer(made.slice(0, half)), ...integer(made.slice(half))]);
}

const RSA = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1, 5, 0];
const P256 = [0x30, 19, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];

const wrapped = (key, algorithm) => der(0x30, [2, 1, 0, ...algorithm, ...der(4, [...key])]);

function der(tag, content) {
  const size = content.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255];
  return new Uint8Array([tag, ...length, ...content]);
}

function integer(bytes) {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const short = [...bytes.slice(start)];
  return [...der(2, short[0] & 0x80 ? [0, ...short] : short)];
}
