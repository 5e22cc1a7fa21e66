import { createInterface } from "node:readline/promises";
import { BaseError } from "@haca/protocol/baseError";

/**
 * Asks on standard input, unless the answer was given beforehand. Anything but y is a no. Error: `chain.noAnswer` where
 * the input ends without one: nobody is there.
 */
export async function confirm(parameters: { question: string; yes: boolean }): Promise<boolean> {
  const { question, yes } = parameters;
  if (yes) return true;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const ended = new Promise<undefined>((resolve) =>
    terminal.once("close", () => resolve(undefined)),
  );
  const answer = await Promise.race([terminal.question(`${question} [y/N] `), ended]);
  terminal.close();
  if (answer === undefined) {
    console.log();
    throw new BaseError({
      code: "chain.noAnswer",
      message: "nobody answers on standard input: nothing sent; --yes goes on without asking",
    });
  }
  return answer.trim().toLowerCase() === "y";
}
