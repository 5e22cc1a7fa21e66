import { concat, keccak256, type TypedDataDomain, TypedDataEncoder, toBeHex } from "ethers";

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

const resultEncoder = TypedDataEncoder.from(INFERENCE_RESULT_TYPES);
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

/** EIP-712 digest of a result: what the node signs. */
export function hashResult(parameters: {
  domain: TypedDataDomain;
  result: InferenceResult;
}): string {
  const { domain, result } = parameters;
  return keccak256(concat(["0x1901", hashDomain(domain), resultEncoder.hash(result)]));
}

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
