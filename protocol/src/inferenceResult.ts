import {
  concat,
  getAddress,
  id,
  keccak256,
  type TypedDataDomain,
  TypedDataEncoder,
  toBeHex,
} from "ethers";
import { BaseError } from "./baseError.ts";

/** The typed message of a settlement: the bindings of `IInferenceSettlement.InferenceResult`. */
export type InferenceResult = {
  /** version id in the model registry */
  modelVersion: string;
  /** keccak256 of the packed input words */
  inputHash: string;
  /** keccak256 of the packed output words */
  outputHash: string;
  /** account that asked; zero address if it did not say */
  requester: string;
  /** `bytes32(uint160 node, uint96 nonce)` */
  requestId: string;
  /** wei-scale OPG */
  price: bigint;
  /** unix seconds at which the node answered */
  timestamp: bigint;
  /** enclave that answered; zero if none */
  teeId: string;
};

/** Field order is part of the EIP-712 type hash. */
export const INFERENCE_RESULT_TYPES = {
  InferenceResult: [
    { name: "modelVersion", type: "bytes32" },
    { name: "inputHash", type: "bytes32" },
    { name: "outputHash", type: "bytes32" },
    { name: "requester", type: "address" },
    { name: "requestId", type: "bytes32" },
    { name: "price", type: "uint256" },
    { name: "timestamp", type: "uint64" },
    { name: "teeId", type: "bytes32" },
  ],
};

const TYPE_HASH = id(TypedDataEncoder.from(INFERENCE_RESULT_TYPES).encodeType("InferenceResult"));
const PREFIX = "0x1901";
const ADDRESS = /^0x(?:[0-9a-f]{40}|[0-9A-F]{40})$/;
const BYTES32 = /^0x[0-9a-fA-F]{64}$/;
/** Of domains that cannot change: their hash is a third of the work of a result's. */
const domainHashes = new WeakMap<TypedDataDomain, string>();

/** EIP-712 domain of an `InferenceSettlement` contract; frozen. */
export function settlementDomain(parameters: {
  chainId: bigint;
  settlement: string;
}): TypedDataDomain {
  return Object.freeze({
    name: "HACA InferenceSettlement",
    version: "1",
    chainId: parameters.chainId,
    verifyingContract: parameters.settlement,
  });
}

/** keccak256 over the words, 32 bytes each: `inputHash` and `outputHash`. */
export function hashWords(words: readonly bigint[]): string {
  return keccak256(concat(words.map((word) => toBeHex(word, 32))));
}

/**
 * EIP-712 digest of a result: what the node signs.
 * @throws BaseError naming a field that is not of its type
 */
export function hashResult(parameters: {
  domain: TypedDataDomain;
  result: InferenceResult;
}): string {
  const { domain, result } = parameters;
  const struct = keccak256(`${TYPE_HASH}${wordsOf(result)}`);
  return keccak256(`${PREFIX}${hashDomain(domain).slice(2)}${struct.slice(2)}`);
}

/** The fields as EIP-712 encodes them, in the order of the type: words of 32 bytes, as hex without a prefix. */
function wordsOf(result: InferenceResult): string {
  return [
    bytes32(result, "modelVersion"),
    bytes32(result, "inputHash"),
    bytes32(result, "outputHash"),
    addressWord(result.requester),
    bytes32(result, "requestId"),
    uintWord(result, "price", 256),
    uintWord(result, "timestamp", 64),
    bytes32(result, "teeId"),
  ].join("");
}

function bytes32(result: InferenceResult, field: keyof InferenceResult): string {
  const value = result[field];
  if (typeof value !== "string" || !BYTES32.test(value)) throw malformed(field, "bytes32");
  return value.slice(2);
}

/** What is written in one case has no checksum that could be wrong. */
function addressWord(address: string): string {
  return (ADDRESS.test(address) ? address : getAddress(address)).slice(2).padStart(64, "0");
}

function uintWord(result: InferenceResult, field: "price" | "timestamp", bits: number): string {
  const value = result[field];
  if (typeof value !== "bigint" || value < 0n || value >> BigInt(bits) !== 0n) {
    throw malformed(field, `uint${bits}`);
  }
  return value.toString(16).padStart(64, "0");
}

const malformed = (field: string, type: string): BaseError =>
  new BaseError({ code: "result.malformed", message: `${field} must be of the type ${type}` });

function hashDomain(domain: TypedDataDomain): string {
  const known = domainHashes.get(domain);
  if (known !== undefined) return known;
  const hash = TypedDataEncoder.hashDomain(domain);
  if (Object.isFrozen(domain)) domainHashes.set(domain, hash);
  return hash;
}

/** The last public signal of a proof: the digest's upper 248 bits. */
export function contextOf(parameters: {
  domain: TypedDataDomain;
  result: InferenceResult;
}): bigint {
  return BigInt(hashResult(parameters)) >> 8n;
}
