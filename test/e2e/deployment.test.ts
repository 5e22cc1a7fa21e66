import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readAddressBook } from "@haca/protocol/addressBook";
import { JsonRpcProvider } from "ethers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { chainCommand } from "../../scripts/lib/chainAlone.ts";
import { contractAt } from "../../scripts/lib/contracts.ts";
import { freePort } from "../../scripts/lib/freePort.ts";
import { BOOK, failure, LocalDeployment, PARAMETERS, ROOT, success } from "./localDeployment.ts";

let local: LocalDeployment;
const begin = async (): Promise<void> => {
  local = await LocalDeployment.start();
};
const end = (): Promise<void> => local.stop();

describe("deployment of everything", () => {
  beforeEach(begin);
  afterEach(end);

  it("changes nothing the second time, and notices what differs", async () => {
    // What an older version left behind does not stand in the way of a development chain.
    writeFileSync(BOOK, JSON.stringify({ format: 0 }));
    await success(local.deploy());
    const first = readFileSync(BOOK, "utf8");
    expect(await success(local.deploy())).toContain("no transaction was sent");
    expect(readFileSync(BOOK, "utf8")).toBe(first);
    // A part that development would get permissions with finds everything handed over.
    await success(local.deploy({}, "--part", "tee"));
    expect(readFileSync(BOOK, "utf8")).toBe(first);

    const book = JSON.parse(first);
    book.parameters.governance.quorumPercent = 5;
    book.parameters.governance.guardian = book.parameters.governance.deployer;
    book.parameters.attestation.heartbeatMaxAge = 1801;
    book.parameters.attestation.rootFingerprint = `0x${"12".repeat(32)}`;
    book.parameters.attestation.isDevelopmentRoot = false;
    writeFileSync(BOOK, JSON.stringify(book));
    const { status, output } = await local.check();
    writeFileSync(BOOK, first);
    expect(status).toBe(1);
    expect(output).toContain("TEERegistry.heartbeatMaxAge: book 1801, but chain 1800");
    expect(output).toContain("CertificateStore.rootFingerprint: book 0x1212");
    expect(output).toContain("root is AWS's: book true, but chain false");
    expect(output).toContain("HacaGovernor.quorumNumerator: book 5, but chain 4");
    expect(output).toMatch(/guardian: book 0xf39F\w+, but chain 0x7099/);
  });

  it("grows from core to attestation to everything, and takes back what development had", async () => {
    await success(local.deploy({}, "--part", "core"));
    const core = readAddressBook(BOOK);
    expect(core.contracts.TEERegistry).toBeUndefined();
    await success(local.deploy({}, "--part", "tee"));
    const tee = readAddressBook(BOOK);
    expect(tee.contracts.ModelRegistry).toEqual(core.contracts.ModelRegistry);
    expect(tee.contracts.OPG).toBeUndefined();
    expect(tee.parameters.attestation).toMatchObject({ isDevelopmentRoot: true });
    expect(await success(local.check())).toContain("all equal");

    const provider = local.provider();
    const deployer = await provider.getSigner(0);
    const address = tee.contracts.TEERegistry?.address ?? "";
    const registry = contractAt({ name: "TEERegistry", address, runner: deployer });
    const approvalOf = (digit: string) => {
      const pcr = `0x${digit.repeat(96)}`;
      return [[pcr, pcr, pcr], "1", 0] as const;
    };
    await (await registry.approvePCR(...approvalOf("1"))).wait();
    expect(await registry.imageCount()).toBe(1n);

    await success(local.deploy());
    const all = readAddressBook(BOOK);
    expect(all.contracts.TEERegistry).toEqual(tee.contracts.TEERegistry);
    expect(all.contracts.OPG).toBeDefined();
    const refusal = await registry.approvePCR
      .staticCall(...approvalOf("2"))
      .catch((error: Error) => error.message);
    expect(refusal).toContain("AccessManagedUnauthorized");
    provider.destroy();
    // A part, asked for again, forgets nothing and changes nothing.
    for (const part of ["core", "tee"]) {
      await success(local.deploy({}, "--part", part));
      expect(readAddressBook(BOOK)).toEqual(all);
    }
    expect(await success(local.check())).toContain("all equal");
  });
});

/** A chain of its own, and its URL. */
async function startAnvil(...options: string[]): Promise<string> {
  const port = await freePort(0);
  const name = `anvil ${port}`;
  local.group.start({
    ...{ name, command: join(ROOT, "node_modules", ".bin", "anvil") },
    arguments: ["--port", String(port), ...options],
  });
  const url = `http://127.0.0.1:${port}`;
  await local.group.waitFor({
    ...{ name, timeoutMs: 60_000 },
    probe: () =>
      fetch(url).then(
        () => true as const,
        () => undefined,
      ),
  });
  return url;
}

