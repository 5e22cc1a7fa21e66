import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A folder that is gone when the test has ended. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "haca-worker-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A folder for a whole test file, which removes it itself. */
export function sharedFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "haca-worker-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
