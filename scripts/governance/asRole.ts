import { BaseError } from "@haca/protocol/baseError";
import type { ContractOf } from "../lib/contracts.ts";
import { duration } from "../lib/words.ts";
import { actionNamed } from "./actions/actions.ts";
import { type Call, encodeCall, nameOfCall } from "./call.ts";
import { deliver, type Outgoing } from "./deliver.ts";
import { outgoing, planAction, printPlan, wordsOf } from "./runAction.ts";
import { type SendOptions, type Session, senderOf } from "./session.ts";

/** What the AccessManager allows an account: at once, after a delay of so many seconds, or (undefined) nothing. */
type Permission = { delay: number } | undefined;

/**
 * `as-role <action>`: carries an action out with the role that the account holds in the AccessManager itself, without
 * a vote. A role with a delay schedules the call; `scheduled` shows it and `execute-scheduled` makes it when it is due.
 * Errors: `governance.badArgument`, `governance.refused`.
 */
export async function runAsRole(
  session: Session,
  words: readonly [name: string, values: readonly string[]],
  options: SendOptions,
): Promise<void> {
  const [name, values] = words;
  const action = actionNamed(name);
  const sender = await senderOf(session, options);
  const plan = await planAction({ session, action, values, account: sender.address });
  if (plan.deployments !== undefined) {
    throw new BaseError({
      code: "governance.badArgument",
      message: `${action.name} deploys contracts: it is done by a proposal, or for a verifier that is deployed already`,
    });
  }
  const manager = await session.contract("AccessManager");
  const transactions: Outgoing[] = [];
  const notes: string[] = [];
  for (const call of plan.calls) {
    const permission = await permissionOf({ manager, account: sender.address, call });
    if (permission === undefined)
      throw await withoutRole({ manager, account: sender.address, call });
    const { delay } = permission;
    if (delay === 0) {
      transactions.push(outgoing(call));
      continue;
    }
    const data = manager.interface.encodeFunctionData("schedule", [
      ...[call.target, encodeCall(call), 0],
    ]);
    transactions.push({ name: "schedule", target: await manager.getAddress(), data });
    notes.push(
      `${nameOfCall(call)} is only scheduled: due after ${duration(delay)}, in which a guardian can cancel it`,
    );
  }
  printPlan(plan);
  for (const note of notes) console.log(note);
  const title = `${action.name} as a role`;
  const receipts = await deliver({
    ...{ session, options, sender, title, description: wordsOf(plan.calls), transactions },
  });
  for (const { logs } of receipts) {
    for (const log of logs) {
      const event = manager.interface.parseLog(log);
      if (event?.name !== "OperationScheduled") continue;
      console.log(`operation ${event.args.operationId}`);
      console.log(`  npm run governance -- execute-scheduled ${event.args.operationId}`);
    }
  }
}

async function permissionOf(parameters: {
  manager: ContractOf<"AccessManager">;
  account: string;
  call: Call;
}): Promise<Permission> {
  const { manager, account, call } = parameters;
  const selector = encodeCall(call).slice(0, 10);
  const [isImmediate, delay] = await manager.canCall(account, call.target, selector);
  if (isImmediate) return { delay: 0 };
  return delay === 0n ? undefined : { delay: Number(delay) };
}

async function withoutRole(parameters: {
  manager: ContractOf<"AccessManager">;
  account: string;
  call: Call;
}): Promise<BaseError> {
  const { manager, account, call } = parameters;
  const selector = encodeCall(call).slice(0, 10);
  const role = await manager.getTargetFunctionRole(call.target, selector);
  return new BaseError({
    code: "governance.refused",
    message: `${account} does not hold role ${role}, which ${call.contract}.${nameOfCall(call)} needs (docs/access-control.md)`,
  });
}
