import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { openDatabase } from "../../src/database/openDatabase.ts";
import { compileDigits } from "./digits.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** folder of an empty queue, to be copied */
    emptyQueue: string;
  }
}

/** What every test file would make anew otherwise, in seconds each: the compiled model and an empty queue. */
export async function setup(project: TestProject): Promise<() => void> {
  await compileDigits();
  const folder = mkdtempSync(join(tmpdir(), "haca-worker-empty-"));
  const database = await openDatabase({ folder, url: undefined, onError: () => undefined });
  await database.close();
  project.provide("emptyQueue", folder);
  return () => rmSync(folder, { recursive: true, force: true });
}
