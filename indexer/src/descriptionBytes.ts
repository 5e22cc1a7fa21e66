import { decodeAbiParameters, type Hex } from "viem";

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
