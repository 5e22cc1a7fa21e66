import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { NativeProcess } from "../../../worker/src/prover/nativeProcess.ts";
import type { SnarkjsTask, SnarkjsTimes } from "./snarkjsChild.ts";

/** Times of one proof by one prover, and the most memory that its process has had. */
export type Times = { proveMs: number; peakBytes: number };

export type Circuit = { zkey: string; witness: string };

/** Something that makes proofs and is timed. */
export type Contestant = {
  name: string;
  prove(circuit: Circuit): Promise<Times>;
  close(): Promise<void>;
};

const TIMEOUT_MS = 30 * 60_000;

/** snarkjs with all cores, in a process of its own, keys and witnesses in its memory. */
export function startSnarkjs(): Contestant & {
  run: (task: SnarkjsTask) => Promise<SnarkjsTimes>;
} {
  const child = fork(join(import.meta.dirname, "snarkjsChild.ts"), { stdio: "inherit" });
  const run = async (task: SnarkjsTask): Promise<SnarkjsTimes> => {
    child.send(task);
    return (await answerOf(child)) as SnarkjsTimes;
  };
  return { name: "snarkjs", run, prove: run, close: () => disconnected(child) };
}

async function answerOf(child: ChildProcess): Promise<unknown> {
  const ended = once(child, "exit").then(([code]) => {
    throw new BaseError({ code: "bench.child", message: `snarkjs ended with status ${code}` });
  });
  const [answer] = await Promise.race([once(child, "message"), ended]);
  return answer;
}

async function disconnected(child: ChildProcess): Promise<void> {
  child.disconnect();
  await once(child, "exit");
}

/** The helper as the worker uses it: loaded key, witness from a file, verified proof, JSON both ways. */
export function startHelper(parameters: { program: string; backend: "cpu" | "cuda" }): Contestant {
  const { program, backend } = parameters;
  const helper = new NativeProcess({
    program,
    parameters: ["--backend", backend],
    onOutput: (line) => console.error(line),
  });
  const ask = (request: { op: string } & Record<string, unknown>) =>
    helper.ask({ request, timeoutMs: TIMEOUT_MS });
  return {
    name: backend === "cpu" ? "helper" : "cuda",
    async prove({ zkey, witness }) {
      await ask({ op: "load", zkey });
      // The first proof puts the key onto the device.
      if (backend === "cuda") await ask({ op: "prove", zkey, witness });
      const started = performance.now();
      const made = (await ask({ op: "prove", zkey, witness })) as { backend: string };
      const proveMs = performance.now() - started;
      if (!made.backend.startsWith(backend)) {
        const message = `the proof was made by ${made.backend}, not by ${backend}`;
        throw new BaseError({ code: "bench.backend", message });
      }
      const { peakBytes } = (await ask({ op: "stats" })) as { peakBytes: number };
      return { proveMs, peakBytes };
    },
    close: () => helper.close(),
  };
}
