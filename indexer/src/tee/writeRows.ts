import type { Context } from "ponder:registry";
import { teeOperator, teeParameter, teeParameterChange, teeStatusChange } from "ponder:schema";
import type { Hex } from "viem";
import type { TeeParameterName } from "../../schema/attestation.ts";
import { statusName } from "../columns.ts";

/** What a handler is given, as far as the functions here look at it. */
type At = {
  block: { number: bigint; timestamp: bigint };
  log: { address: Hex; logIndex: number };
  transaction: { hash: Hex };
};

/** `previous` and `current` are numbers of `ITEERegistry.NodeStatus`. */
export async function insertStatusChange(parameters: {
  context: Context;
  event: At;
  teeId: Hex;
  previous: number;
  current: number;
}): Promise<void> {
  const { context, event, teeId } = parameters;
  await context.db.insert(teeStatusChange).values({
    blockNumber: event.block.number,
    logIndex: event.log.logIndex,
    teeId,
    previous: statusName(parameters.previous),
    current: statusName(parameters.current),
    changedAt: event.block.timestamp,
    transactionHash: event.transaction.hash,
  });
}

/** An operator that never was denied has no row. */
export async function setDenied(parameters: {
  context: Context;
  event: At;
  operator: Hex;
  isDenied: boolean;
}): Promise<void> {
  const { context, event, operator: address, isDenied } = parameters;
  const operator = { isDenied, changedAt: event.block.timestamp };
  await context.db
    .insert(teeOperator)
    .values({ address, ...operator })
    .onConflictDoUpdate(operator);
}

/** The parameter as it is now, and its change. */
export async function setParameter(parameters: {
  context: Context;
  event: At;
  name: TeeParameterName;
  value: bigint;
}): Promise<void> {
  const { context, event, name, value } = parameters;
  const changedAt = event.block.timestamp;
  const row = await context.db.find(teeParameter, { name });
  await context.db.insert(teeParameterChange).values({
    blockNumber: event.block.number,
    logIndex: event.log.logIndex,
    ...{ name, previous: row?.value ?? 0n, current: value, changedAt },
    transactionHash: event.transaction.hash,
  });
  await context.db
    .insert(teeParameter)
    .values({ name, value, changedAt })
    .onConflictDoUpdate({ value, changedAt });
}
