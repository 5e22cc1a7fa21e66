import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { lockFolder } from "../src/lockFolder.ts";
import { catchError } from "./catchError.ts";
import { findContainers } from "./container.ts";

const MODULE = JSON.stringify(join(import.meta.dirname, "../src/lockFolder.ts"));
const containers = findContainers();
if (typeof containers === "string") console.log(`tests skipped: ${containers}`);

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "haca-lock-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A process that takes the folder and keeps it, or ends with what it was told. */
async function take(folder: string, prefix: readonly string[] = []) {
  const program = `import { lockFolder } from ${MODULE};
    try {
      lockFolder({ folder: ${JSON.stringify(folder)}, name: "test" });
      globalThis.gc();
      process.stdout.write("locked as " + process.pid);
      setInterval(() => {}, 1000);
    } catch (error) {
      process.stdout.write(error.code + ": " + error.message);
    }`;
  const node = [process.execPath, "--expose-gc", "--input-type=module", "--eval", program];
  const [command = "", ...words] = [...prefix, ...node];
  const child = spawn(command, words, { stdio: ["ignore", "pipe", "pipe"], detached: true });
  onTestFinished(() => kill(child));
  let said = "";
  child.stderr.on("data", (chunk) => (said += chunk));
  const [first] = await once(child.stdout, "data");
  return { child, said: `${said}${first}` };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, "close");
  process.kill(-child.pid, "SIGKILL");
  await closed;
}

test("keeps this very process out too, until it is given back", () => {
  const folder = join(temporaryFolder(), "made", "here");
  const lock = lockFolder({ folder, name: "test" });
  const error = catchError(() => lockFolder({ folder, name: "test" }));
  expect(error.code).toBe("folder.locked");
  expect(error.message).toMatch(
    new RegExp(`^open in process ${process.pid} on .+ since 2.+Z \\(.+\\)$`),
  );
  lockFolder({ folder, name: "other" }).release();
  lock.release();
  lock.release();
  expect(readdirSync(folder).sort()).toEqual(["other.lock", "test.lock"]);
  lockFolder({ folder, name: "test" }).release();
});

test("is freed by kill -9, and says nothing of its own", async () => {
  const folder = temporaryFolder();
  const { child, said } = await take(folder);
  expect(said).toBe(`locked as ${child.pid}`);
  const refused = catchError(() => lockFolder({ folder, name: "test" }));
  expect(refused.message).toContain(`open in process ${child.pid} `);
  await kill(child);
  expect(existsSync(join(folder, "test.holder.json"))).toBe(true);
  lockFolder({ folder, name: "test" }).release();
});

test.each([[""], ["{"], ['{"pid":1}']])(
  "is held by the kernel, whatever the note says: %j",
  (note) => {
    const folder = temporaryFolder();
    lockFolder({ folder, name: "test" });
    writeFileSync(join(folder, "test.holder.json"), note);
    const error = catchError(() => lockFolder({ folder, name: "test" }));
    expect(error.message).toBe("open in another process");
  },
);

test("says in one line why a folder cannot be locked", () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "test.lock"), "no lock of ours\n".repeat(40));
  const error = catchError(() => lockFolder({ folder, name: "test" }));
  expect(error.code).toBe("folder.unusable");
  expect(error.message).toMatch(/cannot be locked: file is not a database$/);
  writeFileSync(join(folder, "file"), "");
  const inFile = catchError(() => lockFolder({ folder: join(folder, "file"), name: "test" }));
  expect(inFile.message).toMatch(/cannot be locked: EEXIST/);
});

test.skipIf(typeof containers === "string")(
  "holds between containers that give their processes the same number",
  async () => {
    if (typeof containers === "string") return;
    const folder = temporaryFolder();
    const first = await take(folder, containers({ host: "first", ownNetwork: true }));
    expect(first.said).toBe("locked as 1");
    const second = await take(folder, containers({ host: "second", ownNetwork: true }));
    expect(second.said).toMatch(/^folder\.locked: open in process 1 on first since 2/);
    const outside = catchError(() => lockFolder({ folder, name: "test" }));
    expect(outside.message).toContain("open in process 1 on first ");
    await kill(first.child);
    const third = await take(folder, containers({ host: "third", ownNetwork: true }));
    expect(third.said).toBe("locked as 1");
  },
);
