import type * as NodeFs from "node:fs";
import { expect, it, vi } from "vitest";
import { openDatabase } from "../src/storage/openDatabase.ts";
import { temporaryQueue } from "./support/temporaryFolder.ts";

const syncs = vi.hoisted(() => ({ count: 0 }));
vi.mock("node:fs", async (importOriginal) => {
  const fs = await importOriginal<typeof NodeFs>();
  const fsyncSync = (descriptor: number): void => {
    syncs.count += 1;
    fs.fsyncSync(descriptor);
  };
  return { ...fs, fsyncSync };
});

it("syncs every commit to the disk before it returns", async () => {
  const folder = temporaryQueue();
  const database = await openDatabase({ folder, url: undefined, onError: () => undefined });
  await database.query("CREATE TABLE notes (note text)");
  for (let i = 0; i < 5; i++) {
    const before = syncs.count;
    await database.query("INSERT INTO notes VALUES ('x')");
    expect(syncs.count).toBeGreaterThan(before);
  }
  await database.close();
});
