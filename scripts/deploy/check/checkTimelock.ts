import { TIMELOCK_ROLES } from "@haca/protocol/roles";
import { ZeroAddress } from "ethers";
import { isoTime } from "../../lib/words.ts";
import { type Audit, type Fact, judgeFacts } from "./audit.ts";
import { notice, parameter, unexpected } from "./finding.ts";
import { type Holders, replay } from "./holders.ts";
import { type Scheduled, wordsOfCall } from "./operations.ts";

const DONE = 1n;
const EVERYBODY = "everybody";

/** Roles, delay and operations of the timelock, and of those that replaced it. */
export async function checkTimelock(audit: Audit, holders: Holders): Promise<void> {
  const { timelock } = holders;
  if (timelock === undefined) return;
  const { governor, guardian } = holders;
  let cancellers = [governor, guardian].flatMap((account) => account ?? []);
  for (const one of new Set([timelock, ...audit.timelocks])) {
    await checkOne({ audit, holders, timelock: one, cancellers });
    await checkOperations(audit, one);
    // Whoever may cancel in one may in its replacement, unless governance decides otherwise.
    cancellers = replay(
      audit.history.of(one, "RoleGranted", "RoleRevoked"),
      undefined,
      ({ args }) => (args.role === TIMELOCK_ROLES.CANCELLER_ROLE ? args.account : undefined),
    );
  }
}

async function checkOne(parameters: {
  audit: Audit;
  holders: Holders;
  timelock: string;
  cancellers: readonly string[];
}): Promise<void> {
  const { audit, holders, timelock, cancellers } = parameters;
  const { history, reader, names, findings } = audit;
  const isFirst = timelock === holders.timelock;
  const subjectOf = isFirst ? "TimelockController" : `TimelockController ${timelock}`;
  // What one that came later was created with, its constructor's arguments say.
  const creation = isFirst ? undefined : audit.creations.get(timelock)?.hash;
  const sinceCreation = (...events: string[]) =>
    history.of(timelock, ...events).filter(({ transaction }) => transaction !== creation);

  const changes = sinceCreation("RoleGranted", "RoleRevoked");
  const expected = new Set<string>();
  const key = (role: string, account: string): string => `${role} ${account}`;
  for (const [role, account] of [
    ["DEFAULT_ADMIN_ROLE", timelock],
    ["PROPOSER_ROLE", holders.governor],
    ...cancellers.map((account) => ["CANCELLER_ROLE", account] as const),
    ["EXECUTOR_ROLE", ZeroAddress],
  ] as const) {
    if (account !== undefined) expected.add(key(TIMELOCK_ROLES[role], account));
  }
  const facts: Fact[] = [];
  for (const held of new Set([
    ...expected,
    ...changes.map(({ args }) => key(args.role, args.account)),
  ])) {
    const [role = "", account = ""] = held.split(" ");
    const [isHeld] = await reader.view(
      timelock,
      "function hasRole(bytes32 role, address account) view returns (bool)",
      ...[role, account],
    );
    const who = account === ZeroAddress ? EVERYBODY : names.of(account);
    facts.push({
      subject: `${subjectOf} ${timelockRole(role)}: ${who}`,
      expected: expected.has(held) ? "member" : "no member",
      actual: isHeld ? "member" : "no member",
      changes: changes.filter(({ args }) => key(args.role, args.account) === held),
    });
  }
  for (const role of new Set([
    ...Object.values(TIMELOCK_ROLES),
    ...changes.map(({ args }) => args.role as string),
  ])) {
    const [admin] = await reader.view(
      timelock,
      "function getRoleAdmin(bytes32 role) view returns (bytes32)",
      role,
    );
    facts.push({
      subject: `${subjectOf}: administrator of ${timelockRole(role)}`,
      expected: "DEFAULT_ADMIN_ROLE",
      actual: timelockRole(admin),
      changes: sinceCreation("RoleAdminChanged").filter(({ args }) => args.role === role),
    });
  }
  const [delay] = await reader.view(timelock, "function getMinDelay() view returns (uint256)");
  const delays = history.of(timelock, "MinDelayChange");
  facts.push({
    subject: `${subjectOf}: minimum delay`,
    expected: `${delays[0]?.args.newDuration} s`,
    actual: `${delay} s`,
    changes: delays.slice(1),
  });
  if (isFirst) findings.push(parameter("timelock delay", `${delays[0]?.args.newDuration} s`));
  judgeFacts(audit, facts);
}

const timelockRole = (role: string): string =>
  Object.entries(TIMELOCK_ROLES).find(([, id]) => id === role)?.[0] ?? `role ${role}`;

/** Operations that are pending or done: each must be a proposal of the governor. */
async function checkOperations(audit: Audit, timelock: string): Promise<void> {
  const { history, reader, names, findings } = audit;
  const calls = history.of(timelock, "CallScheduled");
  for (const id of new Set(calls.map(({ args }) => args.id as string))) {
    const [time] = await reader.view(
      timelock,
      "function getTimestamp(bytes32 id) view returns (uint256)",
      id,
    );
    if (time === 0n) continue; // cancelled
    const own = calls.filter(({ args }) => args.id === id);
    const words = own.map(({ args }) => wordsOfCall(names, args.target, args.data)).join("; ");
    const proposal = audit.history.operations?.proposalOf(id);
    const state = time === DONE ? "executed" : `executable from ${isoTime(time)} on`;
    const subject = `TimelockController operation ${id}`;
    if (proposal === undefined) {
      const transaction = own[0]?.transaction;
      findings.push(
        unexpected(
          subject,
          "a proposal of the governor",
          `${state}, scheduled in transaction ${transaction} without one: ${words}`,
        ),
      );
    } else if (time !== DONE) {
      findings.push(notice(subject, `proposal ${proposal}, ${state}: ${words}`));
    } else {
      findings.push(notice(subject, `proposal ${proposal}, executed: ${words}`));
    }
  }
}

/** Operations that are pending in the AccessManager: each must be a proposal's, or an image approver's, with its whole delay. */
export async function checkScheduled(audit: Audit, scheduled: readonly Scheduled[]): Promise<void> {
  const { reader, names, findings, history } = audit;
  const manager = audit.contracts.get("AccessManager") ?? "";
  for (const operation of new Map(scheduled.map((one) => [one.id, one])).values()) {
    const [due] = await reader.view(
      manager,
      "function getSchedule(bytes32 id) view returns (uint48)",
      operation.id,
    );
    if (due === 0n) continue; // executed, cancelled or expired
    const subject = `AccessManager operation ${operation.id}`;
    const words = `${names.of(operation.caller)} can execute from ${isoTime(due)} on: ${wordsOfCall(names, operation.target, operation.data)}`;
    const objection = history.operations?.objectionTo(operation);
    findings.push(
      objection === undefined
        ? notice(subject, words)
        : unexpected(subject, "an image approver's or a proposal's", `${words}; ${objection}`),
    );
  }
}
