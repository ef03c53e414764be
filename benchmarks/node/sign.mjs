// Signs with the npm packages what it is told to, for the tests that hold their signatures beside ours.
// A JSON line {package, function, arguments} in, a line {value} or {error} out. `url` is what a browser makes of a URL.

import { createInterface } from "node:readline";
import * as awsSdk from "@aws-sdk/cloudfront-signer";
import awsCloudfrontSign from "aws-cloudfront-sign";

const packages = {
  "@aws-sdk/cloudfront-signer": awsSdk,
  "aws-cloudfront-sign": awsCloudfrontSign,
  url: { href: (url) => new URL(url).href },
};

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  try {
    console.log(JSON.stringify({ value: packages[asked.package][asked.function](...asked.arguments) }));
  } catch (error) {
    console.log(JSON.stringify({ error: error.message }));
  }
}
