// Sends requests for Amazon's hosts to the laptop's endpoint, for SDKs that do not read AWS_ENDPOINT_URL: version 2, and
// old releases of version 3. The endpoint answers to the same names under localhost.
import http from "node:http";
import https from "node:https";
import { syncBuiltinESMExports } from "node:module";
import { urlToHttpOptions } from "node:url";

const AMAZONS = /\.amazonaws\.com(\.cn)?$/;
const endpoint = process.env.AWS_ENDPOINT_URL ? new URL(process.env.AWS_ENDPOINT_URL) : undefined;
const isLaptop = endpoint?.protocol === "http:" && !AMAZONS.test(endpoint.hostname);
const told = new Set();
// Functions of custom resources send their results by HTTPS without the port of the URL, as cfn-response and the CDK do.
const RESULTS = "/cloudformation-custom-resource-response/";

function withHost(headers, host) {
  const others = Object.entries(headers ?? {}).filter(([name]) => name.toLowerCase() !== "host");
  return { ...Object.fromEntries(others), host };
}

function tell(host) {
  if (told.has(host)) return;
  told.add(host);
  process.stdout.write(`keyfront: ${host} is the laptop's endpoint here. The function's SDK does not read AWS_ENDPOINT_URL.\n`);
}

function redirecting(request) {
  return (...given) => {
    const url = typeof given[0] === "string" || given[0] instanceof URL ? new URL(given.shift()) : undefined;
    const options = typeof given[0] === "object" && given[0] !== null ? given.shift() : {};
    const asked = { ...(url ? urlToHttpOptions(url) : {}), ...options };
    const host = String(asked.hostname ?? asked.host ?? "").replace(/:\d+$/, "").toLowerCase();
    const isResult = host === endpoint.hostname && String(asked.path).startsWith(RESULTS);
    if (!AMAZONS.test(host) && !isResult) return request(...(url ? [url] : []), options, ...given);
    const { agent, host: ignored, port, ...kept } = asked;
    const here = { protocol: "http:", hostname: endpoint.hostname, port: endpoint.port };
    if (isResult) return http.request({ ...kept, ...here }, ...given);
    tell(host);
    const headers = withHost(asked.headers, `${host.replace(AMAZONS, ".localhost")}:${endpoint.port}`);
    return http.request({ ...kept, ...here, headers }, ...given);
  };
}

if (isLaptop) {
  const request = redirecting(https.request);
  https.request = request;
  https.get = (...given) => {
    const asked = request(...given);
    asked.end();
    return asked;
  };
  syncBuiltinESMExports();
}
