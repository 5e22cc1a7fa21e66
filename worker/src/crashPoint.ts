import type { Transition } from "./config/variables.ts";

/** Called right after a transition is on disk. */
export type CrashPoint = (transition: Transition) => void;

/**
 * The hook behind `HACA_CRASH_AFTER`, with which the tests prove that no moment is a bad one to die: the
 * process kills itself with SIGKILL, so that no handler of its own can tidy up. Without it, nothing happens.
 */
export function createCrashPoint(crashAfter: Transition | undefined): CrashPoint {
  return (transition) => {
    if (transition === crashAfter) process.kill(process.pid, "SIGKILL");
  };
}
