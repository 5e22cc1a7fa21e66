import {
  deploySettlement,
  type Inference,
  type SettlementFixture,
  SIGNAL_COUNT,
} from "../utils/settlementFixture.ts";
import { itemsOf, makeInferences } from "../utils/zkmlBatch.ts";
import { gasOf, MEASUREMENT_TIME, type Measure } from "./measurement.ts";

/** EIP-7825: the most gas that a transaction may have. */
const TRANSACTION_LIMIT = 2n ** 24n;
const SIZES = [32, 128];
/** Words more than the digits model has, whose price a signal's is taken from. */
const EXTRA_WORDS = 16;

/**
 * Batches of proofs of the digits model's shape, sent by the node. Only the gas of a batch of the largest size is looked
 * for, by the prices of the two others: the pairing and everything else are linear in the number of proofs.
 */
export const measureZkmlBatch: Measure = async (connection) => {
  await connection.networkHelpers.time.increaseTo(MEASUREMENT_TIME);
  const fixture = await deploySettlement(connection);
  const wide = await deploySettlement(connection, { inputWords: 2 + EXTRA_WORDS });
  const samples: Record<string, bigint[]> = {};
  const settled: bigint[] = [];
  let page = 0n;
  for (const count of SIZES) {
    // One request of the page was settled before: the word is not zero, as with single settlements.
    await settle(fixture, { count: 1, first: 256n * page });
    const gas = await settle(fixture, { count, first: 256n * page + 1n });
    await settle(wide, { count: 1, first: 256n * page });
    const wideGas = await settle(wide, { count, first: 256n * page + 1n });
    page++;
    settled.push(gas);
    samples[`settle.batch${count}.perProof`] = [gas / BigInt(count)];
    samples[`settle.batch${count}.extraSignal.perProof`] = [
      (wideGas - gas) / BigInt(count * EXTRA_WORDS),
    ];
  }
  const [small = 0n, large = 0n] = settled;
  const perProof = (large - small) / BigInt((SIZES[1] as number) - (SIZES[0] as number));
  let most = (TRANSACTION_LIMIT - (large - BigInt(SIZES[1] as number) * perProof)) / perProof;
  // Made once, for the largest try: a proof takes longer than what is tried with it.
  const inferences = makeInferences({
    ...{ fixture, count: Number(most), first: 256n * (page + 1n) },
    timestamp: MEASUREMENT_TIME,
  });
  while (!(await fits(fixture, inferences.slice(0, Number(most))))) most--;
  samples["settle.batchMax.count"] = [most];
  samples["settle.extraSignal.perProof"] = samples["settle.batch128.extraSignal.perProof"] ?? [];
  return {
    samples,
    notes: {
      "settle.batch32.perProof": `32 proofs, ${SIGNAL_COUNT} public signals, sent by the node`,
      "settle.batch128.perProof": "the same with 128 proofs",
      "settle.batch32.extraSignal.perProof": "one more public signal in each of 32 proofs",
      "settle.batch128.extraSignal.perProof": "the same with 128 proofs",
      "settle.extraSignal.perProof": "the same",
      "settle.batchMax.count": "most proofs in a transaction of 2^24 gas: a number, not gas",
    },
  };
};

async function settle(
  fixture: SettlementFixture,
  { count, first }: { count: number; first: bigint },
): Promise<bigint> {
  return settleAll(fixture, makeInferences({ fixture, count, first, timestamp: MEASUREMENT_TIME }));
}

async function settleAll(
  fixture: SettlementFixture,
  inferences: readonly Inference[],
): Promise<bigint> {
  const { settlement, node, versionId } = fixture;
  return gasOf(
    settlement.connect(node).settleZkmlBatch(versionId, node.address, itemsOf(inferences), "0x", {
      gasLimit: TRANSACTION_LIMIT,
    }),
  );
}

const fits = (fixture: SettlementFixture, inferences: readonly Inference[]): Promise<boolean> =>
  settleAll(fixture, inferences).then(
    () => true,
    () => false,
  );
