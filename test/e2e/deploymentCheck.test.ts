import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import {
  accessManagerAbi,
  inferenceSettlementAbi,
  teeRegistryAbi,
  timelockControllerAbi,
} from "@haca/protocol/abi";
import { type AddressBook, readAddressBook } from "@haca/protocol/addressBook";
import { ROLES, TIMELOCK_ROLES } from "@haca/protocol/roles";
import { Contract, type JsonRpcProvider, keccak256, ZeroHash } from "ethers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../scripts/lib/freePort.ts";
import { withOtherEnd } from "../contracts/utils/otherEnd.ts";
import { FailingProxy } from "./failingProxy.ts";
import { BOOK, failure, LocalDeployment, type Result, ROOT, success } from "./localDeployment.ts";

const EXCLUDED = `0x${"12".repeat(20)}`;
const PUBLIC_ROLE = 2n ** 64n - 1n;
/** Transactions after which the deployer still administers everything. */
const BEFORE_HANDOVER = 50;
const FIXTURES = process.env.HACA_FIXTURES ?? join(ROOT, "..", "shared", "fixtures");
const RPC_PROXY = join(FIXTURES, "cases", "deploy", "rpc-proxy.mjs");

let local: LocalDeployment;
let provider: JsonRpcProvider;
let book: AddressBook;

const check = (...options: string[]): Promise<Result> =>
  local.run(["scripts/deploy/check/cli.ts", ...options]);
const onLocalhost = (...options: string[]): Promise<Result> =>
  check("--network", "localhost", ...options);

beforeAll(async () => {
  local = await LocalDeployment.start();
  await success(local.deploy());
  book = readAddressBook(BOOK);
  provider = local.provider();
});
afterAll(async () => {
  provider.destroy();
  await local.stop();
});

const registry = (): string => book.contracts.TEERegistry?.address ?? "";

