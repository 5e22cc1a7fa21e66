import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { measurementsOf } from "@haca/enclave-simulator/measurementsOf";
import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { readAddressBook } from "@haca/protocol/addressBook";
import { ROLES } from "@haca/protocol/roles";
import { JsonRpcProvider, keccak256, Wallet } from "ethers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { developmentKey, startChain } from "../../scripts/demo/localChain.ts";
import { contractAt } from "../../scripts/lib/contracts.ts";
import { ProcessGroup } from "../../scripts/lib/processGroup.ts";
import { type TeeContracts, teeContracts } from "../../scripts/tee/teeContracts.ts";
import { Command } from "./command.ts";

const BOOK = join(import.meta.dirname, "..", "..", "deployments", "31337.json");
const CHAIN_ID = 31337;
const LLM_PROXY = 0;
/** Fixed in the public network's tool. */
const TOOL_GAS = 5_000_000n;
const REGISTRAR = 1;
const PAYER = 2;

const now = BigInt(Math.floor(Date.now() / 1000));
/** Only for the key and the certificate that the front shows: it attests nothing. */
const FRONT = new SimulatedEnclave({
  ...{
    chain: makeSimulatedChain({ now }),
    measurements: measurementsOf("front"),
    kind: "p256",
    now,
  },
});
const pemOf = (der: Uint8Array) =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString("base64")}\n-----END CERTIFICATE-----\n`;

let folder: string;
let group: ProcessGroup;
let url: string;
let provider: JsonRpcProvider;
let administrator: Wallet;
let registrar: Wallet;
let contracts: TeeContracts;
let enclave: { command: Command; operatorUrl: string; publicUrl: string; teeId: string };
let snapshot: unknown;
let running: Command[];

const cli = (...options: string[]) =>
  new Command(["scripts/tee/cli.ts", ...options], { HACA_RPC_URL: url });
const pem = (name: string) => join(folder, name);

async function simulate(image: string): Promise<typeof enclave> {
  const ports = ["--port", "0", "--public-port", "0"];
  const command = cli("simulate", "--image", image, ...ports);
  running.push(command);
  await command.printed("Ctrl-C ends it");
  const find = (pattern: RegExp) => pattern.exec(command.output)?.[1] ?? "";
  return {
    command,
    operatorUrl: find(/operator's side {2}(\S+)/),
    publicUrl: find(/public side {6}(\S+)/),
    teeId: find(/teeId {12}(\S+)/),
  };
}

const frontOptions = (...options: string[]): string[] => [
  ...["front", "--network", "localhost", "--account", String(PAYER)],
  ...["--host", "127.0.0.1", "--port", "0", "--cert", pem("cert.pem"), "--key", pem("key.pem")],
  ...options,
];

async function startFront(...options: string[]): Promise<{ command: Command; port: number }> {
  const command = cli(...frontOptions(...options));
  running.push(command);
  await command.printed("Ctrl-C ends it");
  const [, port] = /on 127\.0\.0\.1:(\d+)/.exec(command.output) ?? [];
  return { command, port: Number(port) };
}

/** As the tool asks: TLS that is not checked, and no look at the status. */
async function fetchFrom(port: number, path: string): Promise<{ status: number; text: string }> {
  return await new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path, rejectUnauthorized: false, agent: false }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      answer.once("end", () => resolve({ status: answer.statusCode ?? 0, text }));
    }).once("error", reject);
  });
}

const askDocument = (port: number) =>
  fetchFrom(port, `/enclave/attestation?nonce=${randomBytes(20).toString("hex")}`);

async function tlsCertificateOf(place: string): Promise<Buffer> {
  const { hostname: host, port } = new URL(place);
  return await new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().raw);
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

/** `tee register` of the public network's tool, step by step. */
async function registerAsTheTool(port: number): Promise<string> {
  const { text } = await askDocument(port);
  const document = Buffer.from(text.trim(), "base64");
  const { public_key } = JSON.parse((await fetchFrom(port, "/signing-key")).text);
  const body = String(public_key).replaceAll(/-----[A-Z ]+-----|\s/g, "");
  const key = Buffer.from(body, "base64");
  const tlsCertificate = await tlsCertificateOf(enclave.publicUrl);
  const teeId = keccak256(key);
  const { registry } = contracts;
  const isKnown = await registry.getTEE(teeId).then(
    () => true,
    () => false,
  );
  if (isKnown) return "already registered";
  const values = [document, key, tlsCertificate, registrar.address, "https://127.0.0.1", LLM_PROXY];
  const sent = await registrar.sendTransaction({
    to: registry.target,
    data: registry.interface.encodeFunctionData("registerTEEWithAttestation", values),
    ...{ type: 0, gasLimit: TOOL_GAS, gasPrice: 2_000_000_000n },
  });
  const receipt = await sent.wait();
  return receipt?.status === 1 ? teeId : "failed";
}

const balance = (account: number) =>
  provider.getBalance(new Wallet(developmentKey(account)).address);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "haca-front-"));
  writeFileSync(pem("cert.pem"), pemOf(FRONT.tlsCertificate));
  writeFileSync(pem("key.pem"), FRONT.tlsKey);
  group = new ProcessGroup({ logFolder: folder });
  url = await startChain({ group, timeoutMs: 60_000 });
  const deployed = new Command(
    ["scripts/deploy/cli.ts", "--network", "localhost", "--part", "tee"],
    { HACA_RPC_URL: url },
  );
  expect(await deployed.exit(), deployed.output).toBe(0);
  provider = new JsonRpcProvider(url, CHAIN_ID, { staticNetwork: true, cacheTimeout: -1 });
  administrator = new Wallet(developmentKey(0), provider);
  registrar = new Wallet(developmentKey(REGISTRAR), provider);
  contracts = await teeContracts({ chainId: CHAIN_ID, runner: administrator });
  const [pcr0, pcr1, pcr2] = measurementsOf("front");
  await (await contracts.registry.approvePCR({ pcr0, pcr1, pcr2 }, "v1", LLM_PROXY)).wait();
  const { AccessManager } = readAddressBook(BOOK, CHAIN_ID).contracts;
  const manager = contractAt({
    ...{ name: "AccessManager", address: AccessManager.address, runner: administrator },
  });
  await (await manager.grantRole(ROLES.REGISTRAR, registrar.address, 0)).wait();
});
afterAll(async () => {
  provider?.destroy();
  await group.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  running = [];
  snapshot = await provider.send("evm_snapshot", []);
  enclave = await simulate("front");
});
afterEach(async () => {
  for (const command of running) {
    command.child.kill("SIGTERM");
    expect(await command.exit(), command.output).toBe(0);
  }
  await provider.send("evm_revert", [snapshot]);
});

describe("npm run tee -- front", () => {
  it("lets the public network's tool register an enclave, and spends nothing afterwards", async () => {
    const { command, port } = await startFront("--enclave", enclave.publicUrl);
    expect(command.output).toContain(enclave.teeId);
    expect(command.output).not.toContain("NOTE");
    const before = await balance(PAYER);
    expect(await registerAsTheTool(port)).toBe(enclave.teeId);
    const info = await contracts.registry.getTEE(enclave.teeId);
    expect(info.owner).toBe(registrar.address);
    expect(info.endpoint).toBe("https://127.0.0.1");
    expect(await contracts.registry.isTEEActive(enclave.teeId)).toBe(true);
    await command.printed("spent");
    expect(command.output).toMatch(
      /verified {5}0x[0-9a-f]{64}, gas 7,[\d,]+; 0\.0\d+ of 0\.05 spent/,
    );
    const after = await balance(PAYER);
    expect(after).toBeLessThan(before);

    // A second time the tool says what it says, and nobody can have the front pay for anything.
    expect(await registerAsTheTool(port)).toBe("already registered");
    expect((await askDocument(port)).status).toBe(200);
    expect(await balance(PAYER)).toBe(after);
  });

  it("answers no document that the registry would not take, and pays nothing for it", async () => {
    const other = await simulate("another image");
    const { command, port } = await startFront("--enclave", other.publicUrl);
    const before = await balance(PAYER);
    const { status, text } = await askDocument(port);
    expect(status).toBe(409);
    expect(JSON.parse(text).error.message).toContain("is not approved for any type");
    // Nor one that the verifier refuses, for a reason that only the chain knows.
    const approved = await startFront("--enclave", enclave.publicUrl);
    const { address } = readAddressBook(BOOK, CHAIN_ID).contracts.NitroAttestationVerifier ?? {};
    const code = await provider.getCode(address ?? "");
    await provider.send("hardhat_setCode", [address, "0x60006000fd"]);
    const refused = await askDocument(approved.port);
    await provider.send("hardhat_setCode", [address, code]);
    expect(refused.status).toBe(502);
    expect(JSON.parse(refused.text).error.message).toBe(
      "the document could not be verified: the front's log says why",
    );
    expect(approved.command.output).toContain("refused      chain.");
    expect(command.output).toContain("refused      front.notApproved");
    expect(await balance(PAYER)).toBe(before);
  });

  it("spends no more than its budget, and verifies one document at a time", async () => {
    const poor = await startFront("--enclave", enclave.publicUrl, "--budget", "0.000001");
    const before = await balance(PAYER);
    const { status, text } = await askDocument(poor.port);
    expect(status).toBe(503);
    expect(JSON.parse(text).error.code).toBe("front.budgetSpent");
    expect(await balance(PAYER)).toBe(before);

    const { port } = await startFront("--enclave", enclave.publicUrl);
    const answers = await Promise.all([askDocument(port), askDocument(port), askDocument(port)]);
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 503, 503]);
    const busy = answers.find((answer) => answer.status === 503)?.text ?? "";
    expect(JSON.parse(busy).error.code).toBe("front.busy");
    const address = await contracts.registry.verifier(0);
    const verifier = contractAt({ name: "NitroAttestationVerifier", address, runner: provider });
    // What was let out is on record: it verifies without hints.
    const document = answers.find((answer) => answer.status === 200)?.text.trim() ?? "";
    const claims = await verifier.verify.staticCall(Buffer.from(document, "base64"), []);
    expect(claims.issuedAt).toBeGreaterThan(0n);
  });

  it("passes on what is the enclave's, and nothing that is the operator's", async () => {
    // Even where it stands before the wrong side, and says so.
    const { command, port } = await startFront("--enclave", enclave.operatorUrl);
    expect(command.output).toContain("NOTE");
    expect(JSON.parse((await fetchFrom(port, "/signing-key")).text).tee_id).toBe(enclave.teeId);
    expect((await fetchFrom(port, "/enclave/heartbeat")).status).toBe(404);
    expect((await fetchFrom(port, "/nothing")).status).toBe(404);
  });

  it("has a help that fits 80 columns", async () => {
    const command = cli("front", "--help");
    expect(await command.exit()).toBe(0);
    expect(command.output).toContain("--budget <amount>");
    expect(command.output.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  it.each([
    [["--enclave", "ftp://x"], "--enclave must be an http or https URL"],
    [["--enclave", "http://127.0.0.1:1"], "does not answer"],
    [["--enclave", "http://127.0.0.1:1", "--budget", "0"], "--budget must be an amount above 0"],
    [["--enclave", "http://127.0.0.1:1", "--cert", "/nowhere"], "--cert: /nowhere cannot be read"],
    [["--enclave", "http://127.0.0.1:1", "--yes"], "unknown option '--yes'"],
  ])("refuses %j in one line", async (options, text) => {
    const command = cli(...frontOptions(...options));
    expect(await command.exit()).toBe(1);
    expect(command.output).toContain(text);
    expect(command.output).not.toMatch(/\n {4}at /);
  });
});
