import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject, onTestFinished } from "vitest";

/** A folder for a whole test file, which removes it itself. */
export function sharedFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "haca-worker-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** As `sharedFolder`, with an empty queue in the embedded database in it. */
export function sharedQueue(): { path: string; remove(): void } {
  const folder = sharedFolder();
  cpSync(inject("emptyQueue"), folder.path, { recursive: true });
  return folder;
}

/** A folder that is gone when the test has ended. */
export function temporaryFolder(): string {
  const { path, remove } = sharedFolder();
  onTestFinished(remove);
  return path;
}

/** As `temporaryFolder`, with an empty queue in the embedded database in it. */
export function temporaryQueue(): string {
  const { path, remove } = sharedQueue();
  onTestFinished(remove);
  return path;
}
