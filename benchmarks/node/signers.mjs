// Signs with the npm packages for the given seconds of its own CPU time, and counts.
// Input: first a line {privateKey, keyPairId, url, expires}, then lines {package, seconds}. Output: {rate} or {error}.

import { createInterface } from "node:readline";
import { getSignedUrl as awsSdk } from "@aws-sdk/cloudfront-signer";
import { getSignedUrl as awsCloudfrontSign } from "aws-cloudfront-sign";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { privateKey, keyPairId, url, expires } = JSON.parse((await lines.next()).value);
const dateLessThan = new Date(expires * 1000).toISOString();

const sign = {
  "@aws-sdk/cloudfront-signer": () => awsSdk({ url, keyPairId, privateKey, dateLessThan }),
  "aws-cloudfront-sign": () =>
    awsCloudfrontSign(url, { keypairId: keyPairId, privateKeyString: privateKey, expireTime: expires * 1000 }),
};

function rate(work, seconds) {
  const begun = process.cpuUsage();
  for (let count = 0, batch = 1; ; ) {
    for (let turn = 0; turn < batch; turn++) work();
    count += batch;
    const { user, system } = process.cpuUsage(begun);
    const spent = (user + system) / 1e6;
    if (spent >= seconds) return count / spent;
    if (spent < seconds / 20) batch *= 2;
  }
}

for await (const line of lines) {
  const { package: name, seconds } = JSON.parse(line);
  try {
    console.log(JSON.stringify({ rate: rate(sign[name], seconds) }));
  } catch (error) {
    console.log(JSON.stringify({ error: error.message }));
  }
}
