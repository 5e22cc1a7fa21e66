import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import {
  type RunningEnclave,
  startSimulatedEnclave,
} from "@haca/enclave-simulator/startSimulatedEnclave";
import { writeAddressBook } from "@haca/protocol/addressBook";
import { Wallet } from "ethers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { EndpointProxy } from "./support/endpointProxy.ts";
import { developmentKey } from "./support/localChain.ts";
import { waitFor } from "./support/processes.ts";
import { startWorker, untilTestEnds } from "./support/startWorker.ts";
import { HEARTBEAT_MAX_AGE, TeeChain } from "./support/teeChain.ts";
import { temporaryFolder } from "./support/temporaryFolder.ts";
import { type Settings, type TestWorker, WorkerProcess } from "./support/worker.ts";

let tee: TeeChain;
beforeAll(async () => {
  tee = await TeeChain.start();
});
afterAll(() => tee.stop());

async function serve(enclave: SimulatedEnclave, port = 0): Promise<RunningEnclave> {
  const running = await startSimulatedEnclave({ enclave, port, publicPort: 0 });
  onTestFinished(() => running.close());
  return running;
}

/** An admitted node whose enclave answers, and the settings of a worker for it. */
async function node(parameters: {
  account: number;
  kind?: "rsa" | "p256" | "secp256k1";
}): Promise<{ enclave: SimulatedEnclave; running: RunningEnclave; settings: Settings }> {
  const enclave = tee.enclave(parameters.kind);
  await tee.admit(enclave);
  const running = await serve(enclave);
  const folder = temporaryFolder();
  const settings = {
    HACA_RPC_URL: tee.chain.url,
    HACA_CHAIN_ID: "31337",
    HACA_HEARTBEAT_KEY: developmentKey(parameters.account),
    HACA_ENCLAVE_URL: running.operatorUrl,
    HACA_ADDRESS_BOOK: tee.writeBook(join(folder, "book.json")),
    HACA_DATA_DIR: join(folder, "data"),
    HACA_HEARTBEAT_SECONDS: "1",
  };
  return { enclave, running, settings };
}

const ROLES = ["heartbeat"];
const start = (settings: Settings): TestWorker =>
  untilTestEnds(startWorker({ settings, roles: ROLES }));
const startProcess = (settings: Settings): WorkerProcess =>
  untilTestEnds(new WorkerProcess({ settings, roles: ROLES }));

/** Lines of the log with this message. */
const logged = (worker: TestWorker, message: string) =>
  worker.child.lines
    .filter((line) => line.includes(`"msg":"${message}"`))
    .map((line) => JSON.parse(line) as Record<string, unknown>);

async function heartbeats(worker: TestWorker, count: number) {
  return await waitFor(async () => {
    const found = logged(worker, "heartbeat");
    if (worker.child.hasEnded) throw new Error(worker.child.lines.join("\n"));
    return found.length >= count ? found : undefined;
  });
}

const metric = async (worker: TestWorker, line: RegExp): Promise<number> => {
  const response = await fetch(`${await worker.url()}/metrics`);
  return Number(line.exec(await response.text())?.[1]);
};
const failures = (worker: TestWorker, reason: string) =>
  metric(worker, new RegExp(`haca_heartbeat_failures_total{reason="${reason}"} (\\d+)`));

type Pool = {
  pending: Record<string, Record<string, { maxFeePerGas: string; hash: string; nonce: string }>>;
};

/** The transaction of a node's payer that waits to be mined, of which there is one at most; another than `hash`. */
async function waiting(settings: Settings, hash?: string) {
  const payer = new Wallet(settings.HACA_HEARTBEAT_KEY ?? "").address;
  const { pending } = (await tee.chain.send("txpool_content")) as Pool;
  const found = Object.entries(pending).find(
    ([account]) => account.toLowerCase() === payer.toLowerCase(),
  );
  const [transaction, ...others] = Object.values(found?.[1] ?? {});
  expect(others).toEqual([]);
  return transaction?.hash === hash ? undefined : transaction;
}