// Each leaves the chain as it was: one chain for all.
describe("a deployment that must not begin", () => {
  beforeAll(begin);
  afterAll(end);

  it("says in one line what is wrong with chain, key or root, and writes nothing", async () => {
    const port = await freePort(0);
    local.group.start({
      name: "other",
      command: process.execPath,
      arguments: chainCommand({ port, chainId: 84_532 }),
    });
    const other = `http://127.0.0.1:${port}`;
    await local.group.waitFor({
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
      [local.url, key, "should be chain 84532"],
      [other, "0x1234", "the key is HACA_DEPLOYER_KEY"],
    ] as const) {
      const running = local.run(
        [
          ...["scripts/deploy/cli.ts", "--network", "baseSepolia", "--yes"],
          ...["--parameters", PARAMETERS],
        ],
        { BASE_SEPOLIA_RPC_URL: rpc, HACA_DEPLOYER_KEY: account },
      );
      expect(await failure(running)).toContain(text);
    }
    const { status, output } = await local.run(
      [
        ...["scripts/deploy/cli.ts", "--network", "baseSepolia", "--yes"],
        ...["--parameters", PARAMETERS, "--settlement-window", "60"],
      ],
      { BASE_SEPOLIA_RPC_URL: other, HACA_DEPLOYER_KEY: key },
    );
    expect(status).toBe(1);
    for (const text of [
      "attestation.root: must name a file with AWS's root certificate",
      "timelockDelay: must be at least 172800 s on a public chain, is 120",
      "guardian: 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 is test account 1 of Hardhat",
      "investors.0.beneficiary: ",
      "airdrop.csv entry 2: ",
      "settlementWindow: must be at least 3600",
      "[deploy.badParameters]",
    ]) {
      expect(output).toContain(text);
    }
    expect(existsSync(join(ROOT, "deployments", "84532.json"))).toBe(false);
  });

  it("wants to be told for how long an unknown chain can keep transactions out", async () => {
    const url = await startAnvil("--chain-id", "10740");
    const { status, output } = await local.run(
      [
        ...["scripts/deploy/cli.ts", "--network", "ogevm", "--yes"],
        ...["--parameters", PARAMETERS],
      ],
      { OGEVM_RPC_URL: url, HACA_DEPLOYER_KEY: `0x${"11".repeat(32)}` },
    );
    expect(status, output).toBe(1);
    expect(output).toContain(
      "forcedInclusionDelay: is missing, and nothing is known of chain 10740",
    );
    expect(existsSync(join(ROOT, "deployments", "10740.json"))).toBe(false);
  });

  it.each([
    ["prague", ["--part", "tee"], 0, "on this chain P256VERIFY (0x100) is missing: no nodes with"],
    ["prague", [], 1, "P256VERIFY (0x100) is missing: no nodes with P-256 keys, and no PageSett"],
    ["shanghai", [], 1, "opcode MCOPY is unknown"],
  ])("says what a chain under the rules of %s lacks (%j)", async (rules, part, expected, text) => {
    const url = await startAnvil("--hardfork", rules);
    const { status, output } = await local.deploy({ HACA_RPC_URL: url }, ...part);
    expect(status, output).toBe(expected);
    expect(output).toContain(text);
    const provider = new JsonRpcProvider(url);
    if (expected === 1) expect(await provider.getBlockNumber()).toBe(0);
    provider.destroy();
  });

  it.each([
    [(file: Record<string, unknown>) => (file.guardian = "0x12"), "guardian: must be an address"],
    [
      (file: Record<string, unknown>) =>
        (file.investors = [{ beneficiary: file.guardian, amount: "1" }]),
      "investors: amounts sum to",
    ],
    [(file: Record<string, unknown>) => (file.tge = "tomorrow"), "tge: must be a time"],
    [
      (file: Record<string, unknown>) => (file.attestation = { heartbeatMaxAge: 59 }),
      "attestation.heartbeatMaxAge: ",
    ],
    [
      (file: Record<string, unknown>) => (file.attestation = { root: PARAMETERS }),
      "attestation.root: SHA-256 of",
    ],
  ])("refuses parameters (%#) and deploys nothing", async (change, text) => {
    const parameters = JSON.parse(readFileSync(PARAMETERS, "utf8"));
    parameters.airdrop.csv = join(ROOT, "deployments", "parameters", parameters.airdrop.csv);
    change(parameters);
    const file = join(local.folder, "parameters.json");
    writeFileSync(file, JSON.stringify(parameters));
    const { status, output } = await local.deploy({}, "--parameters", file);
    expect(status).toBe(1);
    expect(output).toContain(text);
    expect(output).not.toContain("    at ");
    const provider = local.provider();
    expect(await provider.getBlockNumber()).toBe(0);
    provider.destroy();
  });
});
