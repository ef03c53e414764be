// Signs with the npm packages, for the tests that compare their signatures with ours.
// Input: JSON lines {package, function, arguments}. Output: lines {value} or {error}. `url` parses a URL like a browser.

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
