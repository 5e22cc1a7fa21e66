import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readAddressBook } from "@haca/protocol/addressBook";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  BOOK,
  failure,
  GUARDIAN,
  LIQUIDITY,
  LocalDeployment,
  later,
  success,
} from "./localDeployment.ts";

let local: LocalDeployment;
beforeEach(async () => {
  local = await LocalDeployment.start();
});
afterEach(() => local.stop());

describe("npm run governance", () => {
  const asLiquidity = ["--account", String(LIQUIDITY)];

  it("takes a proposal from words to its execution, and lets the guardian stop one", async () => {
    await success(local.deploy());
    const provider = await local.delegate();

    const simulated = await success(
      local.governance("propose", "set-settlement-window", "86400", "--simulate"),
    );
    expect(simulated).toContain("from 604800 s (7 days) to 86400 s (1 day)");
    expect(simulated).toMatch(/execute +ok/);
    expect(await success(local.governance("list"))).toContain("0 proposals");

    const proposed = await success(
      local.governance("propose", "set-settlement-window", "86400", ...asLiquidity),
    );
    const proposal = /proposal (\d+)/.exec(proposed)?.[1] ?? "";
    const step = (command: string, ...rest: string[]) =>
      success(local.governance(command, proposal, ...rest, ...asLiquidity));
    expect(await step("status")).toContain("state pending");
    await later(provider, 61);
    await step("vote", "for");
    await later(provider, 301);
    expect(await step("status")).toContain("state succeeded");
    await step("queue");
    expect((await local.governance("execute", proposal)).status).toBe(1);
    await later(provider, 121);
    await step("execute");
    expect(await step("status")).toContain("state executed");
    expect(await step("decode")).toContain(
      "InferenceSettlement.setSettlementWindow(window: 86400)",
    );

    const second = /proposal (\d+)/.exec(
      await success(local.governance("propose", "set-quorum", "9", ...asLiquidity)),
    )?.[1];
    if (second === undefined) throw new Error("no proposal");
    await later(provider, 61);
    await success(local.governance("vote", second, "for", ...asLiquidity));
    await later(provider, 301);
    await success(local.governance("queue", second));
    expect((await local.governance("cancel", second)).output).toContain(
      "AccessControlUnauthorizedAccount",
    );
    await success(local.governance("cancel", second, "--account", String(GUARDIAN)));
    expect(await success(local.governance("status", second))).toContain("state canceled");
    provider.destroy();
  });

  it("writes a Safe's transaction and refuses what it cannot understand, each in one line", async () => {
    await success(local.deploy());
    const safe = join(local.folder, "safe.json");
    await success(local.governance("propose", "set-quorum", "5", "--safe", safe));
    const batch = JSON.parse(readFileSync(safe, "utf8"));
    expect(batch).toMatchObject({ version: "1.0", chainId: "31337" });
    expect(batch.transactions).toHaveLength(1);
    expect(batch.transactions[0].to).toBe(readAddressBook(BOOK).contracts.HacaGovernor?.address);

    for (const [options, text] of [
      [["propose", "make-coffee"], "no action make-coffee"],
      [["propose", "set-quorum", "101"], "no whole number from 0 to 100"],
      [["propose", "ban-node", `0x${"00".repeat(32)}`], "governance -- guardian ban-node"],
      [["propose", "set-settlement-window", "5", "--simulate"], "SettlementWindowInvalid"],
      [["status", "12"], "knows no proposal 12"],
    ] as const) {
      expect(await failure(local.governance(...options))).toContain(text);
    }
  });
});
