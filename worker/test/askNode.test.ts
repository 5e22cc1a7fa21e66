import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Address, Hex } from "viem";
import { createPublicClient, createWalletClient, http, zeroAddress } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { foundry } from "viem/chains";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { askNode, findSettlement, isProven, settleReceipt } from "../../examples/askNode.ts";
import { checkReceipt, type Receipt, receiptSchema, type Trusted } from "../../examples/receipt.ts";
import { jobIn } from "./support/client.ts";
import { digit, label } from "./support/digits.ts";
import { developmentKey } from "./support/localChain.ts";
import { waitFor } from "./support/processes.ts";
import { temporaryFolder } from "./support/temporaryFolder.ts";
import { Testbed } from "./support/testbed.ts";

const CONSUMER = join(
  import.meta.dirname,
  "../../artifacts/test/contracts/examples/Examples.sol/ExampleInferenceConsumer.json",
);
const asker = privateKeyToAccount(developmentKey(9) as Hex);
const question = { input: digit(0), requester: asker.address, highestPrice: 0n };

/** What a client would know of a deployment. */
function trustedIn(testbed: Testbed, account: number): Trusted {
  const { contracts, models } = testbed.chain.book;
  return {
    client: createPublicClient({ chain: foundry, transport: http(testbed.chain.url) }),
    chainId: 31337n,
    settlement: contracts.InferenceSettlement.address as Address,
    modelRegistry: contracts.ModelRegistry.address as Address,
    node: privateKeyToAccount(developmentKey(account) as Hex).address,
    modelVersion: models.at(-1)?.versionId as Hex,
  };
}

const walletOn = ({ chain }: Testbed) =>
  createWalletClient({ account: asker, chain: foundry, transport: http(chain.url) });

describe("the caller of docs/integrating.md", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.start();
  });
  afterAll(() => testbed.stop());

  it("keeps and checks the receipt, and sees it settled by a proof", async () => {
    const settings = await testbed.settings({ account: 1 });
    const url = await testbed.worker(settings).url();
    const trusted = trustedIn(testbed, 1);
    const receiptFile = join(temporaryFolder(), "receipt.json");
    const answer = await askNode({ url, model: "digits", question, trusted, receiptFile });
    const { outputs, receipt, askedAtBlock } = answer;
    expect(outputs[1]).toEqual([label(0)]);
    expect(receiptSchema.parse(JSON.parse(readFileSync(receiptFile, "utf8")))).toEqual(receipt);

    const find = (confirmations: bigint) =>
      findSettlement({ receipt, trusted, askedAtBlock, confirmations });
    const settlement = await waitFor(() => find(1n));
    expect(isProven(settlement)).toBe(true);
    expect(await find(1_000n)).toBeUndefined();
    const lie = { ...receipt, message: { ...receipt.message, price: 1n } };
    await expect(
      findSettlement({ receipt: lie, trusted, askedAtBlock, confirmations: 1n }),
    ).rejects.toThrow("was settled with another result");
  });

  it("settles in the node's place", async () => {
    const settings = await testbed.settings({ account: 2 });
    const url = await testbed.worker(settings, ["infer", "prove"]).url();
    const trusted = trustedIn(testbed, 2);
    const receiptFile = join(temporaryFolder(), "receipt.json");
    const { receipt, askedAtBlock } = await askNode({
      ...{ url, model: "digits", question, trusted, receiptFile },
    });
    await jobIn(url, receipt.message.requestId, "proven");
    const wallet = walletOn(testbed);
    const hash = await settleReceipt({ url, receipt, trusted, wallet });
    await trusted.client.waitForTransactionReceipt({ hash: hash ?? "0x" });
    const settlement = await findSettlement({ receipt, trusted, askedAtBlock, confirmations: 1n });
    expect(settlement).toMatchObject({ verification: 1 });
    await expect(settleReceipt({ url, receipt, trusted, wallet })).rejects.toThrow(
      "InferenceSettlement_AlreadySettled",
    );
  });

  it("brings a proven answer to the example contract, whoever settled it", async () => {
    const settings = await testbed.settings({ account: 4 });
    const url = await testbed.worker(settings).url();
    const trusted = trustedIn(testbed, 4);
    const { client, modelVersion, settlement } = trusted;
    const wallet = walletOn(testbed);
    const { abi, bytecode } = JSON.parse(readFileSync(CONSUMER, "utf8"));
    const mined = async (hash: Hex) => await client.waitForTransactionReceipt({ hash });
    const creation = { abi, bytecode, args: [settlement, zeroAddress, modelVersion, 3_600n] };
    const { contractAddress } = await mined(await wallet.deployContract(creation));
    const consumer = { abi, address: contractAddress ?? zeroAddress };
    const receiptFile = join(temporaryFolder(), "receipt.json");
    const ask = () => askNode({ url, model: "digits", question, trusted, receiptFile });

    const { inputHash } = (await ask()).receipt.message;
    await mined(
      await wallet.writeContract({ ...consumer, functionName: "ask", args: [inputHash] }),
    );
    const { receipt } = await ask();
    const { message, inputWords, outputWords, signature } = receipt;
    const { proof } = await jobIn(url, message.requestId, "settled");
    const args = [message, [...inputWords, ...outputWords], proof, signature];
    await mined(await wallet.writeContract({ ...consumer, functionName: "accept", args }));
    const labels = { ...consumer, functionName: "labels", args: [asker.address] };
    expect(await client.readContract(labels)).toBe(BigInt(label(0)));
  });

  it("refuses a receipt for anything but what was asked", async () => {
    const settings = await testbed.settings({ account: 3 });
    const url = await testbed.worker(settings, ["infer"]).url();
    const trusted = trustedIn(testbed, 3);
    const receiptFile = join(temporaryFolder(), "receipt.json");
    const askedAt = BigInt(Math.floor(Date.now() / 1000));
    const { receipt } = await askNode({ url, model: "digits", question, trusted, receiptFile });
    const other: Hex = `0x${"11".repeat(32)}`;
    const check = (changes: {
      message?: Partial<Receipt["message"]>;
      outputWords?: bigint[];
      asked?: Partial<typeof question>;
      settlement?: Address;
    }) => {
      const { message, outputWords = receipt.outputWords, asked, settlement } = changes;
      return checkReceipt({
        receipt: { ...receipt, outputWords, message: { ...receipt.message, ...message } },
        question: { ...question, askedAt, ...asked },
        trusted: { ...trusted, settlement: settlement ?? trusted.settlement },
      });
    };
    expect(await check({})).toHaveLength(2);
    const refused: readonly (readonly [string, Parameters<typeof check>[0]])[] = [
      ["modelVersion", { message: { modelVersion: other } }],
      ["requestId", { message: { requestId: other } }],
      ["requester", { message: { requester: trusted.settlement } }],
      ["price", { message: { price: 1n } }],
      ["timestamp", { message: { timestamp: 0n } }],
      ["timestamp", { message: { timestamp: askedAt + 86_400n } }],
      ["inputWords", { asked: { input: digit(1) } }],
      ["inputHash", { message: { inputHash: other } }],
      ["outputHash", { outputWords: [1n] }],
      ["signature", { message: { teeId: other } }],
      ["signature", { settlement: trusted.modelRegistry }],
    ];
    for (const [field, changes] of refused) {
      await expect(check(changes)).rejects.toThrow(`the receipt's ${field} is not`);
    }
  });
});
