#!/usr/bin/env node
// Stands in for `haca-prover serve` where a test needs one that misbehaves. The script is a JSON list in
// HACA_TEST_NATIVE_PROVER: how each `prove` request is met, the last entry for all further ones. "hang until <path>" hangs, but
// refuses what is asked once there is such a file.
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";

const script = JSON.parse(process.env.HACA_TEST_NATIVE_PROVER ?? "[]");
const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
const refuse = (id, code) => say({ id, ok: false, error: { code, message: `refused: ${code}` } });

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, op } = JSON.parse(line);
  if (op === "hello") {
    say({ id, ok: true, result: { protocol: script[0] === "oldProtocol" ? 0 : 1 } });
  } else if (op === "prove") {
    const given = script.length > 1 ? script.shift() : script[0];
    const [, path] = /^hang until (.*)$/.exec(given) ?? [];
    const awaited = existsSync(path ?? "") ? "released" : "hang";
    const step = path === undefined ? given : awaited;
    if (step === "exit") process.exit(3);
    if (step === "hang") {
      process.stderr.write(`${process.pid} is proving\n`);
      return;
    }
    if (step === "garbage") process.stdout.write("this is no answer\n");
    else refuse(id, step);
  } else {
    say({ id, ok: true, result: {} });
  }
});
process.stdin.on("end", () => process.exit(0));
