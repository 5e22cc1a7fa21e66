import { concat, type Hex, size, toHex } from "viem";

/**
 * Creation code of a contract that logs its call data: the first `topicCount` words become the topics, the
 * rest the data. It stands in for a contract where a test needs events that the contract does not emit yet
 * (Vanilla, TEE) or never does (words that fit no layout, a version that was never published).
 */
export function relayCode(topicCount: number): Hex {
  const byte = (value: number) => toHex(value, { size: 1 });
  const skip = byte(32 * topicCount);
  const loadTopics = [...Array(topicCount).keys()]
    .reverse()
    // PUSH1 32 * index, CALLDATALOAD
    .map((index) => concat(["0x60", byte(32 * index), "0x35"]));
  const runtime = concat([
    // PUSH1 skip, CALLDATASIZE, SUB, PUSH1 skip, PUSH0, CALLDATACOPY
    ...(["0x60", skip, "0x3603", "0x60", skip, "0x5f37"] as const),
    ...loadTopics,
    // PUSH1 skip, CALLDATASIZE, SUB, PUSH0, LOGn, STOP
    ...(["0x60", skip, "0x36035f", byte(0xa0 + topicCount), "0x00"] as const),
  ]);
  // PUSH1 size, DUP1, PUSH1 9, PUSH0, CODECOPY, PUSH0, RETURN
  return concat(["0x60", byte(size(runtime)), "0x8060095f395ff3", runtime]);
}
