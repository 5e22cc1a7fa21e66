import {
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
