import { operatorInterface } from "@haca/protocol/operatorCalls";
import { AbiCoder, Interface, id, toBeHex, Wallet } from "ethers";
import { expect, it } from "vitest";
import { RefusedByEndpointError, RetryableError } from "../src/errors.ts";
import type { Payment } from "../src/roles/facilitate/payments/payment.ts";
import { createPaymentChain } from "../src/roles/facilitate/payments/paymentChain.ts";

const TOKEN = Wallet.createRandom().address;
const [PAYER, RECEIVER, ELSEWHERE] = [1, 2, 3].map((n) => toBeHex(n, 20));
const abi = new Interface([
  "function authorizationState(address, bytes32) view returns (bool)",
  "function balanceOf(address) view returns (uint256)",
  "event AuthorizationUsed(address indexed, bytes32 indexed)",
  "event AuthorizationCanceled(address indexed, bytes32 indexed)",
  "event Transfer(address indexed, address indexed, uint256)",
]);
const NONCE = 77n;
const payment = {
  ...{ method: "transfer", scheme: "exact", payer: PAYER, receiver: RECEIVER },
  ...{ amount: 5n, nonce: NONCE, validUntil: 1_000n, acceptedBlock: 3 },
} as Payment;

type Event = { address: string; topics: string[]; data: string };
const event = (name: string, values: unknown[], address = TOKEN): Event => ({
  ...{ address, ...abi.encodeEventLog(name, values) },
});
const used = (nonce = NONCE) => event("AuthorizationUsed", [PAYER, toBeHex(nonce, 32)]);
const cancelled = event("AuthorizationCanceled", [PAYER, toBeHex(NONCE, 32)]);
const transfer = (to = RECEIVER, amount = 5n, address = TOKEN) =>
  event("Transfer", [PAYER, to, amount], address);

/** A chain whose block 10 has one transaction, of a stranger, with these events. */
function chainWith(parameters: {
  events?: Event[];
  isUsed?: boolean;
  balance?: bigint;
  timestamp?: number;
  head?: number;
  logsFail?: Error;
}) {
  const { balance = 9n, events = [], head = 10, isUsed = true, timestamp = 1 } = parameters;
  const logs = events.map((entry, index) => ({
    ...{ ...entry, index, blockNumber: 10, blockHash: "block", transactionHash: id("stranger") },
  }));
  const values: Record<string, unknown> = { authorizationState: isUsed, balanceOf: balance };
  const provider = {
    async call({ data }: { data: string }) {
      const name = abi.parseTransaction({ data })?.name ?? "";
      const type = name === "balanceOf" ? "uint256" : "bool";
      return AbiCoder.defaultAbiCoder().encode([type], [values[name]]);
    },
    async getLogs({ topics }: { topics: (string | string[] | null)[] }) {
      if (parameters.logsFail !== undefined) throw parameters.logsFail;
      const has = (topic: string | undefined, wanted: string | string[]) =>
        topic !== undefined && [wanted].flat().includes(topic);
      return logs.filter((log) =>
        topics.every((wanted, i) => wanted === null || has(log.topics[i], wanted)),
      );
    },
    getBlock: async () => ({ timestamp }),
    getBlockNumber: async () => head,
    getTransactionReceipt: async () => ({ logs }),
  };
  return createPaymentChain({ provider: provider as never, token: TOKEN, confirmations: 2 });
}
const DEEP = { head: 11 };
const failed = (failure: string) => ({ state: "failed", failure });
const USED = failed("invalid_exact_evm_nonce_already_used");

it("a payment that a stranger submitted has arrived, once that is confirmed", async () => {
  const events = [transfer(ELSEWHERE), used(), transfer()];
  expect(await chainWith({ events, ...DEEP }).explain(payment)).toMatchObject({
    ...{ state: "settled", mined: { hash: id("stranger"), blockNumber: 10 } },
  });
  expect(await chainWith({ events, head: 10 }).explain(payment)).toBeUndefined();
});

const tricks: [string, Event[]][] = [
  [
    "to another account, beside a transfer that another payment made",
    [used(), transfer(ELSEWHERE), used(78n), transfer()],
  ],
  ["of another amount", [used(), transfer(RECEIVER, 4n)]],
  ["by another token that says the same", [used(), transfer(RECEIVER, 5n, ELSEWHERE)]],
  ["for nothing: it was cancelled, and something else paid", [transfer(), cancelled, transfer()]],
  ["before another transfer, which is not its own", [transfer(), used()]],
];
it.each(tricks)("does not count as arrived where its number was used %s", async (_, events) => {
  expect(await chainWith({ events, ...DEEP }).explain(payment)).toEqual(USED);
});

