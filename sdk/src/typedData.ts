import { concatHex, keccak, keccakText, wordOf } from "./bytes.ts";
import type { ReceiptCore } from "./receipt/receipt.ts";

/** EIP-712 of `IInferenceSettlement.InferenceResult`, by constants of our own: a receipt brings none. */

const DOMAIN_TYPE = keccakText(
  "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
);
const RESULT_TYPE = keccakText(
  "InferenceResult(bytes32 modelVersion,bytes32 inputHash,bytes32 outputHash,address requester,bytes32 requestId,uint256 price,uint64 timestamp,bytes32 teeId)",
);
const NAME = keccakText("HACA InferenceSettlement");
const VERSION = keccakText("1");

export const addressWord = (address: string): string =>
  `0x${address.slice(2).toLowerCase().padStart(64, "0")}`;

/** The fields as EIP-712 and the ABI encode them, word by word. */
export const messageWords = ({ message }: Pick<ReceiptCore, "message">): readonly string[] => [
  ...[message.modelVersion, message.inputHash, message.outputHash],
  ...[addressWord(message.requester), message.requestId],
  ...[wordOf(BigInt(message.price)), wordOf(BigInt(message.timestamp)), message.teeId],
];

/** What was signed, and what a receipt is called by: the EIP-712 digest of its message. */
export function receiptId(core: Pick<ReceiptCore, "chainId" | "settlement" | "message">): string {
  const domain = keccak(
    ...[DOMAIN_TYPE, NAME, VERSION, wordOf(BigInt(core.chainId)), addressWord(core.settlement)],
  );
  return keccak("0x1901", domain, keccak(RESULT_TYPE, ...messageWords(core)));
}

/** keccak256 of packed words: `inputHash` and `outputHash` of a model with words. */
export const hashWords = (words: readonly string[]): string => keccak(concatHex(...words));
