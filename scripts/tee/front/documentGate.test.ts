import { measurementsOf } from "@haca/enclave-simulator/measurementsOf";
import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import {
  type RunningEnclave,
  startSimulatedEnclave,
} from "@haca/enclave-simulator/startSimulatedEnclave";
import { gasLimitFor } from "@haca/protocol/gasLimit";
import { sha256 } from "ethers";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { DocumentGate, type GateContext } from "./documentGate.ts";

const NONCE = `0x${"5a".repeat(20)}`;
const GAS = 1_000_000n;
const PRICE = 10n;
/** What the gate puts aside for a verification: gas with its margin, at the price that it offers. */
const WORST = gasLimitFor(GAS) * PRICE;
const UNKNOWN_NODE = Object.assign(new Error("reverted"), { data: "0x12345678" });

const now = BigInt(Math.floor(Date.now() / 1000));
const chain = makeSimulatedChain({ now });
const enclave = new SimulatedEnclave({
  ...{ chain, measurements: measurementsOf("gate"), kind: "secp256k1", now },
});
let running: RunningEnclave;
beforeAll(async () => {
  running = await startSimulatedEnclave({ enclave, port: 0, publicPort: 0, clock: () => now });
});
afterAll(() => running.close());

/** A chain in words: what it is told, and what it answers. */
type World = {
  sent: number;
  estimated: number;
  balance: bigint;
  isRegistered: boolean;
  isApproved: boolean;
  mined: () => Promise<{ fee: bigint; gasUsed: bigint }>;
  beforeSending: () => void;
  deadline: AbortController;
  log: string[];
  onLog: () => void;
};
let world: World;
beforeEach(() => {
  world = {
    ...{ sent: 0, estimated: 0, balance: 10n ** 18n, isRegistered: false, isApproved: true },
    mined: async () => {
      world.balance -= 3n;
      return { fee: 2n, gasUsed: GAS };
    },
    beforeSending: () => undefined,
    deadline: new AbortController(),
    log: [],
    onLog: () => undefined,
  };
});

const gateWith = (budget: bigint): DocumentGate => {
  const context = {
    contracts: {
      registry: {
        nodeOf: async () => {
          if (!world.isRegistered) throw UNKNOWN_NODE;
        },
        getTEETypes: async () => [[0n, 1n], []],
        isImageApproved: async (_: string, type: bigint) => world.isApproved && type === 1n,
      },
    },
    rootFingerprint: sha256(chain.root),
    store: { isStored: async () => false },
    verifier: {
      verify: {
        estimateGas: async () => {
          world.estimated += 1;
          return GAS;
        },
        send: async () => {
          world.sent += 1;
          return { hash: "0x12", wait: () => world.mined() };
        },
      },
    },
    provider: {
      getBlock: async () => ({ timestamp: Number(now) }),
      getFeeData: async () => ({ maxFeePerGas: PRICE, maxPriorityFeePerGas: 1n, gasPrice: PRICE }),
      getBalance: async () => {
        world.beforeSending();
        return world.balance;
      },
    },
    account: "0x",
    enclave: running.publicUrl,
    budget,
    deadline: () => world.deadline.signal,
    log: (line: string) => {
      world.log.push(line);
      world.onLog();
    },
  };
  return new DocumentGate(context as unknown as GateContext);
};

it("gives a document when its verification is mined, and counts what that cost", async () => {
  const gate = gateWith(WORST + 5n);
  expect((await gate.open(NONCE)).length).toBeGreaterThan(1000);
  // 3 gone from the balance: a rollup takes more than the receipt's fee.
  expect(world.log).toEqual([
    expect.stringMatching(/^verified {5}0x12, gas 1,000,000; 0\.0+3 of /),
  ]);
  await gate.open(NONCE);
  // 6 of the 5 beyond the reserve are spent by now.
  await expect(gate.open(NONCE)).rejects.toMatchObject({ code: "front.budgetSpent", status: 503 });
  expect(world.sent).toBe(2);
});

it("gives no document whose verification reverts, and counts it as spent", async () => {
  const gate = gateWith(2n * WORST - 1n);
  world.mined = () => Promise.reject(new Error("reverted on http://internal:8545"));
  await expect(gate.open(NONCE)).rejects.toMatchObject({
    ...{ status: 502, message: "the document could not be verified: the front's log says why" },
  });
  expect(world.log.join()).toContain("http://internal:8545");
  await expect(gate.open(NONCE)).rejects.toMatchObject({ code: "front.budgetSpent" });
  expect(world.sent).toBe(1);
});

it("gives up on time where the transaction waits, and sends no other before that is mined", async () => {
  const gate = gateWith(10n * WORST);
  let mine = (): void => undefined;
  const waiting = new Promise<void>((isWaiting) => {
    world.mined = () =>
      new Promise((resolve) => {
        mine = () => resolve({ fee: 2n, gasUsed: GAS });
        isWaiting();
      });
  });
  const late = gate.open(NONCE);
  await waiting;
  world.deadline.abort();
  await expect(late).rejects.toMatchObject({ code: "front.late", status: 504 });
  await expect(gate.open(NONCE)).rejects.toMatchObject({ code: "front.busy", status: 503 });
  expect(world.sent).toBe(1);
  const isVerified = new Promise<void>((resolve) => {
    world.onLog = () => resolve();
  });
  mine();
  await isVerified;
  await new Promise((resolve) => setImmediate(resolve));
  expect(world.log.at(-1)).toMatch(/^verified/);
  world.deadline = new AbortController();
  world.mined = async () => ({ fee: 2n, gasUsed: GAS });
  expect((await gate.open(NONCE)).length).toBeGreaterThan(1000);
});

it("sends nothing that nobody waits for any more", async () => {
  const gate = gateWith(10n * WORST);
  world.beforeSending = () => world.deadline.abort();
  await expect(gate.open(NONCE)).rejects.toMatchObject({ code: "front.late" });
  expect(world.sent).toBe(0);
});

it("gives a registered node's document without a transaction", async () => {
  world.isRegistered = true;
  expect((await gateWith(0n + 1n).open(NONCE)).length).toBeGreaterThan(1000);
  expect([world.sent, world.estimated]).toEqual([0, 0]);
});

it("asks the chain for no gas where the image is not approved", async () => {
  world.isApproved = false;
  await expect(gateWith(10n * WORST).open(NONCE)).rejects.toMatchObject({
    ...{ code: "front.notApproved", status: 409 },
  });
  expect([world.sent, world.estimated]).toEqual([0, 0]);
});
