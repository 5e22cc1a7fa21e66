import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startOneShot, type Verify } from "./oneShot.ts";

const CIRCUIT = { zkey: "circuit.zkey", witness: "circuit.wtns" };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "haca-one-shot-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A program of these lines of shell, timed after the word `prove`. */
function contestant(parameters: { lines: string; verify?: Verify }) {
  const program = join(folder, "program");
  writeFileSync(program, `#!/bin/sh\n${parameters.lines}\n`);
  chmodSync(program, 0o755);
  const verify = parameters.verify ?? (async () => undefined);
  return startOneShot({ name: "shell", program, words: ["prove"], folder, verify });
}

it("gives the program its words and files, and its proof to be verified", async () => {
  const proofs: unknown[] = [];
  const { prove } = contestant({
    lines: `[ "$1 $2 $3" = "prove circuit.zkey circuit.wtns" ] || exit 9
      echo '{"pi_a":["7"]}' > "$4"; echo '[]' > "$5"`,
    verify: async ({ zkey, proof, signals }) => {
      expect(zkey).toBe(CIRCUIT.zkey);
      expect(readFileSync(signals, "utf8")).toBe("[]\n");
      proofs.push(JSON.parse(readFileSync(proof, "utf8")));
    },
  });
  const { proveMs } = await prove(CIRCUIT);
  expect(proveMs).toBeGreaterThan(0);
  expect(proofs).toEqual([{ curve: "bn128", pi_a: ["7"] }]);
});

it("fails with a program that fails, and says what that said", async () => {
  const { prove } = contestant({ lines: "echo 'not a key' >&2; exit 3" });
  await expect(prove(CIRCUIT)).rejects.toThrow(/ended with status 3: not a key$/);
});

it("fails when no proof was written, whatever an earlier one left", async () => {
  await contestant({ lines: `echo '{}' > "$4"; echo '[]' > "$5"` }).prove(CIRCUIT);
  await expect(contestant({ lines: ":" }).prove(CIRCUIT)).rejects.toThrow("wrote no proof");
});

it("fails with a proof that does not verify", async () => {
  const verify = async () => {
    throw new Error("not valid");
  };
  const { prove } = contestant({ lines: `echo '{}' > "$4"`, verify });
  await expect(prove(CIRCUIT)).rejects.toThrow(
    /^shell made a proof that does not verify: .*not valid$/,
  );
});
