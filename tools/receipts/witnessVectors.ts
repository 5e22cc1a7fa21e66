import { join } from "node:path";
import { settledDigest } from "@haca/sdk/chain/contractReads";
import { openChain } from "@haca/sdk/chain/openChain";
import { placeOf } from "@haca/sdk/page";
import { appendEvidence } from "@haca/sdk/receipt/makeReceipt";
import type { Receipt, WitnessEvidence } from "@haca/sdk/receipt/receipt";
import { makeWitness } from "@haca/sdk/witness/makeWitness";
import {
  entriesAt,
  placeIn,
  type StorageLayout,
  type StoragePlace,
  slotIn,
} from "@haca/sdk/witness/storageLayout";
import { concat, id, JsonRpcProvider, keccak256, toBeHex } from "ethers";
import { compiledContract } from "../../scripts/deploy/compiled/compiledContract.ts";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import { Child } from "../../worker/test/support/processes.ts";

const REGISTRY = `0x${"4e".repeat(20)}`;
const RECORD = `0x${"4c".repeat(20)}`;
const OPERATOR = `0x${"0b".repeat(20)}`;
const WRITER = `0x${"9a".repeat(20)}`;
/** As the registry counts: enabled. */
const ENABLED = 1n;
const TEE = 2n;
const DAY = 86_400n;
/** Accounts and slots besides, so that tries have branches. */
const OTHERS = 40;

const word = (value: bigint): string => toBeHex(value, 32);

export type WitnessVectors = {
  witnessed: Receipt;
  witness: WitnessEvidence;
  layout: StorageLayout;
  blockHash: string;
};

/** Layouts of the contracts whose storage a witness shows, as the compiler gives them. */
export async function compiledLayout(): Promise<StorageLayout> {
  const of = async (
    name: "InferenceSettlement" | "TEERegistry",
  ): Promise<readonly StoragePlace[]> => {
    const { storage } = await compiledContract(name);
    if (storage === undefined) throw new Error(`${name} was compiled without its storage layout`);
    return storage;
  };
  return { settlement: await of("InferenceSettlement"), teeRegistry: await of("TEERegistry") };
}

/**
 * An enclave's receipt with a witness of a local chain, whose storage is written as if the enclave had been admitted and the result
 * settled.
 */
export async function witnessVectors(parameters: {
  receipt: Receipt;
  measurement: string;
  now: bigint;
}): Promise<WitnessVectors> {
  const { measurement, now, receipt } = parameters;
  const { core } = receipt;
  const layout = await compiledLayout();
  const anvil = new Child({
    command: join(PROJECT_ROOT, "node_modules/.bin/anvil"),
    args: ["--port", "0", "--hardfork", "osaka", "--timestamp", String(now - 30n)],
  });
  try {
    const address = await anvil.waitForLine((line) => /^Listening on (\S+)/.exec(line)?.[1]);
    const url = `http://${address}`;
    const provider = new JsonRpcProvider(url, undefined, { batchMaxCount: 1 });
    const put = (contract: string, slot: bigint, value: bigint) =>
      provider.send("anvil_setStorageAt", [contract, word(slot), word(value)]);
    for (const [contract, slot, value] of writes({ receipt, layout, measurement, now })) {
      await put(contract, slot, value);
    }
    for (let other = 0; other < OTHERS; other += 1) {
      const number = BigInt(id(`other ${other}`));
      await put(core.settlement, number, 1n);
      await put(REGISTRY, number, number);
      await put(toBeHex(number >> 96n, 20), 0n, 1n);
    }
    await provider.send("anvil_setCode", [RECORD, recordOf(measurement)]);
    await provider.send("evm_mine", []);
    const { block } = await openChain({ rpcs: [url], chainId: core.chainId });
    const witness = await makeWitness({ rpc: url, block, core, layout });
    provider.destroy();
    const witnessed = appendEvidence(receipt, witness);
    return { witnessed, witness, layout, blockHash: block.hash };
  } finally {
    await anvil.stop("SIGKILL");
  }
}

/** A node's record as the registry keeps it: behind a byte, an identity, and what follows it. */
const recordOf = (measurement: string): string =>
  concat([
    "0x00",
    measurement,
    id("signer"),
    OPERATOR,
    "0x00",
    "0x00000001",
    toBeHex(0n, 5),
    "0xaa",
  ]);

/** What stands in the contracts' storage, word by word. */
function writes(parameters: {
  receipt: Receipt;
  layout: StorageLayout;
  measurement: string;
  now: bigint;
}): [contract: string, slot: bigint, value: bigint][] {
  const { layout, measurement, now, receipt } = parameters;
  const { core } = receipt;
  const { requestId, teeId } = core.message;
  const { index, ledgerPage } = placeOf(requestId);
  const typeOf = (places: readonly StoragePlace[], name: string): string =>
    places.find((place) => place.name === name)?.type ?? "";
  const ledger = (name: string) =>
    placeIn(layout.settlement, name, typeOf(layout.settlement, name));
  const of = (name: string) => placeIn(layout.teeRegistry, name, typeOf(layout.teeRegistry, name));
  const shifted = (value: bigint, { offset }: { offset: bigint }): bigint => value << (8n * offset);
  const struct = (name: string, values: Readonly<Record<string, bigint>>): Map<bigint, bigint> => {
    const words = new Map<bigint, bigint>();
    for (const [field, value] of Object.entries(values)) {
      const place = of(`${name}.${field}`);
      words.set(place.slot, (words.get(place.slot) ?? 0n) | shifted(value, place));
    }
    return words;
  };
  const node = slotIn(of("_nodes").slot, teeId);
  const nodeWords = struct("ITEERegistryTypes.Node", {
    ...{ operator: BigInt(OPERATOR), teeType: 0n, status: ENABLED, imageGeneration: 1n },
    ...{ registeredAt: now - DAY, record: BigInt(RECORD), attestedAt: now - DAY },
  });
  const approval = slotIn(
    of("_approvals").slot,
    ...[keccak256(concat([measurement, word(0n), word(0n)])), word(1n)],
  );
  const approvalWords = struct("TEEImages.Approval", { approvedAt: now - 2n * DAY });
  const terms = slotIn(of("_terms").slot, word(0n));
  const termWords = struct("TEENodes.Term", { verifier: BigInt(WRITER), from: now - 3n * DAY });
  const link = ledger("teeRegistry");
  const settledAs = BigInt(settledDigest(TEE, core));
  const all = (base: bigint, words: Map<bigint, bigint>): [string, bigint, bigint][] =>
    [...words].map(([slot, value]) => [REGISTRY, base + slot, value]);
  return [
    [core.settlement, link.slot, shifted(BigInt(REGISTRY), link)],
    [core.settlement, slotIn(ledger("_pages").slot, word(ledgerPage)), 1n << BigInt(index)],
    [core.settlement, ledger("_writers").slot, 1n],
    [core.settlement, entriesAt(ledger("_writers").slot), BigInt(WRITER)],
    [core.settlement, slotIn(ledger("digestOf").slot, requestId), settledAs],
    ...all(node, nodeWords),
    ...all(approval, approvalWords),
    [REGISTRY, terms, 1n],
    ...all(entriesAt(terms), termWords),
  ];
}
