import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { teeRegistryAbi } from "@haca/protocol/abi";
import { readAddressBook } from "@haca/protocol/addressBook";
import { Contract } from "ethers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_SETTLEMENT_WINDOW } from "../../scripts/deploy/deployCore.ts";
import { dryRun } from "../../scripts/deploy/dryRun.ts";
import { readParameters } from "../../scripts/deploy/readParameters.ts";
import { freePort } from "../../scripts/lib/freePort.ts";
import { FailingProxy } from "./failingProxy.ts";
import { BOOK, failure, LocalDeployment, PARAMETERS, ROOT, success } from "./localDeployment.ts";

const isDeep = process.env.HACA_DEEP === "1";
const { transactions: TRANSACTIONS } = await dryRun({
  settlementWindow: DEFAULT_SETTLEMENT_WINDOW,
  governance: readParameters({ path: PARAMETERS, isDevelopmentChain: true }),
  chainType: "l1",
});

let local: LocalDeployment;
beforeEach(async () => {
  local = await LocalDeployment.start();
});
afterEach(() => local.stop());

describe("deployment of everything", () => {
  // As many as the rehearsal of the deployment takes; the test below holds a real one to the same number.
  const first = 1;
  const last = TRANSACTIONS;
  const steps = isDeep
    ? Array.from({ length: last }, (_, index) => index + 1)
    : [first, Math.floor(last / 2), last - 1];
  it.each(steps)("resumes after an interruption behind transaction %i", async (transactions) => {
    const proxy = new FailingProxy({ target: local.url, transactions });
    const interrupted = await local.deploy({ HACA_RPC_URL: await proxy.listen() });
    await proxy.close();
    const provider = local.provider();
    expect(proxy.sent).toBe(transactions);
    if (transactions < TRANSACTIONS) expect(interrupted.status).toBe(1);
    expect(interrupted.output).not.toContain("    at ");

    await success(local.deploy());
    expect(await success(local.check())).toContain("all equal");
    // Nothing was done twice.
    expect(await provider.getTransactionCount((await provider.getSigner(0)).address)).toBe(
      TRANSACTIONS,
    );
    provider.destroy();
  });

  it("changes nothing the second time, and notices what differs", async () => {
    // What an older version left behind does not stand in the way of a development chain.
    writeFileSync(BOOK, JSON.stringify({ format: 0 }));
    await success(local.deploy());
    const first = readFileSync(BOOK, "utf8");
    await success(local.deploy());
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
    const registry = new Contract(
      tee.contracts.TEERegistry?.address ?? "",
      teeRegistryAbi,
      deployer,
    );
    const approvalOf = (digit: string) => {
      const pcr = `0x${digit.repeat(96)}`;
      return [[pcr, pcr, pcr], "1", 0] as const;
    };
    const approvePCR = registry.getFunction("approvePCR");
    await (await approvePCR(...approvalOf("1"))).wait();
    expect(await registry.getFunction("imageCount")()).toBe(1n);

    await success(local.deploy());
    const all = readAddressBook(BOOK);
    expect(all.contracts.TEERegistry).toEqual(tee.contracts.TEERegistry);
    expect(all.contracts.OPG).toBeDefined();
    const refusal = await approvePCR
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

  it("says in one line what is wrong with chain, key or root, and writes nothing", async () => {
    const port = await freePort(8546);
    local.group.start({
      name: "other",
      command: process.execPath,
      arguments: [
        ...["node_modules/hardhat/dist/src/cli.js", "node", "--hostname", "127.0.0.1"],
        ...["--port", String(port), "--chain-id", "84532"],
      ],
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
      [other, key, "attestation.root: must name a file with AWS's root certificate"],
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
