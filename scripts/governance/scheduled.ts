import { BaseError } from "@haca/protocol/baseError";
import type { Result } from "ethers";
import { nextBlockTime } from "../lib/chainSession.ts";
import { readAllLogs } from "../lib/readAllLogs.ts";
import { isoTime, printable } from "../lib/words.ts";
import { deployed } from "./call.ts";
import { deliver } from "./deliver.ts";
import { describeCall, loadInterfaces } from "./describeCall.ts";
import { type SendOptions, type Session, senderOf } from "./session.ts";

/** A call that an account with a delayed role has scheduled in the AccessManager. */
export type Operation = {
  id: string;
  caller: string;
  target: string;
  data: string;
  /** unix seconds from which it can be made; zero once it is over */
  due: bigint;
  words: string;
};

/** `scheduled`: what waits in the AccessManager, one line each. */
export async function listScheduled(session: Session): Promise<void> {
  const operations = (await readOperations(session)).filter(({ due }) => due !== 0n);
  const now = await nextBlockTime(session.provider);
  for (const { id, caller, due, words } of operations) {
    const when = due <= now ? "due" : `due from ${isoTime(due)}`;
    console.log(`${id}  ${when}\n  ${words}, scheduled by ${caller}`);
  }
  console.log(`${operations.length} operations`);
}

/** `execute-scheduled` and `cancel-scheduled`. Error: `governance.badArgument` for what cannot be done, and why. */
export async function changeScheduled(
  session: Session,
  verb: "execute" | "cancel",
  id: string,
  options: SendOptions,
): Promise<void> {
  const sender = await senderOf(session, options);
  const found = (await readOperations(session)).find((operation) => operation.id === id);
  const refuse = (reason: string): BaseError =>
    new BaseError({ code: "governance.badArgument", message: `operation ${id} ${reason}` });
  if (found === undefined) throw refuse("was never scheduled");
  const { caller, target, data, due, words } = found;
  if (due === 0n) throw refuse("is executed, cancelled or expired");
  if (verb === "execute" && due > (await nextBlockTime(session.provider))) {
    throw refuse(`is due from ${isoTime(due)}`);
  }
  if (verb === "execute" && caller !== sender.address) {
    throw refuse(`can only be executed by ${caller}, who scheduled it`);
  }
  const manager = await session.contract("AccessManager");
  const change = `${words}: scheduled -> ${verb === "execute" ? "made" : "cancelled"}`;
  console.log(`what will change:\n  ${change}`);
  const values = verb === "execute" ? [target, data] : [caller, target, data];
  const transaction = {
    ...{ name: verb, target: await manager.getAddress() },
    data: manager.interface.encodeFunctionData(verb, values),
  };
  await deliver({
    ...{ session, options, sender, title: `${verb} scheduled`, description: change },
    transactions: [transaction],
  });
}

/** The latest of each operation that was ever scheduled, oldest first. */
export async function readOperations(
  chain: Pick<Session, "book" | "provider">,
): Promise<Operation[]> {
  const { book, provider } = chain;
  const manager = deployed(chain, "AccessManager");
  const logs = await readAllLogs({
    provider,
    address: await manager.getAddress(),
    topics: [manager.interface.getEvent("OperationScheduled")?.topicHash ?? ""],
    fromBlock: book.contracts.AccessManager.block,
  });
  const latest = new Map<string, Result>();
  for (const log of logs) {
    const { args } = manager.interface.parseLog(log) ?? {};
    if (args !== undefined) latest.set(args.operationId, args);
  }
  const interfaceOf = await loadInterfaces();
  const operations: Operation[] = [];
  for (const [id, args] of latest) {
    const { caller, target, data } = args;
    const due = await manager.getSchedule(id);
    const words = printable(describeCall({ book, interfaceOf, target, data }));
    operations.push({ id, caller, target, data, due, words });
  }
  return operations;
}
