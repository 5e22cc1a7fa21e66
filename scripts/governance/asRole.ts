import { BaseError } from "@haca/protocol/baseError";
import { nextBlockTime } from "../lib/chainSession.ts";
import type { ContractOf } from "../lib/contracts.ts";
import { duration, isoTime } from "../lib/words.ts";
import type { Plan } from "./actions/action.ts";
import { actionNamed } from "./actions/actions.ts";
import { type Call, encodeCall, nameOfCall } from "./call.ts";
import { deliver, type Outgoing } from "./deliver.ts";
import { permissionOf, roleFor } from "./permission.ts";
import { outgoing, planAction, printPlan, wordsOf } from "./runAction.ts";
import { type SendOptions, type Session, senderOf } from "./session.ts";

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
    if (delay === 0n) {
      transactions.push(outgoing(call));
      continue;
    }
    const data = manager.interface.encodeFunctionData("schedule", [
      ...[call.target, encodeCall(call), 0],
    ]);
    transactions.push({ name: "schedule", target: await manager.getAddress(), data });
    requireTime({ until: plan.until, delay, now: await nextBlockTime(session.provider) });
    notes.push(
      `${nameOfCall(call)} is only scheduled: due after ${duration(delay)}, in which a guardian can cancel it`,
    );
  }
  if (plan.until !== undefined && options.safe !== undefined) {
    notes.push(`to be sent by ${isoTime(plan.until.time)}: ${plan.until.reason}`);
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

/** Error: `governance.refused`, where a call would come too late to do what it says. */
function requireTime(parameters: { until: Plan["until"]; delay: bigint; now: bigint }): void {
  const { until, delay, now } = parameters;
  if (until === undefined || now + delay <= until.time) return;
  throw new BaseError({
    code: "governance.refused",
    message: `the role's delay of ${duration(delay)} is too long, the call has to be made by ${isoTime(until.time)}: ${until.reason}`,
  });
}

async function withoutRole(parameters: {
  manager: ContractOf<"AccessManager">;
  account: string;
  call: Call;
}): Promise<BaseError> {
  const { manager, account, call } = parameters;
  const role = await roleFor(manager, call);
  return new BaseError({
    code: "governance.refused",
    message: `${account} does not hold role ${role}, which ${call.contract}.${nameOfCall(call)} needs (docs/access-control.md)`,
  });
}
