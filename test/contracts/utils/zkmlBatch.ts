import { encodeZkmlBatch, ZKML_BATCH_TYPES, type ZkmlBatchItem } from "@haca/protocol/zkmlBatch";
import { keccak256, type Signer } from "ethers";
import { type Inference, makeInference, type SettlementFixture } from "./settlementFixture.ts";

/** An inference as an item of a batch. */
export const toItem = ({ result, words, proof }: Inference): ZkmlBatchItem => ({
  nonce: BigInt(result.requestId) & ((1n << 96n) - 1n),
  requester: result.requester,
  price: result.price,
  timestamp: result.timestamp,
  ...{ proof, words },
});

/** Honest inferences of the fixture's node, with the nonces from `first` on. */
export const makeInferences = (parameters: {
  fixture: SettlementFixture;
  count: number;
  timestamp: bigint;
  first?: bigint;
  overrides?: Parameters<typeof makeInference>[0]["overrides"];
}): Inference[] => {
  const { fixture, count, timestamp, first = 0n, overrides } = parameters;
  return Array.from({ length: count }, (_, index) =>
    makeInference({
      ...{ ...fixture, node: fixture.node.address, nonce: first + BigInt(index), timestamp },
      ...(overrides === undefined ? {} : { overrides }),
    }),
  );
};

export const itemsOf = (inferences: readonly Inference[]): string =>
  encodeZkmlBatch(inferences.map(toItem));

/** A node's signature over a batch. */
export const signBatch = (parameters: {
  fixture: SettlementFixture;
  signer: Signer;
  items: string;
  overrides?: Partial<{ modelVersion: string; node: string; itemsHash: string }>;
}): Promise<string> => {
  const { fixture, signer, items, overrides } = parameters;
  return signer.signTypedData(fixture.domain, ZKML_BATCH_TYPES, {
    modelVersion: fixture.versionId,
    node: fixture.node.address,
    itemsHash: keccak256(items),
    ...overrides,
  });
};