describe("heartbeats", () => {
  it("go out on the cheap path, with one session key that survives kill -9", async () => {
    const { enclave, settings } = await node({ account: 1, kind: "rsa" });
    const { teeId } = enclave;
    const before = await tee.lastHeartbeat(teeId);
    const first = startProcess(settings);
    const [beat] = await heartbeats(first, 1);
    expect(beat).toMatchObject({ call: "heartbeatBySession", teeId });
    expect(Number(beat?.gas)).toBeLessThan(50_000);
    expect(await tee.lastHeartbeat(teeId)).toBeGreaterThan(before);
    expect(await metric(first, /haca_heartbeat_last_timestamp_seconds (\d+)/)).toBeGreaterThan(
      Number(before),
    );
    expect(await metric(first, /haca_heartbeats_total{path="session"} (\d+)/)).toBeGreaterThan(0);
    const health = await (await fetch(`${await first.url()}/health`)).json();
    expect(health).toMatchObject({ status: "ok", teeId });

    const files = readdirSync(settings.HACA_DATA_DIR ?? "");
    expect(files).toHaveLength(1);
    const path = join(settings.HACA_DATA_DIR ?? "", files[0] ?? "");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const { privateKey } = JSON.parse(readFileSync(path, "utf8"));
    const { address } = new Wallet(privateKey);
    await first.child.stop("SIGKILL");

    const successor = start(settings);
    const later = await heartbeats(successor, 2);
    expect(later.every(({ call }) => call === "heartbeatBySession")).toBe(true);
    expect(await tee.sessionKeys(teeId)).toEqual([address]);
    // It lies outside the enclave: nothing that it signs may pass for a result.
    const { signsResults } = await tee.registry.sessionKey(teeId, address);
    expect(signsResults).toBe(false);
    const output = [...first.child.lines, ...successor.child.lines].join("\n");
    expect(output).not.toContain(privateKey.slice(2));
    expect(output).not.toContain(settings.HACA_HEARTBEAT_KEY?.slice(2));

    successor.child.kill("SIGTERM");
    expect(await successor.child.exited).toEqual({ code: 0, signal: null });
  });

  it.each(["rsa", "secp256k1"] as const)(
    "are signed by the enclave's own %s key where there is no session key to be had",
    async (kind) => {
      const { enclave, settings } = await node({ account: 2, kind });
      const seed = start(settings);
      await heartbeats(seed, 1);
      await seed.child.stop();
      const [file = ""] = readdirSync(settings.HACA_DATA_DIR ?? "");
      writeFileSync(join(settings.HACA_DATA_DIR ?? "", file), "{}");

      const worker = start(settings);
      const [beat] = await heartbeats(worker, 1);
      expect(beat).toMatchObject({ call: "heartbeat", teeId: enclave.teeId });
      expect(await failures(worker, "session.session.malformed")).toBeGreaterThan(0);
    },
  );

  it("get a new session key when the old one's time ends", async () => {
    const { enclave, settings } = await node({ account: 3 });
    const worker = start({ ...settings, HACA_SESSION_SECONDS: "60" });
    await heartbeats(worker, 1);
    const [old] = await tee.sessionKeys(enclave.teeId);
    await tee.chain.send("evm_increaseTime", 100);
    await tee.chain.send("evm_mine");
    const keys = await waitFor(async () => {
      const found = await tee.sessionKeys(enclave.teeId);
      return found.length > 1 ? found : undefined;
    });
    expect(keys[0]).toBe(old);
    expect(keys[1]).not.toBe(old);
    const sent = logged(worker, "heartbeat").length;
    const later = await heartbeats(worker, sent + 1);
    expect(later.every(({ call }) => call === "heartbeatBySession")).toBe(true);
  });

  it("stop with the enclave: a session key does not keep a dead or another one alive", async () => {
    const { enclave, running, settings } = await node({ account: 4 });
    const worker = start(settings);
    await heartbeats(worker, 1);
    await running.close();
    await waitFor(async () =>
      (await failures(worker, "enclave.unreachable")) > 0 ? true : undefined,
    );
    const last = await tee.lastHeartbeat(enclave.teeId);
    const health = await (await fetch(`${await worker.url()}/health`)).json();
    expect(health).toMatchObject({ status: "degraded" });

    await serve(tee.enclave(), Number(new URL(running.operatorUrl).port));
    await waitFor(async () =>
      (await failures(worker, "enclave.otherKey")) > 0 ? true : undefined,
    );
    expect(await tee.lastHeartbeat(enclave.teeId)).toBe(last);
  });

  it("resume when the endpoint is back", async () => {
    const { enclave, settings } = await node({ account: 5 });
    const proxy = await EndpointProxy.start(tee.chain.url);
    onTestFinished(() => proxy.stop());
    const worker = start({ ...settings, HACA_RPC_URL: proxy.url });
    await heartbeats(worker, 1);
    proxy.mode = "failing";
    await waitFor(async () => ((await failures(worker, "rpc.failed")) > 0 ? true : undefined));
    const sent = logged(worker, "heartbeat").length;
    proxy.mode = "up";
    await heartbeats(worker, sent + 1);
    expect((await tee.sessionKeys(enclave.teeId)).length).toBe(1);
  });

  it("replace a transaction that is not mined by one that pays more, with the same nonce", async () => {
    const { settings } = await node({ account: 6 });
    const worker = start({ ...settings, HACA_REBROADCAST_MS: "300" });
    await heartbeats(worker, 1);
    await tee.chain.send("evm_setAutomine", false);
    onTestFinished(async () => {
      await tee.chain.send("evm_setAutomine", true);
      await tee.chain.send("evm_mine");
    });
    const first = await waitFor(() => waiting(settings));
    const second = await waitFor(() => waiting(settings, first.hash));
    expect(BigInt(second.maxFeePerGas)).toBeGreaterThan(BigInt(first.maxFeePerGas));
    const sent = logged(worker, "heartbeat").length;
    await tee.chain.send("evm_setAutomine", true);
    await tee.chain.send("evm_mine");
    await heartbeats(worker, sent + 1);
  });

  it("take the place of what a process before left at the endpoint", async () => {
    const { settings } = await node({ account: 6 });
    const hasty = { ...settings, HACA_REBROADCAST_MS: "300" };
    const killed = startProcess(hasty);
    await heartbeats(killed, 1);
    await tee.chain.send("evm_setAutomine", false);
    onTestFinished(async () => {
      await tee.chain.send("evm_setAutomine", true);
      await tee.chain.send("evm_mine");
    });
    const left = await waitFor(() => waiting(settings));
    await killed.child.stop("SIGKILL");
    const last = (await waiting(settings)) ?? left;
    const successor = start(hasty);
    const taken = await waitFor(() => waiting(settings, last.hash));
    expect(taken.nonce).toBe(last.nonce);
    expect(BigInt(taken.maxFeePerGas)).toBeGreaterThan(BigInt(last.maxFeePerGas));
    await tee.chain.send("evm_setAutomine", true);
    await tee.chain.send("evm_mine");
    await heartbeats(successor, 1);
  });

  it("do not take the one before for themselves, where that is the one that is mined", async () => {
    const { settings } = await node({ account: 5 });
    const proxy = await EndpointProxy.start(tee.chain.url);
    onTestFinished(() => proxy.stop());
    const worker = start({
      ...settings,
      HACA_RPC_URL: proxy.url,
      // Long enough for the second to be waiting when the first is mined.
      HACA_REBROADCAST_MS: "3000",
    });
    await heartbeats(worker, 1);
    await tee.chain.send("evm_setAutomine", false);
    onTestFinished(async () => {
      await tee.chain.send("evm_setAutomine", true);
      await tee.chain.send("evm_mine");
    });
    const first = await waitFor(() => waiting(settings));
    // From now on the endpoint says that it took them, and loses them.
    proxy.interfere = ({ method }) =>
      method === "eth_sendRawTransaction" ? { result: `0x${"00".repeat(32)}` } : undefined;
    await worker.logged("replaced with higher fees");
    const known = logged(worker, "heartbeat").length;
    await tee.chain.send("evm_mine");
    await waitFor(async () =>
      (await tee.chain.provider.getTransactionReceipt(first.hash)) === null ? undefined : true,
    );
    proxy.interfere = () => undefined;
    await tee.chain.send("evm_setAutomine", true);
    const [next] = (await heartbeats(worker, known + 1)).slice(known);
    expect(next?.transaction).not.toBe(first.hash);
    const sent = await tee.chain.provider.getTransaction(String(next?.transaction));
    expect(sent?.nonce).toBe(Number(first.nonce) + 1);
  });

  it("wait while gas is above the ceiling", async () => {
    const { enclave, settings } = await node({ account: 7 });
    const before = await tee.lastHeartbeat(enclave.teeId);
    const worker = start({ ...settings, HACA_MAX_FEE_PER_GAS: "1" });
    await waitFor(async () => ((await failures(worker, "fees.tooHigh")) > 0 ? true : undefined));
    expect(await tee.lastHeartbeat(enclave.teeId)).toBe(before);
  });

  it("are refused in words for a node that the registry does not know or has out of service", async () => {
    const { enclave, settings } = await node({ account: 7 });
    await (await tee.registry.disableTEE(enclave.teeId)).wait();
    const worker = start(settings);
    await waitFor(async () =>
      (await failures(worker, "revert.TEERegistry_StatusInvalid")) > 0 ? true : undefined,
    );
    expect(worker.child.lines.join("\n")).toContain("is disabled: not possible in that state");

    const unknown = await serve(tee.enclave());
    const stranger = start({ ...settings, HACA_ENCLAVE_URL: unknown.operatorUrl });
    await waitFor(async () =>
      (await failures(stranger, "revert.TEERegistry_NodeUnknown")) > 0 ? true : undefined,
    );
    expect(stranger.child.lines.join("\n")).toContain("the registry has no node 0x");
  });
});

