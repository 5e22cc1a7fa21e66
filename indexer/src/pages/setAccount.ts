import type { Context } from "ponder:registry";
import { pageAccount } from "ponder:schema";
import { pageSettlementAbi } from "@haca/protocol/abi";
import type { Hex } from "viem";
import { readState, stateClient } from "../readState.ts";

/** What a handler is given, as far as reading a contract's state looks at it. */
export type At = { block: { number: bigint; timestamp: bigint }; log: { address: Hex } };

/** What an account has now. Not every event has the amounts that it moves, so the contract is asked. */
export async function setAccount(parameters: {
  context: Context;
  event: At;
  address: Hex | null;
}): Promise<void> {
  const { address, context, event } = parameters;
  if (address === null) return;
  const content = await readState({
    block: event.block.number,
    read: (at) =>
      stateClient.readContract({
        ...{ abi: pageSettlementAbi, address: event.log.address, functionName: "accountOf" },
        ...{ args: [address], ...at },
      }),
  });
  const account = {
    amount: content?.amount ?? null,
    openPages: content?.openPages ?? null,
    changedAt: event.block.timestamp,
  };
  await context.db
    .insert(pageAccount)
    .values({ address, ...account })
    .onConflictDoUpdate(account);
}
