import { createInterface } from "node:readline/promises";
import { BaseError } from "@haca/protocol/baseError";

/** Asks on the terminal. Error: `deploy.noAnswer` if nobody is there. */
export async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const ended = new Promise<undefined>((resolve) =>
    terminal.once("close", () => resolve(undefined)),
  );
  const answer = await Promise.race([terminal.question(`${question} [y/N] `), ended]);
  terminal.close();
  if (answer === undefined) {
    console.log();
    throw new BaseError({
      code: "deploy.noAnswer",
      message: "nobody answers on standard input: nothing deployed; --yes goes on without asking",
    });
  }
  return answer.trim().toLowerCase() === "y";
}