describe("npm run deploy:check", () => {
  it("finds everything from one address, without key or file, and tells what is for a person to judge", async () => {
    const port = new URL(local.url).host;
    const list = join(ROOT, "deployments", "parameters", "localhost-airdrop.csv");
    const output = await success(
      check("--rpc", `http://${port}`, "--address", registry(), "--airdrop", list),
    );
    expect(output).toMatch(/\d{3} comparisons of the chain with this repository, all equal/);
    expect(output).toContain("timelock delay: 120 s");
    expect(output).toContain("delay of forced inclusion: 0 s");
    expect(output).toMatch(/guardian: 0x7099\w+, an ordinary account: whoever has its one key/);
    expect(output).toContain("Foundation: 150000000.0 OPG to 0x3C44");
    // The same from another contract.
    const { InferenceSettlement } = book.contracts;
    const other = await success(
      onLocalhost("--address", InferenceSettlement.address, "--airdrop", list),
    );
    expect(other.split("\n").at(-2)).toBe(output.split("\n").at(-2));
    const shorter = join(local.folder, "airdrop.csv");
    writeFileSync(shorter, readFileSync(list, "utf8").split("\n").slice(0, 2).join("\n"));
    const { output: differing } = await onLocalhost("--airdrop", shorter);
    expect(differing).toContain("✘ root of the airdrop's list: 0x");
  });

  it("names a contract of other sources, whatever hash an address book gives it", async () => {
    const address = book.contracts.ModelRegistry.address;
    const code = await provider.getCode(address);
    const other = withOtherEnd(code);
    const { InferenceSettlement, ModelRegistry } = book.contracts;
    const { storage = [] } = InferenceSettlement;
    const moved = storage.map((place) =>
      place.name === "_pages" ? { ...place, slot: "77" } : place,
    );
    const forged = {
      ...book,
      contracts: {
        ...book.contracts,
        ModelRegistry: { ...ModelRegistry, codeHash: keccak256(other) },
        InferenceSettlement: { ...InferenceSettlement, storage: moved },
      },
    };
    const path = join(local.folder, "forged.json");
    writeFileSync(path, JSON.stringify(forged));
    await provider.send("hardhat_setCode", [address, other]);
    const { status, output } = await onLocalhost("--book", path);
    await provider.send("hardhat_setCode", [address, code]);
    expect(status).toBe(1);
    expect(output).toContain(`✘ code of ModelRegistry ${address}: what this repository's sources`);
    expect(output).toContain("✘ storage of InferenceSettlement: book 0x");
    expect(output).toMatch(/error: 2 of \d+ comparisons differ \[deployCheck.different\]/);
  });

  it("reads an endpoint with a limit on ranges of events and without old state", async () => {
    const limited = await LimitedProxy.listen({ target: local.url, range: 3, depth: 4 });
    const from = String(book.contracts.AccessManager.block);
    const options = ["--rpc", limited.url, "--address", registry()];
    expect(await failure(check(...options))).toMatch(
      /no longer has the state of block \d+.*give --from-block/,
    );
    expect(await success(check(...options, "--from-block", from))).toContain("all equal");
    // A beginning that is too late hides nothing.
    expect(await success(check(...options, "--from-block", "15"))).toContain("all equal");
    expect(limited.refused).toBeGreaterThan(10);
    await limited.close();
  });

  it.skipIf(!existsSync(RPC_PROXY))(
    "reads an endpoint with the limits of public ones",
    async () => {
      const port = await freePort(0);
      const url = `http://127.0.0.1:${port}`;
      local.group.start({
        name: "limits",
        command: process.execPath,
        arguments: [RPC_PROXY, String(port), local.url, "--logs-range", "5", "--no-tip"],
      });
      const probe = () =>
        fetch(url, { method: "POST", body: "[]" }).then(
          () => true as const,
          () => undefined,
        );
      await local.group.waitFor({ name: "limits", timeoutMs: 30_000, probe });
      expect(await success(check("--rpc", url, "--address", registry()))).toContain("all equal");
    },
  );

  it("says in one line why it cannot look", async () => {
    const dead = `http://127.0.0.1:${await freePort(0)}`;
    const stranger = `0x${"11".repeat(20)}`;
    const text = await TextServer.listen("<html>hello</html>", 200);
    const refusing = await TextServer.listen("no such key", 401);
    const noLogs = await LimitedProxy.listen({ target: local.url, range: -1, depth: 1000 });
    const at = ["--address", registry()];
    for (const [running, words] of [
      [check("--rpc", dead, ...at), "does not answer (ECONNREFUSED)"],
      [check("--rpc", text.url, ...at), "answers, but not as a JSON-RPC endpoint: <html>hello"],
      [check("--rpc", refusing.url, ...at), "answers with HTTP status 401: no such key"],
      [check("--rpc", noLogs.url, ...at), "gives no events, not even of block"],
      [check("--network", "baseSepolia", "--rpc", local.url, ...at), "should be chain 84532, but"],
      [
        check("--network", "baseSepolia", ...at),
        "network baseSepolia has no address of an endpoint",
      ],
      [onLocalhost("--address", stranger), `there is no contract at ${stranger} on chain 31337`],
      [
        onLocalhost("--address", book.contracts.OPG?.address ?? ""),
        "is not ruled by an AccessManager",
      ],
      [onLocalhost("--book", join(local.folder, "none.json")), "no address book at"],
      [onLocalhost("--book", BOOK, ...at), "--address and --book: give one of them"],
      [onLocalhost("--address", "0x12"), "It must be an address"],
      [onLocalhost("--from-block", "x"), "It must be the number of a block"],
      [onLocalhost("--register"), "unknown option '--register'"],
    ] as const) {
      expect(await failure(running)).toContain(words);
    }
    for (const server of [text, refusing, noLogs]) await server.close();
  });

  it("shows its help without a build, a chain or an address book", async () => {
    const output = await success(check("--help"));
    expect(output).toContain("--address <address>");
    expect(output.split("\n").every((line) => line.length <= 80)).toBe(true);
  });
});

describe("a deployment whose deployer keeps a way back before the hand-over", () => {
  it("is named by the deployment itself, and by the check afterwards", async () => {
    const other = await LocalDeployment.start();
    const proxy = new FailingProxy({
      ...{ target: other.url, transactions: BEFORE_HANDOVER, failure: "answered" },
    });
    await other.deploy({ HACA_RPC_URL: await proxy.listen() });
    await proxy.close();

    const chain = other.provider();
    const deployer = await chain.getSigner(0);
    const found = await contractsOf(chain);
    const manager = new Contract(found.AccessManager ?? "", accessManagerAbi, deployer);
    const timelock = new Contract(found.TimelockController ?? "", timelockControllerAbi, deployer);
    const settlement = new Contract(found.InferenceSettlement ?? "", inferenceSettlementAbi);
    const send = async (contract: Contract, call: string, ...values: unknown[]) =>
      await (await contract.getFunction(call)(...values)).wait();
    await send(manager, "setRoleAdmin", ROLES.GOVERNANCE, PUBLIC_ROLE);
    const { PROPOSER_ROLE } = TIMELOCK_ROLES;
    await send(timelock, "grantRole", PROPOSER_ROLE, deployer.address);
    const call = settlement.interface.encodeFunctionData("setSettlementWindow", [3600]);
    const to = settlement.target;
    await send(timelock, "schedule", to, 0, call, ZeroHash, ZeroHash, 120);
    await send(timelock, "revokeRole", PROPOSER_ROLE, deployer.address);
    const registry = new Contract(found.TEERegistry ?? "", teeRegistryAbi, deployer);
    await send(manager, "grantRole", ROLES.IMAGE_APPROVER, deployer.address, 0);
    const pcr = `0x${"12".repeat(48)}`;
    await send(registry, "approvePCR", [pcr, pcr, pcr], "hidden", 0);
    await send(manager, "revokeRole", ROLES.IMAGE_APPROVER, deployer.address);
    await send(manager, "grantRole", ROLES.GUARDIAN, deployer.address, 0);
    await send(registry, "denyOperator", EXCLUDED);
    await send(manager, "revokeRole", ROLES.GUARDIAN, deployer.address);

    const early = await other.run([
      ...["scripts/deploy/check/cli.ts", "--network", "localhost"],
      ...["--address", String(manager.target)],
    ]);
    expect(early.output).toContain(
      "✘ hand-over: the deployer gives up the last permission, but that never happened",
    );
    const deployed = await other.deploy();
    expect(deployed.status, deployed.output).toBe(1);
    const { status, output } = await other.check();
    expect(status, output).toBe(1);
    expect(output).toContain(
      "✘ AccessManager: administrator of GOVERNANCE: ADMIN, but PUBLIC_ROLE (everybody)",
    );
    expect(output).toMatch(/✘ image 0x\w+ of node type 0: .*version hidden, approved now/);
    expect(output).toMatch(/✘ operator 0x1212\w+: .*denied, denied now; OperatorDenied in block/);
    expect(output).toMatch(
      /✘ TimelockController operation 0x\w+: a proposal of the governor, but executable from .* without one: InferenceSettlement.setSettlementWindow\(window: 3600\)/,
    );
    chain.destroy();
    await other.stop();
  });
});

