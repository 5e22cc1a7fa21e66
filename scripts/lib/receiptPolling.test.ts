import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type AbstractProvider,
  id,
  JsonRpcProvider,
  TransactionResponse,
  ZeroAddress,
} from "ethers";
import { expect, it, onTestFinished } from "vitest";
import { pollReceipts } from "./receiptPolling.ts";

const HASH = id("transaction");
const BLOCK = "0x7";
const RECEIPT = {
  ...{ transactionHash: HASH, blockHash: id("block"), blockNumber: BLOCK, transactionIndex: "0x0" },
  ...{ from: ZeroAddress, to: ZeroAddress, contractAddress: null, type: "0x2", status: "0x1" },
  ...{ gasUsed: "0x1", cumulativeGasUsed: "0x1", effectiveGasPrice: "0x1", logs: [] },
  logsBloom: `0x${"00".repeat(256)}`,
};

/** A chain that mines the transaction when its receipt was looked for twice, and nothing after it. */
async function minesBetweenTwoLooks(): Promise<JsonRpcProvider> {
  const asked: string[] = [];
  const answerTo = (method: string): unknown => {
    asked.push(method);
    if (method === "eth_blockNumber") return BLOCK;
    const looks = asked.filter((one) => one === "eth_getTransactionReceipt").length;
    return looks > 2 ? RECEIPT : null;
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { id, method } = JSON.parse(Buffer.concat(chunks).toString());
    response.end(JSON.stringify({ jsonrpc: "2.0", id, result: answerTo(method) }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const provider = new JsonRpcProvider(`http://127.0.0.1:${port}`, 31337, {
    ...{ staticNetwork: true, cacheTimeout: -1, batchMaxCount: 1 },
  });
  provider.pollingInterval = 20;
  onTestFinished(() => {
    provider.destroy();
    server.closeAllConnections();
    server.close();
  });
  return provider;
}

const sent = (provider: AbstractProvider): TransactionResponse =>
  new TransactionResponse(
    {
      ...{ hash: HASH, blockNumber: null, blockHash: null, index: 0, type: 2, chainId: 31337n },
      ...{ from: ZeroAddress, to: ZeroAddress, nonce: 0, gasLimit: 1n, gasPrice: 1n, value: 0n },
      ...{ maxFeePerGas: 1n, maxPriorityFeePerGas: 1n, data: "0x", accessList: null },
      authorizationList: null,
      ...{ signature: { r: id("r"), s: `0x${"01".padStart(64, "0")}`, v: 27 } as never },
    },
    provider,
  );

it("a transaction that was mined between two looks, on a chain that mines nothing more, is waited for no longer", async () => {
  const provider = await minesBetweenTwoLooks();
  pollReceipts(provider, 20);
  expect(await sent(provider).wait()).toMatchObject({ hash: HASH, blockNumber: 7 });
});
