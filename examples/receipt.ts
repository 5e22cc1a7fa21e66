import { modelRegistryAbi } from "@haca/protocol/abi";
import { hashResult, hashWords, settlementDomain } from "@haca/protocol/inferenceResult";
import { packWords, type TensorLayout, unpackWords } from "@haca/protocol/packedWords";
import { decodeRequestId } from "@haca/protocol/requestId";
import { type Address, type Hex, isAddress, isHex, type PublicClient } from "viem";
import { z } from "zod";

/** What a client knows before it asks, and from nobody who answers: chain, contracts, node and version. */
export type Trusted = {
  client: PublicClient;
  chainId: bigint;
  settlement: Address;
  modelRegistry: Address;
  node: Address;
  modelVersion: Hex;
};

const bytes32 = z.custom<Hex>((value) => isHex(value) && value.length === 66, "must be 32 bytes");
const address = z.custom<Address>((value) => isAddress(String(value)), "must be an address");
const integer = z
  .string()
  .regex(/^\d{1,78}$/, "must be a decimal integer")
  .transform(BigInt);

/** The part of a receipt that counts. Its domain and types are not read: a client knows its own. */
export const receiptSchema = z.object({
  message: z.object({
    modelVersion: bytes32,
    inputHash: bytes32,
    outputHash: bytes32,
    requester: address,
    requestId: bytes32,
    price: integer,
    timestamp: integer,
    teeId: bytes32,
  }),
  signature: z.custom<Hex>(isHex, "must be hex"),
  inputWords: z.array(integer),
  outputWords: z.array(integer),
});
export type Receipt = z.infer<typeof receiptSchema>;

/** What was asked, to compare with what was signed. */
export type Question = {
  input: readonly number[];
  requester: Address;
  /** smallest units of OPG */
  highestPrice: bigint;
  /** unix seconds */
  askedAt: bigint;
};

/** `IModelRegistry.InputMode.Packed`: of a committed input the word is no tensor's. */
const PACKED = 0;

/** Most seconds between this machine's clock and the node's. */
const CLOCK_SKEW = 60n;

/**
 * The values of every output, where the node has signed that this version gives them for this input.
 * @throws Error that names the field which is not what was asked
 */
export async function checkReceipt(parameters: {
  receipt: Receipt;
  question: Question;
  trusted: Trusted;
}): Promise<number[][]> {
  const { receipt, question, trusted } = parameters;
  const { message, inputWords, outputWords, signature } = receipt;
  const { client, node, modelVersion, chainId, settlement } = trusted;
  const now = BigInt(Math.floor(Date.now() / 1000));

  requireThat(message.modelVersion === modelVersion, "modelVersion");
  requireThat(decodeRequestId(message.requestId).node === node, "requestId");
  requireThat(message.requester.toLowerCase() === question.requester.toLowerCase(), "requester");
  requireThat(message.price <= question.highestPrice, "price");
  requireThat(message.timestamp >= question.askedAt - CLOCK_SKEW, "timestamp");
  requireThat(message.timestamp <= now + CLOCK_SKEW, "timestamp");

  // How values lie in words is a matter of the published version, not of who answers.
  const { inputMode, inputLayout, outputLayout } = await client.readContract({
    address: trusted.modelRegistry,
    abi: modelRegistryAbi,
    functionName: "getVersion",
    args: [modelVersion],
  });
  requireThat(inputMode === PACKED, "input mode");
  const asked = packWords({
    layouts: inputLayout,
    integers: quantise(question.input, inputLayout[0]),
  });
  requireThat(String(inputWords) === String(asked), "inputWords");
  requireThat(hashWords(inputWords) === message.inputHash, "inputHash");
  requireThat(hashWords(outputWords) === message.outputHash, "outputHash");

  // The digest is made for our contract on our chain. A node that is a contract answers by ERC-1271.
  const domain = settlementDomain({ chainId, settlement });
  const hash = hashResult({ domain, result: message }) as Hex;
  requireThat(await client.verifyHash({ address: node, hash, signature }), "signature");

  return unpackWords({ layouts: outputLayout, words: outputWords }).map((integers, tensor) =>
    integers.map((value) => Number(value) * 2 ** (outputLayout[tensor]?.scaleExponent ?? 0)),
  );
}

/** The nearest multiples of the input's scale, halves away from zero: the rule of every compiled model. */
function quantise(values: readonly number[], layout: TensorLayout | undefined): bigint[] {
  const scale = 2 ** (layout?.scaleExponent ?? 0);
  return values.map((value) => BigInt(Math.sign(value) * Math.round(Math.abs(value / scale))));
}

function requireThat(isSo: boolean, field: string): void {
  if (!isSo) throw new Error(`the receipt's ${field} is not what was asked for`);
}
