import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { BaseError } from "@haca/protocol/baseError";

/** How often memory is looked at. */
const INTERVAL_MS = 1;

type Call = { program: string; parameters: readonly string[] };

/** Milliseconds from the start of a program to its end; one that fails is an error. */
export async function timeProgram(call: Call): Promise<number> {
  const started = performance.now();
  await succeeded({ ...call, child: start(call) });
  return performance.now() - started;
}

/**
 * The most memory that a program has while it runs, zero where the system does not say. Looking at it takes time, so
 * such a run is not one to be timed.
 */
export async function peakOfProgram(call: Call): Promise<number> {
  const child = start(call);
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, peakBytes(child.pid));
  }, INTERVAL_MS);
  try {
    await succeeded({ ...call, child });
  } finally {
    clearInterval(timer);
  }
  return peak;
}

function start({ program, parameters }: Call): ChildProcess {
  return spawn(program, parameters, { stdio: ["ignore", "ignore", "pipe"] });
}

async function succeeded(parameters: Call & { child: ChildProcess }): Promise<void> {
  const { program, child } = parameters;
  const [[code, signal], said] = await Promise.all([
    once(child, "close"),
    child.stderr === null ? "" : text(child.stderr),
  ]);
  if (code === 0) return;
  const message = `${program} ended with ${signal ?? `status ${code}`}: ${said.trim()}`;
  throw new BaseError({ code: "bench.program", message });
}

function peakBytes(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    // It has ended, or the system has no such file.
    return 0;
  }
}
