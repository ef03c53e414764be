// Stands in for the AWS SDK, which Lambda brings along: answers with a file, and says what it was asked.
import { readFileSync } from "node:fs";

export class GetParameterCommand {
  constructor(input) {
    this.input = input;
  }
}

export class SSMClient {
  async send({ input }) {
    console.error("asked for", JSON.stringify(input));
    return { Parameter: { Value: readFileSync(process.env.FAKE_PARAMETER, "utf8") } };
  }
}
