import {
  deploySettlement,
  type Inference,
  makeInference,
  signResult,
} from "../utils/settlementFixture.ts";
import { gasOf, MEASUREMENT_TIME, type Measure } from "./measurement.ts";

const SAMPLES = 8;

/** Single ZKML settlements of the digits model's shape: 2 input words, 1 output word, random 248-bit words. */
export const measureSettlement: Measure = async (connection) => {
  await connection.networkHelpers.time.increaseTo(MEASUREMENT_TIME);
  const fixture = await deploySettlement(connection);
  const { settlement, node, relayer, domain } = fixture;
  const infer = (nonce: bigint, price = 0n): Inference =>
    makeInference({
      ...{ ...fixture, node: node.address, nonce, timestamp: MEASUREMENT_TIME },
      overrides: { requester: relayer.address, price },
    });
  const settle = ({ result, words, proof }: Inference) =>
    gasOf(settlement.connect(node).settleZkml(result, words, proof, "0x"));

  const samples: Record<string, bigint[]> = {
    "settle.single": [],
    "settle.single.firstInSlot": [],
    "settle.single.byRelayer": [],
    "settle.single.priced": [],
    "settle.single.replayed": [],
  };
  for (let page = 0n; page < BigInt(SAMPLES); page++) {
    const first = 256n * page;
    samples["settle.single.firstInSlot"]?.push(await settle(infer(first)));
    samples["settle.single"]?.push(await settle(infer(first + 1n)));
    const relayed = infer(first + 2n);
    const signature = await signResult({ signer: node, domain, result: relayed.result });
    samples["settle.single.byRelayer"]?.push(
      await gasOf(
        settlement
          .connect(relayer)
          .settleZkml(relayed.result, relayed.words, relayed.proof, signature),
      ),
    );
    samples["settle.single.priced"]?.push(
      await settle(infer(first + 3n, 1_234_567_890_123_456_789n)),
    );
    samples["settle.single.replayed"]?.push(await gasOfReverted(fixture, relayed));
  }
  return {
    samples,
    notes: {
      "settle.single": "one proof, 4 public signals, sent by the node, its bitmap word not zero",
      "settle.single.firstInSlot": "the same for the first of 256 nonces: the word was zero",
      "settle.single.byRelayer": "the same, sent by somebody else with the node's signature",
      "settle.single.priced": "a result with a price: its digest is kept for whoever pays",
      "settle.single.replayed": "a second settlement of the same request: reverts",
    },
  };
};

async function gasOfReverted(
  fixture: Awaited<ReturnType<typeof deploySettlement>>,
  { result, words, proof }: Inference,
): Promise<bigint> {
  const { settlement, node, ethers } = fixture;
  const data = settlement.interface.encodeFunctionData("settleZkml", [result, words, proof, "0x"]);
  const response = await node
    .sendTransaction({
      to: await settlement.getAddress(),
      data,
      gasLimit: 1_000_000n,
    })
    .catch((error: { transactionHash?: string }) => error.transactionHash);
  const hash = typeof response === "object" ? response.hash : response;
  const receipt = hash === undefined ? null : await ethers.provider.getTransactionReceipt(hash);
  if (receipt?.status !== 0) throw new Error("the replay did not revert");
  return receipt.gasUsed;
}
