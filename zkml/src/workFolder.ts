import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * Makes an empty folder `<prefix><process>-…` for what is not done yet; removes those of processes that are gone. Its maker
 * removes it at the end.
 */
export function openWorkFolder(prefix: string): string {
  mkdirSync(dirname(prefix), { recursive: true });
  removeAbandoned(prefix);
  return mkdtempSync(`${prefix}${process.pid}-`);
}

function removeAbandoned(prefix: string): void {
  const [folder, start] = [dirname(prefix), basename(prefix)];
  for (const entry of readdirSync(folder)) {
    const process = entry.startsWith(start) ? /^\d+/.exec(entry.slice(start.length)) : null;
    if (process !== null && !isAlive(Number(process[0]))) {
      rmSync(join(folder, entry), { recursive: true, force: true });
    }
  }
}

function isAlive(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}
