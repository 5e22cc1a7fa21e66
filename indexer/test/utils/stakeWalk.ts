import { zeroAddress } from "viem";
import type { World } from "./deployWorld.ts";
import { isAccepted } from "./randomFrom.ts";

const ROUNDS = process.env.HACA_DEEP === "1" ? 40 : 5;

/**
 * Has everything happen to stake that can, again and again, in an order that the world's seed decides, over some months.
 * Returns how often each operation was accepted.
 */
export async function walkStake({ staking }: World): Promise<Map<string, number>> {
  const { call, operations, owners, prepare, register, wait } = staking;
  await prepare();
  for (const owner of owners) {
    await register(owner);
    await call("enter", [zeroAddress], owner);
  }
  const accepted = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, operation] of Object.entries(operations)) {
      await wait();
      if (await isAccepted(operation)) accepted.set(name, (accepted.get(name) ?? 0) + 1);
    }
  }
  return accepted;
}
