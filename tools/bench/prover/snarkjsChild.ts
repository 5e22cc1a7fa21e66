/** A process that proves with snarkjs, so that its memory can be told from everyone else's. */
import { readFileSync } from "node:fs";
import { groth16, wtns } from "snarkjs";

/** Files of a circuit; with `wasm` and `signals` the witness is calculated, else it is read from `witness`. */
export type SnarkjsTask = {
  zkey: string;
  witness?: string;
  wasm?: string;
  signals?: Record<string, string[] | string>;
};

export type SnarkjsTimes = { witnessMs: number; proveMs: number; peakBytes: number };

type Memory = { type: "mem"; data?: Uint8Array };

const files = new Map<string, Uint8Array>();

function inMemory(path: string): Memory {
  const data = files.get(path) ?? readFileSync(path);
  files.set(path, data);
  return { type: "mem", data };
}

async function run({ zkey, witness, wasm, signals }: SnarkjsTask): Promise<SnarkjsTimes> {
  const key = inMemory(zkey);
  let values: Memory = witness === undefined ? { type: "mem" } : inMemory(witness);
  const started = performance.now();
  if (wasm !== undefined && signals !== undefined) {
    const program = inMemory(wasm);
    values = { type: "mem" };
    await wtns.calculate(signals, program, values);
  }
  const calculated = performance.now();
  await groth16.prove(key, values);
  return {
    witnessMs: calculated - started,
    proveMs: performance.now() - calculated,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
}

process.on("message", async (task: SnarkjsTask) => {
  process.send?.(await run(task));
});
// snarkjs' threads would keep the process.
process.on("disconnect", () => process.exit(0));
