import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { id, JsonRpcProvider, Wallet } from "ethers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { DEFAULT_SETTLEMENT_WINDOW } from "../../scripts/deploy/deployPart.ts";
import { readParameters } from "../../scripts/deploy/parameters/readParameters.ts";
import { dryRun } from "../../scripts/deploy/rehearsal.ts";
import { chainCommand } from "../../scripts/lib/chainAlone.ts";
import { freePort } from "../../scripts/lib/freePort.ts";
import { Command } from "./command.ts";
import { FailingProxy, type Failure } from "./failingProxy.ts";
import {
  BOOK,
  failure,
  JOURNAL,
  LocalDeployment,
  PARAMETERS,
  ROOT,
  success,
} from "./localDeployment.ts";

const isDeep = process.env.HACA_DEEP === "1";
/** All places take twenty times as long as two, on whatever machine: no limit may be what fails them. */
if (isDeep) vi.setConfig({ testTimeout: 24 * 60 * 60 * 1_000, hookTimeout: 600_000 });
const DEPLOY = ["scripts/deploy/cli.ts", "--network", "localhost"];
const { transactions: TRANSACTIONS } = await dryRun({
  settlementWindow: DEFAULT_SETTLEMENT_WINDOW,
  governance: readParameters({ path: PARAMETERS, isDevelopmentChain: true }),
  chainType: "l1",
});
const ALL_PLACES = Array.from({ length: TRANSACTIONS }, (_, index) => index + 1);
/** By default each way of being interrupted has one place; in the deep run each has all. */
const FIRST = 1;
const MIDDLE = Math.floor(TRANSACTIONS / 2);
const LAST = TRANSACTIONS;

let local: LocalDeployment;
let provider: JsonRpcProvider;
/** To the empty chain: every test begins with it. */
let goBack: () => Promise<void>;
beforeAll(async () => {
  local = await LocalDeployment.start();
});
beforeEach(async () => {
  goBack = await local.remember();
  provider = local.provider();
});
afterEach(async () => {
  provider.destroy();
  await goBack();
});
afterAll(() => local.stop());

const sentCount = async (): Promise<number> =>
  provider.getTransactionCount((await provider.getSigner(0)).address);

/** One run that fails at the `transactions`th transaction of the run; its process is killed there if that is asked. */
async function interrupt(parameters: {
  transactions: number;
  failure: Failure;
  isKilled: boolean;
}): Promise<Command> {
  let command: Command | undefined;
  const proxy = new FailingProxy({
    ...{ ...parameters, target: local.url },
    onCut: () => {
      if (parameters.isKilled) command?.child.kill("SIGKILL");
    },
  });
  command = new Command(DEPLOY, { HACA_RPC_URL: await proxy.listen() });
  await command.exit();
  await proxy.close();
  return command;
}

async function finish(): Promise<void> {
  // It compares the whole deployment with the chain; the command that does this alone is for the deep run.
  expect(await success(local.deploy())).toContain("the deployer holds no role");
  if (isDeep) expect(await success(local.check())).toContain("equal");
  // Nothing was done twice.
  expect(await sentCount()).toBe(TRANSACTIONS);
}

