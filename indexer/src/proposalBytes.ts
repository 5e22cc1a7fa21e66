import {
  decodeAbiParameters,
  encodeAbiParameters,
  type Hex,
  hexToBigInt,
  keccak256,
  padHex,
  toHex,
  zeroHash,
} from "viem";

const BATCH = [
  { type: "address[]" },
  { type: "uint256[]" },
  { type: "bytes[]" },
  { type: "bytes32" },
  { type: "bytes32" },
] as const;

/**
 * The id under which the timelock knows a governor's proposal: `hashOperationBatch` without a predecessor, and with the
 * salt `bytes20(governor) ^ keccak256(description)` of OpenZeppelin's GovernorTimelockControl.
 */
export function timelockOperationId(parameters: {
  governor: Hex;
  targets: readonly Hex[];
  values: readonly bigint[];
  calldatas: readonly Hex[];
  /** bytes of the text: a proposer may write what is no UTF-8, and the governor hashes the bytes */
  description: Hex;
}): Hex {
  const { governor, targets, values, calldatas, description } = parameters;
  const prefix = hexToBigInt(padHex(governor, { dir: "right", size: 32 }));
  const descriptionHash = hexToBigInt(keccak256(description));
  const salt = toHex(prefix ^ descriptionHash, { size: 32 });
  return keccak256(encodeAbiParameters(BATCH, [targets, values, calldatas, zeroHash, salt]));
}

/** What a `ProposalCreated` event carries, with bytes for strings: on a chain they are the same. */
const CREATED = [
  ...[{ type: "uint256" }, { type: "address" }, { type: "address[]" }, { type: "uint256[]" }],
  ...[{ type: "bytes[]" }, { type: "bytes[]" }, { type: "uint256" }, { type: "uint256" }],
  { type: "bytes" },
] as const;

/** The bytes of a proposal's description, as its proposer wrote them; decoded as text they may have changed. */
export function descriptionBytes(data: Hex): Hex {
  const description = decodeAbiParameters(CREATED, data).at(-1);
  return description as Hex;
}
