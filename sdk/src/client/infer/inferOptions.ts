import type { BaseError } from "@haca/protocol/baseError";
import { parseSalt } from "@haca/protocol/inputCommitment";
import type { CommittedMode } from "@haca/protocol/inputMode";
import type { Policy } from "../../isVerified.ts";
import { LONGEST_PAUSE_MS } from "../../pause.ts";
import { refuseOblivious } from "../chat/channelOptions.ts";
import type { Client } from "../client.ts";
import { optionError, requireKnown } from "../optionError.ts";
import { readWitness } from "../takeWitness.ts";
import type { Hiding, InferInput } from "./tensors.ts";

/** What is asked, and how its answer is taken. */
export type InferOptions = {
  /** a version's id, `owner/slug@major.minor`, or the name of a pinned model */
  model: string;
  /** real numbers in row-major order, or in lists of the input's shape */
  input: InferInput;
  /** of a model whose input word is a commitment: how, as its manifest says. The node sees the input all the same */
  inputMode?: CommittedMode;
  /** of a salted input: 0x and 64 hex digits, for this request alone; drawn for each node that is asked if left out */
  salt?: string;
  /** told the salt before a node is asked: if no answer comes back, its result may settle all the same, and nobody else has the salt */
  onSalt?: ((salt: string) => void) | undefined;
  /** addresses of nodes; the client's if left out */
  nodes?: readonly string[];
  /** the client's if left out */
  policy?: Policy;
  /** account that asks, and is named in the result; nobody if left out */
  requester?: string;
  /** what the answer may cost at most, in wei-scale OPG; nothing if left out */
  maxPrice?: bigint;
  /** must be spelled out: does not wait for the proof, and marks the answer so */
  proof?: "off";
  /** the client's if left out: appends to the receipt what the chain's latest block shows of the answer */
  witness?: boolean;
  /** how long the proof is waited for, and the pause between two looks, in milliseconds; ten minutes, and one second */
  proofMs?: number;
  pollMs?: number;
  /** told for what is waited */
  onProgress?: ((words: string) => void) | undefined;
  signal?: AbortSignal | undefined;
};

/** A request that was looked at. */
export type InferRequest = {
  model: string;
  input: InferInput;
  /** undefined: not at all */
  hiding: Hiding | undefined;
  policy: Policy;
  requester: string;
  maxPrice: bigint;
  isUnproved: boolean;
  wantsWitness: boolean;
  proofMs: number;
  pollMs: number;
  onSalt: ((salt: string) => void) | undefined;
  onProgress: ((words: string) => void) | undefined;
  signal: AbortSignal | undefined;
};

const OPTIONS = [
  ...["model", "input", "inputMode", "salt", "onSalt", "nodes", "policy", "requester", "maxPrice"],
  ...["proof", "proofMs", "pollMs", "onProgress", "signal", "witness"],
];
const NOBODY = `0x${"00".repeat(20)}`;

/** @throws BaseError `option.wrong` */
export function readInfer(client: Client, options: InferOptions): InferRequest {
  requireKnown(options, OPTIONS);
  refuseOblivious(client, "infer");
  const { input, maxPrice = 0n, model, policy = client.policy, requester = NOBODY } = options;
  const { inputMode, onSalt, salt } = options;
  const { onProgress, pollMs = 1_000, proof, proofMs = 600_000, signal } = options;
  if (!Array.isArray(input)) throw optionError("input", "must be a list of numbers");
  if (inputMode !== undefined && inputMode !== "committed" && inputMode !== "salted") {
    throw optionError("inputMode", 'must be "committed" or "salted", or left out');
  }
  if (salt !== undefined && inputMode !== "salted") {
    throw optionError("salt", "belongs to a salted input");
  }
  if (!/^0x[0-9a-fA-F]{40}$/.test(requester)) {
    throw optionError("requester", "must be an address of 20 bytes");
  }
  if (typeof maxPrice !== "bigint" || maxPrice < 0n) {
    throw optionError("maxPrice", "must be a bigint, 0 or above");
  }
  if (proof !== undefined && proof !== "off") {
    throw optionError("proof", 'must be "off", or left out');
  }
  for (const [name, value] of Object.entries({ pollMs, proofMs })) {
    if (Number.isSafeInteger(value) && value > 0 && value <= LONGEST_PAUSE_MS) continue;
    throw optionError(name, `must be a whole number, 1 to ${LONGEST_PAUSE_MS}`);
  }
  return {
    onSalt,
    hiding: inputMode && { mode: inputMode, salt: readSalt(salt) },
    ...{ model, input, policy, maxPrice, pollMs, proofMs, onProgress, signal },
    ...{ requester: requester.toLowerCase(), isUnproved: proof === "off" },
    wantsWitness: readWitness(client, options),
  };
}

function readSalt(salt: string | undefined): bigint | undefined {
  try {
    return salt === undefined ? undefined : parseSalt(salt);
  } catch (error) {
    throw optionError("salt", (error as BaseError).message.replace(/^salt: /, ""));
  }
}