describe("an interrupted deployment", () => {
  it.each([
    ["the line is cut behind", "answered", false, MIDDLE],
    ["the answer is lost to", "lost", false, LAST],
    ["the process is killed before the chain has", "never", true, FIRST],
    ["the process is killed before it hears of", "lost", true, MIDDLE],
    ["the process is killed when it has heard of", "answered", true, LAST],
  ] as const)("goes on when %s its transactions, one after another", async (...way) => {
    const [, kind, isKilled, onlyPlace] = way;
    for (const place of isDeep ? ALL_PLACES : [onlyPlace]) {
      const before = await sentCount();
      const { child, output } = await interrupt({
        ...{ failure: kind, isKilled },
        transactions: place - before + (kind === "never" && before > 0 ? 1 : 0),
      });
      const mined = kind === "never" ? Math.max(before, await sentCount()) : place;
      expect(await sentCount(), output).toBe(mined);
      expect(output).not.toContain("    at ");
      if (isKilled) expect(child.signalCode ?? child.exitCode, output).not.toBe(null);
      else {
        expect(child.exitCode, output).toBe(1);
        expect(output).toContain("run the same command again");
      }
    }
    await finish();
  });

  it("does not even stop for one lost answer", async () => {
    const proxy = new FailingProxy({ target: local.url, transactions: 15, failure: "once" });
    await success(local.deploy({ HACA_RPC_URL: await proxy.listen() }));
    await proxy.close();
    await finish();
  });

  it.runIf(isDeep)("goes on after kills at random times", async () => {
    // A generator of our own, so that a failure can be repeated.
    let state = Number(process.env.HACA_SEED ?? 7);
    const random = (): number => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    for (let round = 0; round < 40; round += 1) {
      const command = new Command(DEPLOY, { HACA_RPC_URL: local.url });
      const timer = setTimeout(() => command.child.kill("SIGKILL"), 1_200 + random() * 1_200);
      await command.exit();
      clearTimeout(timer);
      if (command.child.exitCode === 0) break;
    }
    await finish();
  });

  it("goes on behind transactions of the account that are none of its own", async () => {
    await interrupt({ transactions: 10, failure: "lost", isKilled: false });
    const deployer = await provider.getSigner(0);
    await (await deployer.sendTransaction({ to: deployer.address })).wait();
    await interrupt({ transactions: 10, failure: "lost", isKilled: false });
    await (await deployer.sendTransaction({ to: deployer.address })).wait();
    await success(local.deploy());
    expect(await sentCount()).toBe(TRANSACTIONS + 2);
    expect(await success(local.check())).toContain("equal");
  });

  it("sends again what a reorganisation took back", async () => {
    await interrupt({ transactions: 5, failure: "answered", isKilled: false });
    const early = await provider.send("evm_snapshot", []);
    await interrupt({ transactions: 5, failure: "answered", isKilled: false });
    await provider.send("evm_revert", [early]);
    await finish();
  });

  it("refuses other parameters, other accounts and a broken journal, and drops half a line", async () => {
    await interrupt({ transactions: 12, failure: "answered", isKilled: false });
    expect(await failure(local.deploy({}, "--settlement-window", "7000"))).toMatch(
      /InferenceSettlement was sent with other code or parameters.*\[deploy\.changed\]/,
    );
    const journal = readFileSync(JOURNAL, "utf8");
    const [first = "", ...lines] = journal.split("\n");
    const stranger = JSON.stringify({
      ...JSON.parse(first),
      deployer: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    });
    writeFileSync(JOURNAL, [stranger, ...lines].join("\n"));
    expect(await failure(local.deploy())).toContain("[deploy.otherDeployer]");
    writeFileSync(JOURNAL, [first, "{ nonsense", ...lines].join("\n"));
    expect(await failure(local.deploy())).toMatch(/journal\.jsonl:2: not JSON/);
    expect(await sentCount()).toBe(12);
    writeFileSync(JOURNAL, `${journal}{"type":"inte`);
    await finish();
    expect(readFileSync(BOOK, "utf8")).toContain("HacaGovernor");
    const again = await success(local.deploy());
    expect(again).toContain("no transaction was sent");
  });

  it("finds on a public chain what a lost journal knew, and asks nobody who is not there", async () => {
    const port = await freePort(0);
    local.group.start({
      name: "public",
      command: process.execPath,
      arguments: chainCommand({ port, chainId: 84_532 }),
    });
    const target = `http://127.0.0.1:${port}`;
    const chain = new JsonRpcProvider(target);
    const deployer = new Wallet(id("a deployer of this test"));
    await local.group.waitFor({
      name: "public",
      timeoutMs: 60_000,
      probe: async () => {
        const balance = `0x${(10n ** 20n).toString(16)}`;
        await chain.send("hardhat_setBalance", [deployer.address, balance]);
        return true as const;
      },
    });
    const files = ["84532.json", "84532.journal.jsonl"].map((name) =>
      join(ROOT, "deployments", name),
    );
    const core = ["scripts/deploy/cli.ts", "--network", "baseSepolia", "--part", "core"];
    const run = (url: string, ...options: string[]) =>
      local.run([...core, ...options], {
        ...{ BASE_SEPOLIA_RPC_URL: url, HACA_DEPLOYER_KEY: deployer.privateKey },
      });
    try {
      expect(await failure(run(target))).toContain("[chain.noAnswer]");
      const proxy = new FailingProxy({ target, transactions: 2, failure: "lost" });
      expect(await failure(run(await proxy.listen(), "--yes"))).toContain(
        "1 of 3 transactions are done",
      );
      await proxy.close();
      rmSync(files[1] ?? "");
      await success(run(target, "--yes"));
      rmSync(files[1] ?? "");
      expect(await success(run(target, "--yes"))).toContain("no transaction was sent");
      expect(await chain.getTransactionCount(deployer.address)).toBe(3);
    } finally {
      for (const file of files) rmSync(file, { force: true });
      chain.destroy();
    }
  });
});