it("is not judged while nothing says by what its number was used, until it is too late for it", async () => {
  const events = [used(78n), transfer()];
  expect(await chainWith({ events, ...DEEP }).explain(payment)).toBeUndefined();
  expect(await chainWith({ events, ...DEEP, timestamp: 1_000 }).explain(payment)).toEqual(USED);
});

it("that can be made no more fails in x402's words", async () => {
  const explain = (state: Parameters<typeof chainWith>[0]) =>
    chainWith({ isUsed: false, ...state }).explain(payment);
  const words = "invalid_exact_evm";
  expect(await explain({ timestamp: 999 })).toEqual(failed(`${words}_transaction_failed`));
  expect(await explain({ timestamp: 1_000 })).toEqual(
    failed(`${words}_payload_authorization_valid_before`),
  );
  expect(await explain({ balance: 4n })).toEqual(failed(`${words}_insufficient_balance`));
});

it("is not judged while the endpoint does not say who used its number", async () => {
  const refusing = Object.assign(new Error("no"), { error: { message: "range too large" } });
  await expect(chainWith({ logsFail: refusing }).explain(payment)).rejects.toBeInstanceOf(
    RefusedByEndpointError,
  );
  const away = chainWith({ logsFail: new Error("connection refused") }).explain(payment);
  await expect(away).rejects.toBeInstanceOf(RetryableError);
  await expect(away).rejects.not.toBeInstanceOf(RefusedByEndpointError);
});

it("is no success of a transaction that did not transfer it, mined or not", async () => {
  const chain = chainWith({ isUsed: false });
  const receipt = (status: number, logs: Event[]) =>
    ({ hash: "0x1", blockNumber: 10, blockHash: "block", gasUsed: 1n, status, logs }) as never;
  expect(await chain.judge(payment, receipt(1, [used(), transfer()]))).toMatchObject({
    ...{ state: "settled", mined: { hash: "0x1" } },
  });
  expect(await chain.judge(payment, receipt(1, [transfer(ELSEWHERE)]))).toMatchObject(
    failed("invalid_exact_evm_transfer_event_mismatch"),
  );
  expect(await chain.judge(payment, receipt(0, []))).toMatchObject({
    ...failed("invalid_exact_evm_transaction_failed"),
    mined: { hash: "0x1" },
  });
});

it("into the public escrow has arrived where its operator says so of this job, whoever has opened it", async () => {
  const job = {
    payment: {
      ...{ operator: ELSEWHERE, payer: PAYER, receiver: ELSEWHERE, token: TOKEN, maxAmount: 5n },
      ...{ preApprovalExpiry: 1_000n, authorizationExpiry: 9_000n, refundExpiry: 9_000n },
      ...{ minFeeBps: 0n, maxFeeBps: 0n, feeReceiver: RECEIVER, salt: 8n },
    },
    ...{ requestHash: id("request"), saltNonce: 9n },
  };
  const values = [job, RECEIVER, "0x"];
  const data = operatorInterface.encodeFunctionData("open", values);
  const rest = { scheme: "auth-capture", to: ELSEWHERE, data };
  const commerce = { ...payment, ...rest } as Payment;
  const opening = (change: object = {}, address = String(ELSEWHERE)): Event => {
    const opened = { ...job, payment: { ...job.payment, ...change } };
    const logged = [id("payment"), PAYER, job.requestHash, opened];
    return { address, ...operatorInterface.encodeEventLog("JobOpened", logged) };
  };
  const explain = (events: Event[], timestamp = 1) =>
    chainWith({ events, timestamp, ...DEEP }).explain(commerce);
  expect(await explain([opening({ salt: 7n }), opening()])).toMatchObject({
    ...{ state: "settled", mined: { hash: id("stranger"), blockNumber: 10 } },
  });
  expect(await chainWith({ events: [opening()] }).explain(commerce)).toBeUndefined();
  // Used for nothing, or the log is late: as long as something could open it, nobody is told.
  for (const others of [[], [opening({ salt: 7n })], [opening({}, TOKEN)], [used(), transfer()]]) {
    expect(await explain(others)).toBeUndefined();
    expect(await explain(others, 1_000)).toEqual(USED);
  }
  const receipt = (logs: Event[]) =>
    ({ hash: "0x1", blockNumber: 10, blockHash: "block", gasUsed: 1n, status: 1, logs }) as never;
  expect(await chainWith({}).judge(commerce, receipt([opening()]))).toMatchObject({
    ...{ state: "settled", mined: { hash: "0x1" } },
  });
  // Tokens that went where they should are not all of it.
  expect(await chainWith({}).judge(commerce, receipt([transfer()]))).toMatchObject({
    state: "failed",
  });
});
