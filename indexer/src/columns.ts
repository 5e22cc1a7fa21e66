import { NODE_STATUSES, type NodeStatus } from "@haca/protocol/attestationParameters";
import { type Hex, zeroAddress } from "viem";

/** Values of events as the tables have them. */

/** The zero address, which is nobody's, as null. */
export function orNull(address: Hex): Hex | null {
  return address === zeroAddress ? null : address;
}

/** What of an event says when something ended, and by whom. */
export type EndEvent = {
  block: { timestamp: bigint };
  transaction: { hash: Hex; from: Hex };
};

/** Columns of an end. */
export const endOf = ({ block, transaction }: EndEvent) => ({
  ...{ endedAt: block.timestamp, ender: transaction.from, endTransactionHash: transaction.hash },
});

/** Names of `ISigningKeys.KeyKind`, by number; 0 is no kind that the registry admits. */
const KEY_KINDS = [undefined, "rsa", "p256", "secp256k1"] as const;

/** Throws a RangeError for a status that no contract has. */
export function statusName(status: number): NodeStatus {
  const name = NODE_STATUSES[status];
  if (name === undefined) {
    throw new RangeError(`status must be below ${NODE_STATUSES.length}, got ${status}`);
  }
  return name;
}

/** Throws a RangeError for a kind that the registry does not admit. */
export function keyKindName(keyKind: number): NonNullable<(typeof KEY_KINDS)[number]> {
  const name = KEY_KINDS[keyKind];
  if (name === undefined) {
    throw new RangeError(`key kind must be 1 to ${KEY_KINDS.length - 1}, got ${keyKind}`);
  }
  return name;
}
