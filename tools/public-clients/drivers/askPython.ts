import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../python-client/process.ts";
import type { PublicStack } from "../stack/publicStack.ts";

/** An answer that the SDK gave, and what its verification made of it. */
export type PythonAnswer = {
  text: string;
  calls: unknown;
  reason: string | null;
  usage: unknown;
  /** base64 */
  signature: string;
  timestamp: number;
  tee_id: string;
  endpoint?: string;
  frames?: number;
  proof?: { input_hash: string; output_hash: string };
  refused?: string;
  error?: string;
  /** the error's text and its causes' */
  reason_of_error?: string;
};

/** A step as the driver takes it; `request` is what is hashed, `ask` what the SDK is called with. */
export type Step =
  | { client: "direct"; ask: object; request: object }
  | { client: "sealed"; ask: object }
  | { client: "check"; answer: object };

const DRIVER = join(import.meta.dirname, "driver.py");
/** Of nobody: nothing is paid. */
export const CLIENT_KEY = `0x${"42".repeat(32)}`;

/** Asks through one environment's SDK, in one process; an answer for each step. */
export async function askPython(parameters: {
  python: string;
  stack: PublicStack;
  steps: readonly Step[];
}): Promise<PythonAnswer[]> {
  const { python, stack, steps } = parameters;
  const folder = mkdtempSync(join(tmpdir(), "haca-driver-"));
  const [job, result] = [join(folder, "job.json"), join(folder, "result.json")];
  const { registry } = stack.tee;
  const settings = { rpc: stack.tee.chain.url, registry: registry.target, relay: stack.relay.url };
  writeFileSync(job, JSON.stringify({ ...settings, key: CLIENT_KEY, steps }));
  try {
    await run({ program: python, parameters: [DRIVER, job, result], environment: LOCAL });
    const answers = JSON.parse(readFileSync(result, "utf8")) as PythonAnswer[];
    return answers.map(({ reason, ...answer }) =>
      answer.error === undefined
        ? { ...answer, reason }
        : { ...answer, reason: null, reason_of_error: String(reason) },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What is on this machine is asked without a proxy. */
export const LOCAL = { NO_PROXY: "127.0.0.1", no_proxy: "127.0.0.1" };
