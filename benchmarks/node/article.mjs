// Answers GET /PATH of an HTTP API with a redirect (303) to a signed link to /PATH at CloudFront.
import { createSign } from "node:crypto";
import { GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";

const { CLOUDFRONT_DOMAIN, KEYPAIR_ID, PRIVATE_KEY_PARAMETER, LINK_SECONDS = "300" } = process.env;
const REFRESH_MILLISECONDS = 5 * 60 * 1000;
const HASHES = { SHA1: "", SHA256: "&Hash-Algorithm=SHA256" };

const ssm = new SSMClient({});
let held = null;

export async function handler(event) {
  const method = event.requestContext?.http?.method ?? "GET";
  if (method !== "GET" && method !== "HEAD") return answer(405, "Use GET.", { allow: "GET, HEAD" });
  const path = encodedPath(event.rawPath ?? "/");
  if (path === null) return answer(404, "There is no such file.");
  try {
    const link = signed(`https://${CLOUDFRONT_DOMAIN}${path}`, await signer());
    return answer(303, "", { location: link, "referrer-policy": "no-referrer" });
  } catch (error) {
    // Only the name, because an error's text may contain a secret.
    console.error("no link could be signed:", error.name);
    return answer(500, "No link can be signed now. Try again later.");
  }
}

function signed(url, { keyPairId, privateKey, hash }) {
  const expires = Math.floor(Date.now() / 1000) + Number(LINK_SECONDS);
  const policy = `{"Statement":[{"Resource":"${url}","Condition":{"DateLessThan":{"AWS:EpochTime":${expires}}}}]}`;
  const signature = createSign(hash).update(policy).sign(privateKey, "base64").replace(/[+=/]/g, (c) => ({ "+": "-", "=": "_", "/": "~" })[c]);
  return `${url}?Expires=${expires}&Signature=${signature}&Key-Pair-Id=${keyPairId}${HASHES[hash]}`;
}

// Id and key come from one document, so a rotation changes both at once. A PEM without an id needs KEYPAIR_ID.
async function signer() {
  if (held && Date.now() - held.read < REFRESH_MILLISECONDS) return held;
  const got = await ssm.send(new GetParameterCommand({ Name: PRIVATE_KEY_PARAMETER, WithDecryption: true }));
  const text = got.Parameter.Value;
  const { key_pair_id, private_key, hash_algorithm } = text.trimStart().startsWith("{") ? JSON.parse(text) : { private_key: text };
  held = { keyPairId: key_pair_id ?? KEYPAIR_ID, privateKey: private_key, hash: hash_algorithm ?? "SHA1", read: Date.now() };
  return held;
}

// Return the path as a browser sends it, so that the signed URL is the requested one; null if it is not a file's path.
function encodedPath(rawPath) {
  let segments;
  try {
    segments = rawPath.split("/").slice(1).map(decodeURIComponent);
  } catch {
    return null;
  }
  if (segments.some((segment) => ["", ".", ".."].includes(segment) || segment.includes("/"))) return null;
  const strict = (segment) => encodeURIComponent(segment).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `/${segments.map(strict).join("/")}`;
}

function answer(statusCode, body, headers = {}) {
  return { statusCode, headers: { "cache-control": "no-store", "content-type": "text/plain", ...headers }, body };
}
