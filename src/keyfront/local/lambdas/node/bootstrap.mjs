// Runs a Node.js function on Lambda's Runtime API: node bootstrap.mjs FILE.EXPORT, in the folder with its code.
import "./endpoint.mjs";
import { existsSync } from "node:fs";
import { Agent, request } from "node:http";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { format } from "node:util";

const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new Agent({ keepAlive: true, noDelay: true });
let requestId;

function call(method, what, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const payload = body === undefined ? undefined : Buffer.from(body);
    const sent = payload ? { ...headers, "Content-Length": payload.length } : headers;
    const asked = request({ agent, hostname, port, method, path: `/2018-06-01/runtime/${what}`, headers: sent }, (answer) => {
      const pieces = [];
      answer.on("data", (piece) => pieces.push(piece));
      answer.on("end", () => resolve({ headers: answer.headers, body: Buffer.concat(pieces) }));
      answer.on("error", reject);
    });
    asked.on("error", reject);
    asked.end(payload);
  });
}

// A line of Lambda's text log: time, request, level, message. Line breaks in the message become carriage returns.
for (const [method, level] of Object.entries({ trace: "TRACE", debug: "DEBUG", log: "INFO", info: "INFO", warn: "WARN", error: "ERROR" })) {
  console[method] = (...values) => {
    const message = format(...values).replace(/\n/g, "\r");
    process.stdout.write(`${new Date().toISOString()}\t${requestId ?? "undefined"}\t${level}\t${message}\n`);
  };
}

function described(error) {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? "").split("\n") };
}

function fault(type, message) {
  return Object.assign(new Error(message), { name: type });
}

async function load(handler) {
  const { dir, base } = path.parse(handler);
  const dot = base.indexOf(".");
  if (dot < 1) throw fault("Runtime.MalformedHandlerName", "Bad handler");
  const stem = path.resolve(dir, base.slice(0, dot));
  const file = [".js", ".mjs", ".cjs"].map((ending) => stem + ending).find(existsSync);
  if (!file) throw fault("Runtime.ImportModuleError", `Error: Cannot find module '${base.slice(0, dot)}'`);
  let module;
  try {
    module = await import(pathToFileURL(file).href);
  } catch (error) {
    if (error instanceof SyntaxError) throw fault("Runtime.UserCodeSyntaxError", String(error));
    if (error.code?.includes("MODULE_NOT_FOUND")) throw fault("Runtime.ImportModuleError", String(error));
    throw error;
  }
  const steps = base.slice(dot + 1).split(".");
  const within = (start) => steps.reduce((value, step) => value?.[step], start);
  const found = within(module) ?? within(module.default);
  if (typeof found !== "function") throw fault("Runtime.HandlerNotFound", `${handler} is undefined or not exported`);
  return found;
}

function run(handler, event, context) {
  return new Promise((resolve, reject) => {
    const done = (error, value) => (error ? reject(error) : resolve(value));
    const returned = handler(event, context, done);
    if (typeof returned?.then === "function") returned.then(resolve, reject);
    else if (returned !== undefined || handler.length < 3) resolve(returned);
  });
}

function contextOf(headers) {
  const env = process.env;
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  const client = headers["lambda-runtime-client-context"];
  return {
    awsRequestId: requestId,
    callbackWaitsForEmptyEventLoop: true,
    clientContext: client ? JSON.parse(client) : undefined,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
  };
}

function refuse(what, error) {
  const said = described(error);
  console.error(what === "init/error" ? "Uncaught Exception" : "Invoke Error", "\t", JSON.stringify(said));
  return call("POST", what, JSON.stringify(said), { "Lambda-Runtime-Function-Error-Type": said.errorType });
}

for (const event of ["uncaughtException", "unhandledRejection"]) {
  process.on(event, async (error) => {
    await refuse(requestId ? `invocation/${requestId}/error` : "init/error", error).catch(() => {});
    process.exit(129);
  });
}

let handler;
try {
  handler = await load(process.argv[2]);
} catch (error) {
  await refuse("init/error", error);
  process.exit(1);
}
for (;;) {
  const next = await call("GET", "invocation/next").catch(() => process.exit(0));
  requestId = next.headers["lambda-runtime-aws-request-id"];
  process.env._X_AMZN_TRACE_ID = next.headers["lambda-runtime-trace-id"] ?? "";
  try {
    const value = await run(handler, JSON.parse(next.body.toString()), contextOf(next.headers));
    await call("POST", `invocation/${requestId}/response`, JSON.stringify(value === undefined ? null : value));
  } catch (error) {
    await refuse(`invocation/${requestId}/error`, error);
  }
}
