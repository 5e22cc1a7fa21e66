import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HTTPFacilitatorClient } from "@x402/core/server";
import type { PaymentPayload, PaymentRequirements } from "@x402/core/types";
import { PERMIT2_ADDRESS, toClientEvmSigner, x402UptoPermit2ProxyAddress } from "@x402/evm";
import { ExactEvmScheme as ExactClient } from "@x402/evm/exact/client";
import { ContractFactory, keccak256, Wallet } from "ethers";
import { privateKeyToAccount } from "viem/accounts";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type ContractOf, contractAt } from "../../scripts/lib/contracts.ts";
import { readArtifact } from "../../testing/artifacts.ts";
import { EndpointProxy } from "./support/endpointProxy.ts";
import { developmentKey } from "./support/localChain.ts";
import { waitFor } from "./support/processes.ts";
import { TeeChain } from "./support/teeChain.ts";
import { sharedFolder, temporaryQueue } from "./support/temporaryFolder.ts";
import { type Settings, WorkerProcess } from "./support/worker.ts";

const DEPLOYER = 1;
const RECEIVER = Wallet.createRandom().address;
const STRANGER = "0x00000000000000000000000000000000000000aa";
const NETWORK = "eip155:31337";
const PRICE = 5n * 10n ** 18n;
const ETHER = "0x56bc75e2d63100000";
/** Code that does nothing: to see whether a contract is there. */
const CODE = "0x00";

const folder = sharedFolder();
let tee: TeeChain;
let token: ContractOf<"OPG">;
let proxy: EndpointProxy;
let wanted: PaymentRequirements;
let account: Wallet;
let worker: WorkerProcess;
let url: string;
let client: HTTPFacilitatorClient;

beforeAll(async () => {
  tee = await TeeChain.start();
  const deployer = new Wallet(developmentKey(DEPLOYER), tee.chain.provider);
  const deploy = async (name: string, ...values: unknown[]) => {
    const { abi, bytecode } = readArtifact(name);
    const factory = new ContractFactory(abi as [], bytecode, deployer);
    return await (await factory.deploy(...values)).waitForDeployment();
  };
  const opg = await deploy("OPG", deployer.address, deployer.address);
  token = contractAt({ name: "OPG", address: String(opg.target), runner: deployer });
  const relay = await deploy("LegacySettlement", tee.registry.target);
  proxy = await EndpointProxy.start(tee.chain.url);
  wanted = {
    ...{ scheme: "exact", network: NETWORK, asset: String(opg.target), amount: String(PRICE) },
    ...{ payTo: RECEIVER, maxTimeoutSeconds: 300, extra: { name: "OPG", version: "1" } },
  };
  const started = await start(folder.path, { relay, opg });
  ({ account, worker } = started);
  url = await worker.url();
  client = new HTTPFacilitatorClient({ url });
});
afterAll(async () => {
  await worker?.child.stop("SIGKILL");
  proxy?.stop();
  await tee?.stop();
  folder.remove();
});
afterEach(async () => {
  proxy.mode = "up";
  await tee.chain.send("evm_setAutomine", true);
});

/** A facilitator with an account of its own that settles payments for `RECEIVER`. */
async function start(
  queue: string,
  { relay, opg }: { relay: { target: unknown }; opg: { target: unknown } },
  changes: Settings = {},
) {
  const account = new Wallet(Wallet.createRandom().privateKey, tee.chain.provider);
  await tee.chain.send("anvil_setBalance", account.address, ETHER);
  const path = tee.writeBook(join(queue, "book.json"));
  const book = JSON.parse(readFileSync(path, "utf8"));
  const address = String(opg.target);
  const codeHash = keccak256(await tee.chain.provider.getCode(address));
  book.contracts.OPG = { ...book.contracts.AccessManager, address, codeHash };
  writeFileSync(path, JSON.stringify(book));
  const settings: Settings = {
    ...{ HACA_RPC_URL: proxy.url, HACA_CHAIN_ID: "31337", HACA_ADDRESS_BOOK: path },
    ...{ HACA_FACILITATOR_KEY: account.privateKey, HACA_RELAY: String(relay.target) },
    ...{ HACA_PAYMENT_RECEIVERS: `${STRANGER.replace("aa", "bb")},${RECEIVER}` },
    // Nothing is stored here.
    HACA_BLOB_PUBLISHER: "http://127.0.0.1:9/v1/blobs",
    ...{ HACA_BLOB_AGGREGATOR: "http://127.0.0.1:9", HACA_DATA_DIR: queue, ...changes },
  };
  return { account, worker: new WorkerProcess({ settings, roles: ["facilitate"] }) };
}

