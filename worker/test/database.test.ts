import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { lockFolder } from "../src/database/lockFolder.ts";
import { openDatabase } from "../src/database/openDatabase.ts";
import { temporaryFolder, temporaryQueue } from "./support/temporaryFolder.ts";

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
    expect(await second.query("SELECT version FROM migrations ORDER BY version")).toEqual([
      { version: 1 },
      { version: 2 },
      { version: 3 },
    ]);
    await second.close();
  });

  it("refuses the schema of a newer worker and leaves it alone", async () => {
    const folder = temporaryQueue();
    const database = await open(folder);
    await database.query("INSERT INTO migrations (version) VALUES (99)");
    await database.close();
    await expect(open(folder)).rejects.toThrow(/schema version 99, this worker knows 3/);
    expect(existsSync(join(folder, "queue.lock"))).toBe(false);
  });

  it("refuses a second process by naming the first", async () => {
    const folder = temporaryQueue();
    const database = await open(folder);
    await expect(open(folder)).rejects.toThrow(`open in process ${process.pid} `);
    await database.close();
    await (await open(folder)).close();
  });
});

describe("lockFolder", () => {
  it("takes over the lock of a process that was killed", async () => {
    const folder = temporaryFolder();
    const child = spawn(process.execPath, [
      "--input-type=module",
      "--eval",
      `import { lockFolder } from ${JSON.stringify(join(import.meta.dirname, "../src/database/lockFolder.ts"))};
       lockFolder({ folder: ${JSON.stringify(folder)} });
       process.stdout.write("locked");
       setInterval(() => {}, 1000);`,
    ]);
    await once(child.stdout, "data");
    expect(() => lockFolder({ folder })).toThrow(`open in process ${child.pid} `);
    child.kill("SIGKILL");
    await once(child, "exit");
    const lock = lockFolder({ folder });
    expect(readFileSync(join(folder, "queue.lock"), "utf8")).toMatch(`${process.pid} `);
    lock.release();
    expect(existsSync(join(folder, "queue.lock"))).toBe(false);
  });

  it.runIf(process.platform === "linux")(
    "takes over the lock of a process whose pid another one has now",
    () => {
      const folder = temporaryFolder();
      writeFileSync(join(folder, "queue.lock"), `${process.pid} 1\n`);
      lockFolder({ folder }).release();
    },
  );

  it.each([[""], ["not a lock"], ["-1 5"]])("takes over a damaged lock %j", (content) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "queue.lock"), content);
    lockFolder({ folder }).release();
  });
});
