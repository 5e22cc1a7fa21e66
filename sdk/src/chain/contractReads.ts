import { concatHex, keccak, keccakText, lengthOf, sliceHex, toHex, wordOf } from "../bytes.ts";
import { headerWords, placeOf } from "../page.ts";
import type { PageEvidence, ReceiptCore } from "../receipt/receipt.ts";
import { addressWord, messageWords, receiptId } from "../typedData.ts";
import { chainError } from "./jsonRpc.ts";
import type { Chain } from "./openChain.ts";

/** The contracts' functions that are asked, with the words of their arguments and their answers. */

const HEADER = "(uint8,bytes32,uint256,uint256,bytes32,bytes32,address,uint96)";
const RESULT = "(bytes32,bytes32,bytes32,address,bytes32,uint256,uint64,bytes32)";
const VERIFY_INCLUSION = `verifyInclusion(${HEADER},(uint8,${RESULT},bytes,bytes32[8]))`;
const NO_ACCOUNT = `0x${"00".repeat(20)}`;
const WORD_LENGTH = 32;

/** Function selector and arguments. */
export const encode = (signature: string, ...words: readonly string[]): string =>
  concatHex(sliceHex(keccakText(signature), 0, 4), ...words);

/** The words of an answer, which has exactly so many. @throws BaseError `chain.*` */
export async function ask(
  chain: Chain,
  parameters: { to: string; data: string; words: number },
): Promise<readonly bigint[]> {
  const answer = await chain.call(parameters.to, parameters.data);
  if (lengthOf(answer) !== WORD_LENGTH * parameters.words) {
    throw chainError("badAnswer", "a contract answers something else than it should");
  }
  return Array.from({ length: parameters.words }, (_, index) =>
    BigInt(sliceHex(answer, WORD_LENGTH * index, WORD_LENGTH * (index + 1))),
  );
}

function toBoolean(word: bigint | undefined): boolean {
  if (word === 0n || word === 1n) return word === 1n;
  throw chainError("badAnswer", "a contract answers neither yes nor no");
}

async function askBoolean(
  chain: Chain,
  to: string,
  signature: string,
  ...words: readonly string[]
): Promise<boolean> {
  const [answer] = await ask(chain, { to, data: encode(signature, ...words), words: 1 });
  return toBoolean(answer);
}

/** A contract that another one names. */
async function askContract(chain: Chain, to: string, signature: string): Promise<string> {
  const [answer = 0n] = await ask(chain, { to, data: encode(signature), words: 1 });
  const address = sliceHex(wordOf(answer), 12);
  if (address !== NO_ACCOUNT && answer >> 160n === 0n) return address;
  throw chainError("badAnswer", `the settlement names no contract as its ${signature}`);
}

export const teeRegistryOf = (chain: Chain, settlement: string): Promise<string> =>
  askContract(chain, settlement, "teeRegistry()");

export const modelRegistryOf = (chain: Chain, settlement: string): Promise<string> =>
  askContract(chain, settlement, "modelRegistry()");

export const wasInService = (
  chain: Chain,
  registry: string,
  { teeId, time }: { teeId: string; time: bigint },
): Promise<boolean> =>
  askBoolean(chain, registry, "wasInService(bytes32,uint256)", teeId, wordOf(time));

export const isActive = (chain: Chain, registry: string, teeId: string): Promise<boolean> =>
  askBoolean(chain, registry, "isTEEActive(bytes32)", teeId);

/** When a session key is valid, and whether it signs results; `until` exclusive, all zero where there is no such key. */
export async function sessionOf(
  chain: Chain,
  registry: string,
  { teeId, account }: { teeId: string; account: string },
): Promise<{ from: bigint; until: bigint; signsResults: boolean }> {
  const data = encode("sessionKey(bytes32,address)", teeId, addressWord(account));
  const [from = 0n, until = 0n, signs] = await ask(chain, { to: registry, data, words: 3 });
  return { from, until, signsResults: toBoolean(signs) };
}

