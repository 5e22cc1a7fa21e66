import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { BaseError } from "@haca/protocol/baseError";

/** What a program writes until it ends. @throws BaseError `x402.failed`, with the line that says most of its failure */
export async function run(program: string, words: readonly string[], input = ""): Promise<string> {
  const child = spawn(program, words, { stdio: "pipe" });
  const ended = new Promise<number | string>((resolve) => {
    child.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    child.once("close", (status, signal) => resolve(status ?? signal ?? "killed"));
  });
  // One that ends before it has read everything says why itself.
  child.stdin.on("error", () => undefined).end(input);
  const [output, complaint, status] = await Promise.all([
    text(child.stdout).catch(() => ""),
    text(child.stderr).catch(() => ""),
    ended,
  ]);
  if (status === 0) return output;
  const lines = complaint.split("\n").filter((line) => line.trim() !== "");
  const why = lines.find((line) => !line.startsWith("npm error code")) ?? `it ended with ${status}`;
  const message = `${program} ${words.slice(0, 3).join(" ")}: ${why}`;
  throw new BaseError({ code: "x402.failed", message });
}
