import { hexOfText, keccak, keccakText, sliceHex } from "../bytes.ts";
import { type Line, lineOf, PINS } from "../line.ts";
import { isPinnedSettlement, modelOf, type Pins } from "../pins.ts";
import type { Input, Output, ReceiptCore, ReceiptMessage } from "../receipt/receipt.ts";
import { isSignedByKey, recoverAccount } from "../signatures.ts";
import { hashWords, receiptId } from "../typedData.ts";

/** What a receipt's core says by itself, and with pins. Whatever is thrown here refutes. */

/** How far a clock may be behind the one that dated the answer, in seconds. */
export const MAXIMUM_CLOCK_SKEW = 60n;

export const isOfEnclave = ({ message }: ReceiptCore): boolean => BigInt(message.teeId) !== 0n;

/** The account in whose nonces the request is. */
export const nodeOf = ({ message }: ReceiptCore): string => sliceHex(message.requestId, 0, 20);

export function checkContract(core: ReceiptCore, pins: Pins): Line {
  const where = `settlement ${core.settlement} on chain ${core.chainId}`;
  return isPinnedSettlement(pins, core)
    ? lineOf("contract", "asserted", `${where} is pinned`, { source: PINS })
    : lineOf("contract", "unknown", `${where} is not pinned`);
}

export function checkTime(core: { message: Pick<ReceiptMessage, "timestamp"> }, now: bigint): Line {
  const time = BigInt(core.message.timestamp);
  const asOf = { type: "time", time: String(now) } as const;
  return time > now + MAXIMUM_CLOCK_SKEW
    ? lineOf("time", "refuted", "the answer is from the future", { asOf })
    : lineOf("time", "asserted", `answered at ${time}, by the node's clock`, { asOf });
}

export function checkRequest(core: ReceiptCore): Line {
  if (!isOfEnclave(core)) return lineOf("request", "asserted", `request of node ${nodeOf(core)}`);
  return sliceHex(core.message.teeId, 12) === nodeOf(core)
    ? lineOf("request", "asserted", "the request is the enclave's own")
    : lineOf("request", "refuted", "the request is another node's than the enclave's");
}

/** @param name of the pinned model that is asked for; any of the pinned ones if left out */
export function checkModel(core: ReceiptCore, pins: Pins, name?: string): Line {
  const { modelVersion } = core.message;
  const [found] = modelOf(pins, modelVersion, name) ?? [];
  if (found !== undefined) {
    return lineOf("model", "asserted", `the version is ${found}`, { source: PINS });
  }
  if (name !== undefined && Object.hasOwn(pins.models ?? {}, name)) {
    return lineOf("model", "refuted", `version ${modelVersion} is not ${name}`, { source: PINS });
  }
  const wanted = name === undefined ? `model of version ${modelVersion}` : `model ${name}`;
  return lineOf("model", "unknown", `no ${wanted} is pinned`);
}

export const checkInput = ({ input, message }: ReceiptCore): Line =>
  checkHash("input", input, input === null ? "" : hashOfInput(input), message.inputHash);

export const checkOutput = ({ output, message }: ReceiptCore): Line =>
  checkHash("output", output, output === null ? "" : hashOfOutput(output), message.outputHash);

const hashOfInput = (input: Input): string =>
  input.type === "words" ? hashWords(input.words) : keccakSalted(input.salt, input.text);

const hashOfOutput = (output: Output): string =>
  output.type === "words" ? hashWords(output.words) : keccakText(output.text);

const keccakSalted = (salt: string, text: string): string => keccak(salt, hexOfText(text));

export function checkHash(
  check: "input" | "output",
  content: Input | Output | null,
  actual: string,
  expected: string,
): Line {
  if (content === null) return lineOf(check, "unknown", `the ${check} is not in the receipt`);
  return actual === expected
    ? lineOf(check, "asserted", `the ${check} has the hash that was signed`)
    : lineOf(check, "refuted", `the ${check} has another hash than the one that was signed`);
}

export function checkKey(core: {
  key: string | null;
  message: Pick<ReceiptMessage, "teeId">;
}): Line {
  return keccak(core.key ?? "0x") === core.message.teeId
    ? lineOf("key", "asserted", "the key is the one that the message names")
    : lineOf("key", "refuted", "the key is another one than the message names");
}

export async function checkSignature(core: ReceiptCore): Promise<Line> {
  const digest = receiptId(core);
  const { signature, session, key } = core;
  if (session === null && key !== null) {
    const isSigned = await isSignedByKey({ key, message: digest, signature });
    return ofSignature(isSigned, "the enclave's key");
  }
  const account = session ?? nodeOf(core);
  const who = session === null ? "the node's account" : `the session's account ${account}`;
  return ofSignature(recoverAccount(digest, signature) === account, who);
}

export const ofSignature = (isSigned: boolean, who: string): Line =>
  isSigned
    ? lineOf("signature", "asserted", `${who} signed the message`)
    : lineOf("signature", "refuted", `${who} did not sign the message`);

/** The last public signal of a proof: the digest's upper 248 bits. */
export const contextOf = (core: ReceiptCore): bigint => BigInt(receiptId(core)) >> 8n;
