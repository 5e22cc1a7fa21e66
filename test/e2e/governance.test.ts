import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readAddressBook } from "@haca/protocol/addressBook";
import { OPG_UNIT } from "@haca/protocol/allocations";
import { Contract, JsonRpcProvider } from "ethers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startChain } from "../../scripts/demo/localChain.ts";
import { freePort } from "../../scripts/lib/freePort.ts";
import { ProcessGroup } from "../../scripts/lib/processGroup.ts";
import { Command } from "./command.ts";
import { FailingProxy } from "./failingProxy.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const BOOK = join(ROOT, "deployments", "31337.json");
const PARAMETERS = join(ROOT, "deployments", "parameters", "localhost.json");
const TRANSACTIONS = 17;
const LIQUIDITY = 3;
const GUARDIAN = 1;
const isDeep = process.env.HACA_DEEP === "1";

let folder: string;
let group: ProcessGroup;
let url: string;

const run = async (
  commandLine: readonly string[],
  environment: Record<string, string> = {},
): Promise<{ status: number | null; output: string }> => {
  const command = new Command(commandLine, { HACA_RPC_URL: url, ...environment });
  return { status: await command.exit(), output: command.output };
};
const deploy = (environment: Record<string, string> = {}, ...options: string[]) =>
  run(["scripts/deploy/cli.ts", "--network", "localhost", ...options], environment);
