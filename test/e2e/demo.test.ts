import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hasLocalModel } from "@haca/gateway/localModel/localModel";
import { addressBookSchema } from "@haca/protocol/addressBook";
import { describe, expect, it } from "vitest";
import { isAlive } from "../../testing/processTree.ts";
import { Command } from "./command.ts";

const isDeep = process.env.HACA_DEEP === "1";
const ROOT = join(import.meta.dirname, "..", "..");
/** Without chat, wherever the local model is. */
const WITHOUT_MODEL = { HACA_GATEWAY_LOCAL_MODEL: import.meta.dirname };
const demo = (...options: string[]): Command =>
  new Command(["scripts/demo/cli.ts", ...options], WITHOUT_MODEL);

describe("npm run demo", () => {
  it("answers, proves, settles and indexes every image and leaves no process behind", async () => {
    const command = demo("--count", "3");
    await command.printed("without chat: there is no local model");
    await command.printed("prove and settle every one");
    const children = command.descendants();
    expect(children.length).toBeGreaterThanOrEqual(3);

    expect(await command.exit(), command.output).toBe(0);
    const rows = command.output.split("\n").filter((line) => line.includes("settled (zkml)"));
    expect(rows).toHaveLength(3);
    expect(new Set(rows.map((row) => /0x[0-9a-f]{64}/.exec(row)?.[0])).size).toBe(3);
    expect(command.output).toContain("3 of 3 settled and indexed");
    expect(command.output).toMatch(/^tee, page +16 +1 +[\d,]+ +pending until 20\d\d-/m);
    expect(children.filter(isAlive)).toEqual([]);

    // Cold: the chain's certificates are verified; warm: they are stored.
    const gasOf = (image: string, stored: number): number => {
      const row = new RegExp(`${image} +0x[0-9a-f]{8}… +${stored} of 4 stored before +([\\d,]+)`);
      return Number(row.exec(command.output)?.[1]?.replaceAll(",", ""));
    };
    expect(gasOf("demo-a", 0)).toBeGreaterThan(7_000_000);
    expect(gasOf("demo-a", 0)).toBeLessThan(8_500_000);
    expect(gasOf("demo-b", 3)).toBeGreaterThan(2_000_000);
    expect(gasOf("demo-b", 3)).toBeLessThan(4_500_000);
    expect(/heartbeat of demo-a: ([\d,]+) gas/.exec(command.output)?.[1]).toMatch(/^9\d,\d{3}$/);
    expect(command.output.match(/active nodes: .*/g)).toEqual([
      "active nodes: demo-a, demo-b",
      "active nodes: demo-a",
    ]);

    // A feed: what the nodes saw, their median, and what a contract makes of it while it is fresh and when it is not.
    for (const line of [
      /each asks the source and signs what it sees: 2500\.12, 2501\.37, 2499\.9$/m,
      /round 1 is their median, 2500\.12: [\d,]+ gas/,
      /reads it by AggregatorV3Interface: 2500\.12, [\d,]+ gas/,
      /two heartbeats later nobody has posted, and the contract refuses it \(Stale\)/,
    ]) {
      expect(command.output).toMatch(line);
    }

    // Four validators and a watcher: each page of the story ends as it must.
    for (const line of [
      /four validators judged every answer and signed; one of them brought that: [\d,]+ gas/,
      /six hours later it is final, on the word of two thirds of the stake/,
      /the watcher shows it \(InvalidSignature\): [\d,]+ gas, and gets 500\.0 OPG/,
      /the node gives it and gets the deposit: [\d,]+ gas; the answer is settled by its proof/,
      /a day later there is none \(DemandUnanswered\): rejected for [\d,]+ gas/,
    ]) {
      expect(command.output).toMatch(line);
    }
    expect(command.output.match(/validator \d loses 510\.0 OPG/g)).toHaveLength(3);

    const book = addressBookSchema.parse(
      JSON.parse(readFileSync(join(ROOT, "deployments", "31337.json"), "utf8")),
    );
    expect(book.models.map(({ slug }) => slug)).toEqual(["digits"]);
  });

  const modelFolder = join(ROOT, "data", "local-model");
  it.runIf(isDeep && hasLocalModel(modelFolder))(
    "is paid for chat, page by page, and gives back what no node settles",
    async () => {
      const environment = { HACA_GATEWAY_LOCAL_MODEL: modelFolder };
      const command = new Command(["scripts/demo/cli.ts", "--chat"], environment);
      expect(await command.exit(), command.output).toBe(0);
      const clocks = /^request +clock[\s\S]*?\n\n/m.exec(command.output)?.[0] ?? "";
      const row = (clock: string, transaction: string): RegExp =>
        new RegExp(`${clock} +20\\d\\d-\\S+Z +${transaction}$`, "gm");
      const [hash, none] = ["0x[0-9a-f]{64}", "–"];
      for (const clock of ["answered", "signed"]) {
        expect(clocks.match(row(clock, none)), clock).toHaveLength(4);
      }
      expect(clocks.match(row("paid", hash))).toHaveLength(4);
      for (const clock of ["settled", "captured"]) {
        expect(clocks.match(row(clock, hash)), clock).toHaveLength(3);
      }
      expect(clocks.match(row("final", none))).toHaveLength(3);
      expect(clocks.match(row("refunded", hash))).toHaveLength(1);
      expect(command.output).toContain("3 of 3 captured, 1 of 1 refunded");
    },
  );

  it.runIf(isDeep)("stops cleanly on Ctrl-C", async () => {
    const command = demo("--keep", "--count", "1");
    await command.printed("Left running until Ctrl-C");
    const children = command.descendants();
    expect(children.length).toBeGreaterThanOrEqual(3);

    command.child.kill("SIGINT");
    expect(await command.exit(), command.output).toBe(0);
    expect(children.filter(isAlive)).toEqual([]);
  });

  it.each([
    "hand everything over",
    // Everything runs then, a minute later.
    ...(isDeep ? ["prove and settle every one"] : []),
  ])("stops cleanly on Ctrl-C in the middle of the step %j", async (step) => {
    const command = demo("--count", "100");
    await command.printed(step);
    const children = command.descendants();
    expect(children.length).toBeGreaterThan(0);

    command.child.kill("SIGINT");
    expect(await command.exit()).toBe(130);
    expect(command.output).not.toContain("settled and indexed");
    expect(children.filter(isAlive)).toEqual([]);
  });

  it.each([
    [["--count", "0"], "--count must be an integer from 1 to 100"],
    [["--model", "nothing"], '--model "nothing"'],
    [["--unknown"], "--unknown"],
    [["--chat"], "npm run gateway -- local-model"],
    [["--chat", "--count", "3"], "--count"],
  ])("refuses %j in one line", async (options, text) => {
    const command = demo(...options);
    expect(await command.exit()).toBe(1);
    const errors = command.output.split("\n").filter((line) => line.startsWith("error:"));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(text);
    expect(command.output).not.toContain("    at ");
  });
});
