/** A process that proves with snarkjs, so that its memory can be told from everyone else's. */
import { readFileSync } from "node:fs";
import { groth16 } from "snarkjs";

/** Files of a circuit. */
export type SnarkjsTask = {
  zkey: string;
  witness: string;
};

export type SnarkjsTimes = { proveMs: number; peakBytes: number };

type Memory = { type: "mem"; data?: Uint8Array };

const files = new Map<string, Uint8Array>();

function inMemory(path: string): Memory {
  const data = files.get(path) ?? readFileSync(path);
  files.set(path, data);
  return { type: "mem", data };
}

async function run({ zkey, witness }: SnarkjsTask): Promise<SnarkjsTimes> {
  const [key, values] = [inMemory(zkey), inMemory(witness)];
  const started = performance.now();
  await groth16.prove(key, values);
  return {
    proveMs: performance.now() - started,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
}

process.on("message", async (task: SnarkjsTask) => {
  process.send?.(await run(task));
});
// snarkjs' threads would keep the process.
process.on("disconnect", () => process.exit(0));
