import { concat, type Hex, size, toHex } from "viem";

/**
 * Creation code of a contract that makes one call, to `target` with `data`, whatever it is called with. It stands in for
 * whoever settles through a contract of their own, and for one whose calldata says something else than it does.
 */
export function messengerCode({ target, data }: { target: Hex; data: Hex }): Hex {
  const two = (value: number) => toHex(value, { size: 2 });
  const length = two(size(data));
  const runtime = (end: number): Hex =>
    concat([
      // PUSH2 length, PUSH2 end, PUSH0, CODECOPY
      ...(["0x61", length, "0x61", two(end), "0x5f39"] as const),
      // PUSH0, PUSH0, PUSH2 length, PUSH0, PUSH0, PUSH20 target, GAS, CALL
      ...(["0x5f5f61", length, "0x5f5f73", target, "0x5af1"] as const),
      // PUSH2 success, JUMPI, PUSH0, PUSH0, REVERT, success: JUMPDEST, STOP
      ...(["0x61", two(end - 2), "0x575f5ffd5b00"] as const),
    ]);
  const code = concat([runtime(size(runtime(2))), data]);
  // PUSH2 size, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN
  return concat(["0x61", two(size(code)), "0x80600a5f395ff3", code]);
}