const check = () => run(["scripts/deploy/check/cli.ts", "--network", "localhost"]);
const governance = (...options: string[]) => run(["scripts/governance/cli.ts", ...options]);
const success = async (running: Promise<{ status: number | null; output: string }>) => {
  const result = await running;
  expect(result.status, result.output).toBe(0);
  return result.output;
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "haca-governance-"));
  group = new ProcessGroup({ logFolder: folder });
  url = await startChain({ group, timeoutMs: 60_000 });
});
afterEach(async () => {
  await group.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe("deployment of everything", () => {
  const steps = isDeep ? Array.from({ length: TRANSACTIONS }, (_, i) => i + 1) : [9];
  it.each(steps)("resumes after an interruption behind transaction %i", async (transactions) => {
    const proxy = new FailingProxy({ target: url, transactions });
    const interrupted = await deploy({ HACA_RPC_URL: await proxy.listen() });
    await proxy.close();
    const provider = new JsonRpcProvider(url);
    expect(proxy.sent).toBe(transactions);
    if (transactions < TRANSACTIONS) expect(interrupted.status).toBe(1);
    expect(interrupted.output).not.toContain("    at ");

    await success(deploy());
    expect(await success(check())).toContain("all equal");
    // Nothing was done twice.
    expect(await provider.getTransactionCount((await provider.getSigner(0)).address)).toBe(
      TRANSACTIONS,
    );
    provider.destroy();
  });

  it("changes nothing the second time, and notices what differs", async () => {
    await success(deploy());
    const first = readFileSync(BOOK, "utf8");
    await success(deploy());
    expect(readFileSync(BOOK, "utf8")).toBe(first);

    const book = JSON.parse(first);
    book.parameters.governance.quorumPercent = 5;
    book.parameters.governance.guardian = book.parameters.governance.deployer;
    writeFileSync(BOOK, JSON.stringify(book));
    const { status, output } = await check();
    writeFileSync(BOOK, first);
    expect(status).toBe(1);
    expect(output).toContain("HacaGovernor.quorumNumerator: book 5, chain 4");
    expect(output).toContain("AccessManager GUARDIAN is held by");
  });

  it("adds token and governance to a core that is there", async () => {
    await success(deploy({}, "--part", "core"));
    const core = readAddressBook(BOOK);
    expect(core.contracts.OPG).toBeUndefined();
    await success(deploy());
    const all = readAddressBook(BOOK);
    expect(all.contracts.ModelRegistry).toEqual(core.contracts.ModelRegistry);
    expect(all.contracts.OPG).toBeDefined();
    // The core alone, asked for again, forgets nothing.
    await success(deploy({}, "--part", "core"));
    expect(readAddressBook(BOOK)).toEqual(all);
  });

  it("says in one line what is wrong with chain, key or funds, and writes nothing", async () => {
    const port = await freePort(8546);
    group.start({
      name: "other",
      command: process.execPath,
      arguments: [
        ...["node_modules/hardhat/dist/src/cli.js", "node", "--hostname", "127.0.0.1"],
        ...["--port", String(port), "--chain-id", "84532"],
      ],
    });
    const other = `http://127.0.0.1:${port}`;
    await group.waitFor({
      name: "other",
      timeoutMs: 60_000,
      probe: () =>
        fetch(other).then(
          () => true as const,
          () => undefined,
        ),
    });
    const key = `0x${"11".repeat(32)}`;
    for (const [rpc, account, text] of [
      [url, key, "should be chain 84532"],
      [other, "0x1234", "the key is HACA_DEPLOYER_KEY"],
      [other, key, "has 0.0 ETH, the deployment needs"],
    ] as const) {
      const { status, output } = await run(
        [
          ...["scripts/deploy/cli.ts", "--network", "baseSepolia", "--yes"],
          ...["--parameters", PARAMETERS],
        ],
        { BASE_SEPOLIA_RPC_URL: rpc, HACA_DEPLOYER_KEY: account },
      );
      expect(status, output).toBe(1);
      const errors = output.split("\n").filter((line) => line.startsWith("error:"));
      expect(errors, output).toHaveLength(1);
      expect(errors[0]).toContain(text);
      expect(output).not.toContain("    at ");
    }
    expect(existsSync(join(ROOT, "deployments", "84532.json"))).toBe(false);
  });

  it.each([
    [(file: Record<string, unknown>) => (file.guardian = "0x12"), "guardian: must be an address"],
    [
      (file: Record<string, unknown>) =>
        (file.investors = [{ beneficiary: file.guardian, amount: "1" }]),
      "investors: amounts sum to",
    ],
    [(file: Record<string, unknown>) => (file.tge = "tomorrow"), "tge: must be a time"],
  ])("refuses parameters (%#) and deploys nothing", async (change, text) => {
    const parameters = JSON.parse(readFileSync(PARAMETERS, "utf8"));
    parameters.airdrop.csv = join(ROOT, "deployments", "parameters", parameters.airdrop.csv);
    change(parameters);
    const file = join(folder, "parameters.json");
    writeFileSync(file, JSON.stringify(parameters));
    const { status, output } = await deploy({}, "--parameters", file);
    expect(status).toBe(1);
    expect(output).toContain(text);
    expect(output).not.toContain("    at ");
    const provider = new JsonRpcProvider(url);
    expect(await provider.getBlockNumber()).toBe(0);
    provider.destroy();
  });
});

describe("npm run governance", () => {
  /** Gives the liquidity account's tokens a vote and lets the next block be later. */
  const delegate = async (): Promise<JsonRpcProvider> => {
    const provider = new JsonRpcProvider(url);
    const signer = await provider.getSigner(LIQUIDITY);
    const opg = new Contract(
      readAddressBook(BOOK).contracts.OPG?.address ?? "",
      ["function delegate(address delegatee)", "function getVotes(address) view returns (uint256)"],
      signer,
    );
    await (await opg.getFunction("delegate")(signer.address)).wait();
    expect(await opg.getFunction("getVotes")(signer.address)).toBe(60_000_000n * OPG_UNIT);
    await later(provider, 5);
    return provider;
  };
  const later = async (provider: JsonRpcProvider, seconds: number): Promise<void> => {
    await provider.send("evm_increaseTime", [seconds]);
    await provider.send("evm_mine", []);
  };
  const asLiquidity = ["--account", String(LIQUIDITY)];

  it("takes a proposal from words to its execution, and lets the guardian stop one", async () => {
    await success(deploy());
    const provider = await delegate();

    const simulated = await success(
      governance("propose", "set-settlement-window", "86400", "--simulate"),
    );
    expect(simulated).toContain("from 604800 s (7 days) to 86400 s (1 day)");
    expect(simulated).toMatch(/execute +ok/);
    expect(await success(governance("list"))).toContain("0 proposals");

    const proposed = await success(
      governance("propose", "set-settlement-window", "86400", ...asLiquidity),
    );
    const proposal = /proposal (\d+)/.exec(proposed)?.[1] ?? "";
    const step = (command: string, ...rest: string[]) =>
      success(governance(command, proposal, ...rest, ...asLiquidity));
    expect(await step("status")).toContain("state pending");
    await later(provider, 61);
    await step("vote", "for");
    await later(provider, 301);
    expect(await step("status")).toContain("state succeeded");
    await step("queue");
    expect((await governance("execute", proposal)).status).toBe(1);
    await later(provider, 121);
    await step("execute");
    expect(await step("status")).toContain("state executed");
    expect(await step("decode")).toContain(
      "InferenceSettlement.setSettlementWindow(window: 86400)",
    );

    const second = /proposal (\d+)/.exec(
      await success(governance("propose", "set-quorum", "9", ...asLiquidity)),
    )?.[1];
    if (second === undefined) throw new Error("no proposal");
    await later(provider, 61);
    await success(governance("vote", second, "for", ...asLiquidity));
    await later(provider, 301);
    await success(governance("queue", second));
    expect((await governance("cancel", second)).output).toContain(
      "AccessControlUnauthorizedAccount",
    );
    await success(governance("cancel", second, "--account", String(GUARDIAN)));
    expect(await success(governance("status", second))).toContain("state canceled");
    provider.destroy();
  });

  it("writes a Safe's transaction and refuses what it cannot understand, each in one line", async () => {
    await success(deploy());
    const safe = join(folder, "safe.json");
    await success(governance("propose", "set-quorum", "5", "--safe", safe));
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
      const { status, output } = await governance(...options);
      expect(status, output).toBe(1);
      const errors = output.split("\n").filter((line) => line.startsWith("error:"));
      expect(errors, output).toHaveLength(1);
      expect(errors[0]).toContain(text);
    }
  });
});
