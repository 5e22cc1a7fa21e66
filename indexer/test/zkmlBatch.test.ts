import { join } from "node:path";
import { inferenceSettlementAbi } from "@haca/protocol/abi";
import { encodeZkmlBatch, ZKML_BATCH_TYPES } from "@haca/protocol/zkmlBatch";
import { encodeFunctionData, type Hex, keccak256 } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Contracts, deployContracts } from "./utils/deployContracts.ts";
import { messengerCode } from "./utils/messengerCode.ts";
import { type Chain, startChain } from "./utils/startChain.ts";
import { type Indexer, startIndexer } from "./utils/startIndexer.ts";
import { temporaryFolder } from "./utils/temporaryFolder.ts";
import { addressOf } from "./utils/writeBook.ts";

/** The chain's second account, which signs for batches that others send. */
const NODE = mnemonicToAccount("test test test test test test test test test test test junk", {
  addressIndex: 1,
});
/** Calldata that has no batch in it. */
const NOTHING = "0x";

const folder = temporaryFolder();
let chain: Chain;
let contracts: Contracts;
let indexer: Indexer;

type Inference = ReturnType<Contracts["prove"]>;

const prove = (nonce: bigint, label: bigint) =>
  contracts.prove({ nonce, label, node: NODE.address });

/** A call of `settleZkmlBatch`, with the node's signature if it is not the node that sends. */
async function callOf(inferences: readonly Inference[], isRelayed: boolean): Promise<Hex> {
  const items = encodeZkmlBatch(
    inferences.map(({ event, words, proof }) => ({
      nonce: BigInt(event.requestId) & (2n ** 96n - 1n),
      ...{ requester: event.requester, price: event.price, timestamp: event.timestamp },
      ...{ proof, words },
    })),
  ) as Hex;
  const modelVersion = contracts.versionId(1, 0);
  const { name, version, verifyingContract } = contracts.domain;
  const signature = await NODE.signTypedData({
    domain: {
      ...{ name: name as string, version: version as string, chainId: chain.client.chain.id },
      verifyingContract: verifyingContract as Hex,
    },
    types: ZKML_BATCH_TYPES,
    primaryType: "ZkmlBatch",
    message: { modelVersion, node: NODE.address, itemsHash: keccak256(items) },
  });
  return encodeFunctionData({
    abi: inferenceSettlementAbi,
    functionName: "settleZkmlBatch",
    args: [modelVersion, NODE.address, items, isRelayed ? signature : "0x"],
  });
}

/** Settles through a contract of its own, which is called with `calldata`. */
async function settleThrough(inferences: readonly Inference[], calldata: Hex): Promise<void> {
  const target = addressOf(contracts.deployed.inferenceSettlement);
  const data = await callOf(inferences, true);
  const { contractAddress } = await chain.send({ data: messengerCode({ target, data }) });
  await chain.send({ to: contractAddress as Hex, data: calldata });
}

beforeAll(async () => {
  chain = await startChain();
  const deployment = join(folder.path, "book.json");
  contracts = await deployContracts({ chain, path: deployment });
  await contracts.publish(1, 0);
  const settlement = addressOf(contracts.deployed.inferenceSettlement);
  await chain.send({
    ...{ from: NODE.address, to: settlement },
    data: await callOf([prove(0n, 3n), prove(1n, 4n)], false),
  });
  await settleThrough([prove(2n, 5n), prove(3n, 6n)], NOTHING);
  // The same requests with other words, in calldata that the contract does not look at.
  await settleThrough([prove(4n, 7n), prove(5n, 8n)], await callOf([prove(4n, 1n)], true));
  indexer = await startIndexer({ rpcUrl: chain.rpcUrl, deployment, dataDirectory: folder.path });
  await indexer.indexed(await chain.client.getBlockNumber());
});

afterAll(async () => {
  await indexer?.stop();
  await chain?.stop();
  folder.remove();
});

const rowsOf = (nonces: readonly [number, number]) =>
  indexer.sql(
    `select nonce::int, verification, batched, verified, state, requester, input_hash, output_hash, words, label,
       price::text, timestamp::text, transaction_hash
     from settlement where nonce between ${nonces[0]} and ${nonces[1]} order by nonce`,
  );

/** What the row of an inference has to say, wherever its batch came from. */
const expected = (nonce: number, label: bigint) => {
  const { event } = prove(BigInt(nonce), label);
  return {
    ...{ nonce, verification: "zkml", batched: true, verified: true, state: "settled" },
    ...{ requester: event.requester, input_hash: event.inputHash, output_hash: event.outputHash },
    ...{ price: String(event.price), timestamp: String(event.timestamp) },
  };
};

test("a batch that was sent to the settlement has its words", async () => {
  const words = (nonce: bigint, label: bigint) => prove(nonce, label).words.map(String);
  expect(await rowsOf([0, 1])).toMatchObject([
    { ...expected(0, 3n), words: words(0n, 3n), label: 3 },
    { ...expected(1, 4n), words: words(1n, 4n), label: 4 },
  ]);
});

test("a batch that a contract sent has all but its words", async () => {
  expect(await rowsOf([2, 3])).toMatchObject([
    { ...expected(2, 5n), words: [], label: null },
    { ...expected(3, 6n), words: [], label: null },
  ]);
});

test("calldata that looks like another batch changes nothing", async () => {
  expect(await rowsOf([4, 5])).toMatchObject([
    { ...expected(4, 7n), words: [], label: null },
    { ...expected(5, 8n), words: [], label: null },
  ]);
});