/** An account without ether, with enough for `payments`. */
async function payerWith(payments: bigint): Promise<Wallet> {
  const payer = new Wallet(Wallet.createRandom().privateKey);
  await (await token.transfer.send(payer.address, payments * PRICE)).wait();
  return payer;
}

/** What the stock client of x402 makes for requirements. */
async function payment(
  payer: Wallet,
  accepted: PaymentRequirements = wanted,
): Promise<PaymentPayload> {
  const signer = toClientEvmSigner(privateKeyToAccount(payer.privateKey as `0x${string}`));
  const made = await new ExactClient(signer).createPaymentPayload(2, accepted);
  return { x402Version: 2, accepted, payload: made.payload };
}

const balanceOf = async (address: string): Promise<bigint> => await token.balanceOf(address);
const sentCount = () => tee.chain.provider.getTransactionCount(account.address);

/** Settles a payment whose transaction is mined when the test lets it go; `letGo` returns how many were sent. */
async function settleSlowly(paid: PaymentPayload) {
  const before = await sentCount();
  const sent = (count: number) =>
    waitFor(async () => {
      const nonce = await tee.chain.provider.getTransactionCount(account.address, "pending");
      return nonce >= before + count ? true : undefined;
    });
  await tee.chain.send("evm_setAutomine", false);
  const first = client.settle(paid, wanted);
  await sent(1);
  const letGo = async () => {
    await tee.chain.send("evm_mine");
    await tee.chain.send("evm_setAutomine", true);
    return (await sentCount()) - before;
  };
  return { first, sent, letGo };
}