describe("a start of the role heartbeat", () => {
  const refused = async (settings: Settings, roles = ROLES) => {
    const { child } = startWorker({ settings, roles });
    const { code } = await child.exited;
    const said = child.lines.filter((line) => !line.startsWith("{"));
    expect(said).toHaveLength(1);
    return `${code} ${said[0]}`;
  };

  it("names the setting that is missing or wrong", async () => {
    const { settings } = await node({ account: 7 });
    const { HACA_ENCLAVE_URL: _, ...urlless } = settings;
    expect(await refused(urlless)).toMatch(/^2 HACA_ENCLAVE_URL: not set/);
    const { HACA_HEARTBEAT_KEY: key, ...keyless } = settings;
    expect(await refused(keyless)).toMatch(/^2 HACA_HEARTBEAT_KEY: not set/);
    expect(await refused({ ...settings, HACA_NODE_KEY: key ?? "" })).toMatch(
      /^2 HACA_HEARTBEAT_KEY: must not be HACA_NODE_KEY/,
    );
    expect(await refused({ ...settings, HACA_ENCLAVE_URL: "enclave" })).toMatch(
      /^2 HACA_ENCLAVE_URL: must be an http or https URL/,
    );
    expect(
      await refused({ ...settings, HACA_HEARTBEAT_SECONDS: String(HEARTBEAT_MAX_AGE) }),
    ).toMatch(/^1 HACA_HEARTBEAT_SECONDS: 1800 s is not less than the registry's limit of 1800 s/);
    expect(await refused(settings, ["heartbeat", "settle"])).toMatch(/^2 role: .*got heartbeat/);
  });

  it("needs a registry in the address book, and on the chain", async () => {
    const { settings } = await node({ account: 7 });
    const core = join(temporaryFolder(), "core.json");
    const { TEERegistry: _, ...contracts } = tee.chain.book.contracts;
    writeAddressBook({ path: core, book: { ...tee.chain.book, contracts } });
    expect(await refused({ ...settings, HACA_ADDRESS_BOOK: core })).toMatch(
      /^1 HACA_ADDRESS_BOOK: .* has no TEERegistry: deploy it first/,
    );
    const moved = JSON.parse(readFileSync(settings.HACA_ADDRESS_BOOK ?? "", "utf8"));
    moved.contracts.TEERegistry.address = new Wallet(developmentKey(5)).address;
    const path = join(temporaryFolder(), "moved.json");
    writeFileSync(path, JSON.stringify(moved));
    expect(await refused({ ...settings, HACA_ADDRESS_BOOK: path })).toMatch(
      /^1 HACA_ADDRESS_BOOK: chain 31337 has no TEERegistry at 0x/,
    );
  });
});
