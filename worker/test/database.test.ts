import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openDatabase } from "../src/storage/openDatabase.ts";
import { temporaryFolder, temporaryQueue } from "./support/temporaryFolder.ts";

const VERSIONS = readdirSync(join(import.meta.dirname, "../src/storage/migrations"))
  .map((name) => Number(name.slice(0, 3)))
  .sort((a, b) => a - b);
const open = (folder: string) => openDatabase({ folder, url: undefined, onError: () => undefined });

describe("openDatabase", () => {
  it("keeps what was committed, drops what was rolled back, and migrates once", async () => {
    const folder = temporaryFolder();
    const first = await open(folder);
    await first.query("CREATE TABLE notes (note text)");
    await first.transaction((tx) => tx.query("INSERT INTO notes VALUES ('kept')"));
    const failing = first.transaction(async (tx) => {
      await tx.query("INSERT INTO notes VALUES ('dropped')");
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    await first.close();

    const second = await open(folder);
    expect(await second.query("SELECT note FROM notes")).toEqual([{ note: "kept" }]);
    expect(await second.query("SELECT version FROM migrations ORDER BY version")).toEqual(
      VERSIONS.map((version) => ({ version })),
    );
    await second.close();
  });

  it("refuses the schema of a newer worker and leaves it alone", async () => {
    const folder = temporaryQueue();
    const database = await open(folder);
    await database.query("INSERT INTO migrations (version) VALUES (99)");
    await database.close();
    await expect(open(folder)).rejects.toThrow(
      `schema version 99, this worker knows ${VERSIONS.at(-1)}`,
    );
    // The folder was given back: it is the schema again that refuses.
    await expect(open(folder)).rejects.toThrow(/schema version 99/);
  });

  it("refuses a second process by naming the first", async () => {
    const folder = temporaryQueue();
    const database = await open(folder);
    await expect(open(folder)).rejects.toThrow(`open in process ${process.pid} `);
    await database.close();
    await (await open(folder)).close();
  });
});