async function post(path: string, body: unknown) {
  const response = await fetch(`${url}${path}`, {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  // biome-ignore lint/suspicious/noExplicitAny: answers are compared field by field
  return { status: response.status, body: (await response.json()) as any };
}
const bodyOf = (paymentPayload: unknown, paymentRequirements: unknown = wanted) => ({
  ...{ x402Version: 2, paymentPayload, paymentRequirements },
});

describe("payments by x402", () => {
  it("offers what it settles", async () => {
    const { address } = account;
    const kinds = [{ x402Version: 2, scheme: "exact", network: NETWORK }];
    const signers = { "eip155:*": [address] };
    expect(await client.getSupported()).toEqual({ kinds, extensions: [], signers });
    const health = await (await fetch(`${url}/health`)).json();
    expect(health).toMatchObject({ status: "ok", supportedKinds: kinds, signers });
  });

  it("verifies and settles for the stock client; the payer needs no ether", async () => {
    const payer = await payerWith(1n);
    const paid = await payment(payer);
    const before = await balanceOf(RECEIVER);
    expect(await client.verify(paid, wanted)).toMatchObject({
      isValid: true,
      payer: payer.address,
    });
    expect(await balanceOf(RECEIVER)).toBe(before);

    const settled = await client.settle(paid, wanted);
    expect(settled).toMatchObject({ success: true, network: NETWORK, payer: payer.address });
    expect(await balanceOf(RECEIVER)).toBe(before + PRICE);
    const receipt = await tee.chain.provider.getTransactionReceipt(settled.transaction);
    expect(receipt).toMatchObject({ status: 1, from: account.address, to: token.target });
  });

  it("settles a payment once", async () => {
    const paid = await payment(await payerWith(3n));
    expect(await client.settle(paid, wanted)).toMatchObject({ success: true });
    const before = await balanceOf(RECEIVER);
    const sent = await sentCount();
    expect(await client.verify(paid, wanted)).toMatchObject({ isValid: false });
    const again = await client.settle(paid, wanted);
    expect(again.success).toBe(false);
    expect(again.errorReason).toMatch(/nonce|simulation/);
    expect(await balanceOf(RECEIVER)).toBe(before);
    expect(await sentCount()).toBe(sent);
  });

  it("sends one transaction for a payment that many bring at the same moment", async () => {
    const paid = await payment(await payerWith(3n));
    const { first, letGo } = await settleSlowly(paid);
    const others = await Promise.all([client.settle(paid, wanted), client.settle(paid, wanted)]);
    for (const other of others) {
      expect(other).toMatchObject({ success: false, errorReason: "duplicate_settlement" });
    }
    expect(await letGo()).toBe(1);
    expect(await first).toMatchObject({ success: true });
  });

  it("settles no more at a time than a payer has", async () => {
    const payer = await payerWith(2n);
    const { first, sent, letGo } = await settleSlowly(await payment(payer));
    const second = client.settle(await payment(payer), wanted);
    await sent(2);
    const third = await client.settle(await payment(payer), wanted);
    expect(third).toMatchObject({ success: false, errorReason: "insufficient_funds" });
    // What reverts would have cost this account gas.
    expect(await letGo()).toBe(2);
    expect([(await first).success, (await second).success]).toEqual([true, true]);
    expect(await balanceOf(payer.address)).toBe(0n);
  });

  // Why a simulation fails the library finds out by Multicall3, which a local chain lacks.
  const refusals: [string, Partial<PaymentRequirements>, string | RegExp][] = [
    ["to somebody else", { payTo: STRANGER }, "invalid_payment_requirements"],
    ["in another token", { asset: STRANGER }, "invalid_payment_requirements"],
    ["on another chain", { network: "eip155:8453" }, "invalid_network"],
    ["by another scheme", { scheme: "upto" }, "unsupported_scheme"],
    ["with another name of the token", { extra: { name: "X", version: "1" } }, /name|simulation/],
    ["that has expired", { maxTimeoutSeconds: 1 }, /valid_before/],
    [
      "of more than the payer has",
      { amount: String(3n * PRICE) },
      /balance|insufficient|simulation/,
    ],
  ];
  it.each(refusals)("refuses a payment %s", async (_, change, reason) => {
    const payer = await payerWith(2n);
    const requirements = { ...wanted, ...change };
    const signedFor = { ...requirements, scheme: "exact", network: NETWORK as never };
    const paid = { ...(await payment(payer, signedFor)), accepted: requirements };
    const sent = await sentCount();
    const verdict = await client.verify(paid, requirements);
    expect(verdict).toMatchObject({ isValid: false });
    expect(verdict.invalidReason).toMatch(reason);
    const settled = await client.settle(paid, requirements);
    expect(settled).toMatchObject({ success: false, transaction: "" });
    expect(settled.errorReason).toMatch(reason);
    expect(await sentCount()).toBe(sent);
    expect(await balanceOf(payer.address)).toBe(2n * PRICE);
  });

  it("refuses a payment that somebody else signed, or for another amount", async () => {
    const payer = await payerWith(1n);
    const paid = await payment(payer);
    const { signature } = (await payment(await payerWith(1n))).payload;
    const forged = { ...paid, payload: { ...paid.payload, signature } };
    expect(await client.verify(forged, wanted)).toMatchObject({ isValid: false });
    expect(await client.settle(forged, wanted)).toMatchObject({ success: false });
    const cheaper = { ...wanted, amount: String(PRICE - 1n) };
    expect(await client.verify(paid, cheaper)).toMatchObject({ isValid: false });
    expect(await client.settle(paid, cheaper)).toMatchObject({ success: false });
    expect(await balanceOf(payer.address)).toBe(PRICE);
  });

  it.each(["/verify", "/settle"])("%s refuses what is no payment, with 400", async (path) => {
    const paid = await payment(await payerWith(1n));
    const { authorization } = paid.payload as { authorization: object };
    const broken = (change: object) => ({
      ...paid,
      payload: { ...paid.payload, authorization: { ...authorization, ...change } },
    });
    const cases: [unknown, string][] = [
      ["{", "body"],
      [{}, "paymentPayload"],
      [{ paymentRequirements: wanted }, "paymentPayload"],
      [{ paymentPayload: paid }, "paymentRequirements"],
      [null, "body"],
      [[], "body"],
      [bodyOf("x"), "paymentPayload"],
      [bodyOf({ ...paid, payload: {} }), "paymentPayload.payload"],
      [bodyOf(broken({ value: "-1" })), "paymentPayload.payload"],
      [bodyOf(broken({ value: "9".repeat(10_000) })), "paymentPayload.payload"],
      [bodyOf(broken({ from: "0x1" })), "paymentPayload.payload.authorization.from"],
      [bodyOf(paid, { ...wanted, amount: "1e3" }), "paymentRequirements.amount"],
      [bodyOf(paid, { ...wanted, payTo: 7 }), "paymentRequirements.payTo"],
    ];
    const sent = await sentCount();
    for (const [body, field] of cases) {
      const answer = await post(path, body);
      expect({ field, status: answer.status }).toEqual({ field, status: 400 });
      expect(answer.body.error.split(": ")[0]).toBe(field);
    }
    expect(await sentCount()).toBe(sent);
  });

  it("answers another version of the protocol as one that it does not speak", async () => {
    const paid = { ...(await payment(await payerWith(1n))), x402Version: 1 };
    const { status, body } = await post("/verify", bodyOf(paid));
    expect(status).toBe(200);
    expect(body).toMatchObject({ isValid: false, invalidReason: "invalid_x402_version" });
  });

  it("calls no payment bad because the endpoint is away", async () => {
    const paid = await payment(await payerWith(1n));
    proxy.mode = "down";
    for (const path of ["/verify", "/settle"]) {
      expect((await post(path, bodyOf(paid))).status).toBe(503);
    }
    proxy.mode = "up";
    expect(await client.verify(paid, wanted)).toMatchObject({ isValid: true });
    const settled = await waitFor(async () => {
      const answer = await post("/settle", bodyOf(paid));
      return answer.status === 200 ? answer.body : undefined;
    });
    expect(settled).toMatchObject({ success: true });
  });

  it("offers upto where Permit2 and its proxy are", async () => {
    for (const address of [PERMIT2_ADDRESS, x402UptoPermit2ProxyAddress]) {
      await tee.chain.send("anvil_setCode", address, CODE);
    }
    const relay = await new ContractFactory(
      readArtifact("LegacySettlement").abi as [],
      readArtifact("LegacySettlement").bytecode,
      new Wallet(developmentKey(DEPLOYER), tee.chain.provider),
    ).deploy(tee.registry.target);
    await relay.waitForDeployment();
    const other = await start(temporaryQueue(), { relay, opg: token });
    try {
      const offering = new HTTPFacilitatorClient({ url: await other.worker.url() });
      const extra = { facilitatorAddress: other.account.address };
      expect((await offering.getSupported()).kinds).toEqual([
        { x402Version: 2, scheme: "exact", network: NETWORK },
        { x402Version: 2, scheme: "upto", network: NETWORK, extra },
      ]);
    } finally {
      await other.worker.child.stop("SIGKILL");
    }
  });
});