/** Contracts that an interrupted deployment made, by the transactions of the chain. */
async function contractsOf(chain: JsonRpcProvider): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const names = ["AccessManager", "TimelockController", "InferenceSettlement", "TEERegistry"];
  for (let number = 1; number <= (await chain.getBlockNumber()); number += 1) {
    const block = await chain.getBlock(number, true);
    for (const { hash, data, to } of block?.prefetchedTransactions ?? []) {
      const name = to === null ? names.find((one) => data.startsWith(bytecodeOf(one))) : undefined;
      if (name === undefined) continue;
      found[name] = (await chain.getTransactionReceipt(hash))?.contractAddress ?? "";
    }
  }
  return found;
}

const FOLDERS: Readonly<Record<string, string>> = {
  AccessManager: "@openzeppelin/contracts/access/manager",
  TimelockController: "contracts/governance",
  InferenceSettlement: "contracts/settlement",
  TEERegistry: "contracts/tee",
};

function bytecodeOf(name: string): string {
  const path = join(ROOT, "artifacts", FOLDERS[name] ?? "", `${name}.sol`, `${name}.json`);
  return JSON.parse(readFileSync(path, "utf8")).bytecode;
}

abstract class LocalServer {
  protected abstract readonly server: Server;

  get url(): string {
    const address = this.server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return `http://127.0.0.1:${address.port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** Answers everything with the same text. */
class TextServer extends LocalServer {
  protected readonly server: Server;

  private constructor(text: string, status: number) {
    super();
    this.server = createServer((_, response) => {
      response.statusCode = status;
      response.end(text);
    });
  }

  static async listen(text: string, status: number): Promise<TextServer> {
    const server = new TextServer(text, status);
    await new Promise<void>((resolve) => server.server.listen(0, "127.0.0.1", resolve));
    return server;
  }
}

/** An endpoint that gives events of few blocks at once, and state of the last blocks alone. */
class LimitedProxy extends LocalServer {
  protected readonly server: Server;
  refused = 0;

  private constructor(parameters: { target: string; range: number; depth: number }) {
    super();
    const { target, range, depth } = parameters;
    const ask = async (body: unknown): Promise<{ result: string }> => {
      const answer = await fetch(target, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      return (await answer.json()) as { result: string };
    };
    this.server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const call = JSON.parse(Buffer.concat(chunks).toString());
      const refuse = (message: string): void => {
        this.refused += 1;
        response.end(
          JSON.stringify({ jsonrpc: "2.0", id: call.id, error: { code: -32000, message } }),
        );
      };
      const [first, second] = call.params;
      if (call.method === "eth_getLogs" && first.toBlock - first.fromBlock > range) {
        refuse("query returned more than what we like");
        return;
      }
      const head = { jsonrpc: "2.0", id: 1, method: "eth_blockNumber", params: [] };
      if (call.method === "eth_getCode" && second !== "latest") {
        if (Number(second) < Number((await ask(head)).result) - depth) {
          refuse("missing trie node 12 (path ) state is not available");
          return;
        }
      }
      response.end(JSON.stringify(await ask(call)));
    });
  }

  static async listen(parameters: {
    target: string;
    range: number;
    depth: number;
  }): Promise<LimitedProxy> {
    const proxy = new LimitedProxy(parameters);
    await new Promise<void>((resolve) => proxy.server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }
}
