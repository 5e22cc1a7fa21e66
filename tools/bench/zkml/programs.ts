import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { BaseError } from "@haca/protocol/baseError";
import { z } from "zod";

const benchSchema = z.object({ proveMs: z.array(z.number()), peakBytes: z.number() });

/** Proofs by the native prover with the key in memory: how long each took, and the most memory that the prover had. */
export async function proveWarm(parameters: {
  prover: string;
  zkey: string;
  witness: string;
}): Promise<{ proveMs: number[]; peakBytes: number }> {
  const { prover, zkey, witness } = parameters;
  const child = spawn(prover, ["bench", zkey, witness, "--runs", "5"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [output] = await Promise.all([text(child.stdout), ended(child, prover)]);
  return benchSchema.parse(JSON.parse(output));
}

/** Waits for the end of a program; one that fails is an error that calls it `name`. */
export function ended(child: ReturnType<typeof spawn>, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (code === 0) resolve();
      else {
        const message = `${name} ended with ${signal ?? `status ${code}`}`;
        reject(new BaseError({ code: "bench.program", message }));
      }
    });
  });
}
