import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ProcessGroup } from "./processGroup.ts";

let folder: string;
let group: ProcessGroup;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "haca-group-"));
  group = new ProcessGroup({ logFolder: folder });
});
afterEach(async () => {
  await group.stop();
  rmSync(folder, { recursive: true, force: true });
});

const start = (name: string, program: string): void =>
  group.start({ name, command: process.execPath, arguments: ["-e", program] });

const log = (name: string): string => readFileSync(join(folder, `${name}.log`), "utf8");

const logged = (name: string, text: string) =>
  group.waitFor({
    name,
    timeoutMs: 20_000,
    probe: async () => (log(name).includes(text) ? true : undefined),
  });

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

it("stops a process together with its children, although they ignore SIGTERM", async () => {
  start(
    "parent",
    `const child = require("node:child_process").spawn(process.execPath,
       ["-e", "process.on('SIGTERM', () => {}); console.log('child ' + process.pid); setInterval(() => {}, 1000)"],
       { stdio: "inherit" });
     process.on("SIGTERM", () => process.exit(0));
     setInterval(() => {}, 1000);`,
  );
  await logged("parent", "child ");
  const pid = Number(/child (\d+)/.exec(log("parent"))?.[1]);
  expect(alive(pid)).toBe(true);
  await group.stop();
  const gone = new ProcessGroup({ logFolder: folder });
  await gone.waitFor({
    name: "child",
    timeoutMs: 10_000,
    probe: async () => (alive(pid) ? undefined : true),
  });
});

it("reports a process that ends by itself, with the end of its log", async () => {
  start("short", "console.error('no configuration'); process.exit(3)");
  await expect(
    group.waitFor({ name: "short", timeoutMs: 20_000, probe: async () => undefined }),
  ).rejects.toThrow(/short ended \(status 3\)[\s\S]*no configuration/);
});

it("gives up on a process that is never ready", async () => {
  start("slow", "setInterval(() => {}, 1000)");
  await expect(
    group.waitFor({ name: "slow", timeoutMs: 1, probe: async () => undefined }),
  ).rejects.toThrow("slow was not ready");
});

it("runs a command to its end and shows its output only when it fails", async () => {
  const run = (program: string) =>
    group.run({ name: "once", command: process.execPath, arguments: ["-e", program] });
  await run("console.log('fine')");
  await expect(run("console.error('no such network'); process.exit(2)")).rejects.toThrow(
    /once ended with 2[\s\S]*no such network/,
  );
});

it("starts nothing once it is stopping", async () => {
  await group.stop();
  expect(() => start("late", "")).toThrow("late not started: stopping");
});

it("kills one as a failing machine does, children included, and misses it nowhere", async () => {
  start("other", "setInterval(() => {}, 1000)");
  start(
    "dying",
    `require("node:child_process").spawn(process.execPath,
       ["-e", "console.log('child ' + process.pid); setInterval(() => {}, 1000)"], { stdio: "inherit" });
     process.on("SIGTERM", () => console.log("told to stop"));
     setInterval(() => {}, 1000);`,
  );
  await logged("dying", "child ");
  const pid = Number(/child (\d+)/.exec(log("dying"))?.[1]);
  expect(alive(pid)).toBe(true);
  await group.kill("dying");
  expect(alive(pid)).toBe(false);
  expect(log("dying")).not.toContain("told to stop");
  group.checkAlive();
  await expect(group.kill("dying")).rejects.toThrow("no process dying was started");
});