/** Status (1 published, 2 deprecated) of a model version, whether its answers can be proved, and when it was deprecated. */
export async function versionOf(
  chain: Chain,
  registry: string,
  version: string,
): Promise<{ status: bigint; hasKey: boolean; deprecatedAt: bigint }> {
  const data = encode("settlementData(bytes32)", version);
  const [status = 0n, keyStore = 0n, , , deprecatedAt = 0n] = await ask(chain, {
    ...{ to: registry, data, words: 5 },
  });
  return { status, hasKey: keyStore !== 0n, deprecatedAt };
}

export const isSettled = (chain: Chain, settlement: string, requestId: string): Promise<boolean> =>
  askBoolean(chain, settlement, "isSettled(bytes32)", requestId);

export const isLedgerWriter = (
  chain: Chain,
  settlement: string,
  writer: string,
): Promise<boolean> =>
  askBoolean(chain, settlement, "isLedgerWriter(address)", addressWord(writer));

/** What the settlement keeps of a settled result with a price; zero of one without. */
export async function digestOf(
  chain: Chain,
  settlement: string,
  requestId: string,
): Promise<string> {
  const data = encode("digestOf(bytes32)", requestId);
  const [digest = 0n] = await ask(chain, { to: settlement, data, words: 1 });
  return wordOf(digest);
}

/** What `digestOf` is of a result that was settled by this kind: 1 ZKML, 2 TEE. */
export const settledDigest = (kind: bigint, core: ReceiptCore): string =>
  keccak(wordOf(kind), receiptId(core));

/** Seconds after an answer in which it can be settled. */
export async function settlementWindow(chain: Chain, settlement: string): Promise<bigint> {
  const data = encode("settlementWindow()");
  const [window = 0n] = await ask(chain, { to: settlement, data, words: 1 });
  return window;
}

/** Whether a request is taken: settled, or held by a page. */
export async function isOccupied(
  chain: Chain,
  settlement: string,
  requestId: string,
): Promise<boolean> {
  const { ledgerPage, index } = placeOf(requestId);
  const data = encode("occupied(uint256)", wordOf(ledgerPage));
  const [bitmap = 0n] = await ask(chain, { to: settlement, data, words: 1 });
  return ((bitmap >> BigInt(index)) & 1n) === 1n;
}

/** What a page's contract says of a leaf: the state, as `PAGE_STATES` counts, and the last second in which it is pending. */
export async function stateInPage(
  chain: Chain,
  parameters: { core: ReceiptCore; page: PageEvidence; signature: string },
): Promise<{ state: bigint; until: bigint }> {
  const data = encodeVerifyInclusion(parameters);
  const words = await ask(chain, { to: parameters.page.pageSettlement, data, words: 3 });
  return { state: words[0] ?? 0n, until: words[1] ?? 0n };
}

/** Calldata of `PageSettlement.verifyInclusion`. */
export function encodeVerifyInclusion(parameters: {
  core: ReceiptCore;
  page: PageEvidence;
  /** as it is in the page */
  signature: string;
}): string {
  const { core, page, signature } = parameters;
  const header = headerWords(page.header);
  const message = messageWords(core);
  const { index } = placeOf(core.message.requestId);
  const length = lengthOf(signature);
  const padding = toHex(new Uint8Array((WORD_LENGTH - (length % WORD_LENGTH)) % WORD_LENGTH));
  // Head of the leaf: place, message, where the signature is, siblings.
  const leafHead = 1 + message.length + 1 + page.path.length;
  return encode(
    VERIFY_INCLUSION,
    ...header,
    wordOf(BigInt(WORD_LENGTH * (header.length + 1))),
    ...[wordOf(BigInt(index)), ...message, wordOf(BigInt(WORD_LENGTH * leafHead)), ...page.path],
    ...[wordOf(BigInt(length)), signature, padding],
  );
}
