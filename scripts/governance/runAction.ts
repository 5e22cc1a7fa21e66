import { randomBytes } from "node:crypto";
import { BaseError } from "@haca/protocol/baseError";
import { formatUnits, type JsonRpcSigner } from "ethers";
import { nextBlockTime } from "../lib/chainSession.ts";
import type { ContractOf } from "../lib/contracts.ts";
import { isoTime } from "../lib/words.ts";
import type { Action, Plan } from "./actions/action.ts";
import { actionNamed } from "./actions/actions.ts";
import { Arguments } from "./arguments.ts";
import { type Call, encodeCall, nameOfCall, signatureOf } from "./call.ts";
import { deliver, type Outgoing } from "./deliver.ts";
import { deployBeforehand } from "./deployBeforehand.ts";
import { describeVotes } from "./describeVotes.ts";
import { asTimelock } from "./permission.ts";
import { idOf, type Proposal, proposalOf, proposeData, signedText } from "./proposals.ts";
import { type Sender, type SendOptions, type Session, senderOf } from "./session.ts";
import { simulate } from "./simulate.ts";

const COMMANDS: Readonly<Record<Action["by"], string>> = {
  proposal: "propose",
  guardian: "guardian",
  role: "as-role",
};
const UNIQUE_BYTES = 8;

export type ActionOptions = SendOptions & { description?: string };

/** `propose <action>` and `guardian <action>`: says what changes, then simulates, writes or sends. */
export async function runAction(
  session: Session,
  by: Action["by"],
  words: readonly [name: string, values: readonly string[]],
  options: ActionOptions,
): Promise<void> {
  const [name, values] = words;
  const action = actionNamed(name);
  if (action.by !== by) {
    throw new BaseError({
      code: "governance.badArgument",
      message: `${action.name} is done with: npm run governance -- ${COMMANDS[action.by]} ${action.name} ${action.usage}`,
    });
  }
  const sender = await senderOf(session, options);
  const deployer = await deployerOf(session, options, sender);
  const account = deployer?.address ?? sender.address;
  const plan = await planAction({ session, action, values, account });
  if (by === "guardian") {
    printPlan(plan);
    await deliver({
      ...{ session, options, sender, title: action.name },
      ...{ description: wordsOf(plan.calls), transactions: plan.calls.map(outgoing) },
    });
  } else {
    await propose({ session, options, sender, deployer, action, plan });
  }
}

/** Who deploys what a proposal needs: the signing account; also for a Safe, which its file cannot make deploy. */
async function deployerOf(
  session: Session,
  options: SendOptions,
  sender: Sender,
): Promise<Sender["signer"]> {
  if (options.safe === undefined) return sender.signer;
  const signers = (await session.connection.ethers.getSigners()) as unknown as JsonRpcSigner[];
  return signers[Number(options.account)];
}

/** What an action would change now. Errors name the value that is wrong, or say that nothing would change. */
export async function planAction(parameters: {
  session: Session;
  action: Action;
  values: readonly string[];
  account: string;
}): Promise<Plan> {
  const { session, action, account } = parameters;
  const { book, provider } = session;
  const usage = `${action.name} ${action.usage}`;
  const values = new Arguments({ values: parameters.values, usage });
  const plan = await action.build({ book, provider, values, account });
  values.end();
  for (const call of plan.calls) requireDeclared(action, call);
  return plan;
}

/** What an action may call is written down beside it, where a test compares it with docs/access-control.md. */
function requireDeclared({ name, functions }: Action, call: Call): void {
  const made = `${call.contract}.${signatureOf(call)}`;
  if (functions.some((declared) => declared === made)) return;
  throw new BaseError({
    code: "governance.undeclared",
    message: `${name} would call ${made}, which it does not declare`,
  });
}

export function printPlan({ calls, deployments = [] }: Plan): void {
  console.log("what will change:");
  for (const { words } of calls) console.log(`  ${words}`);
  if (deployments.length > 0) console.log("deployed beforehand, without effect until then:");
  for (const { contract, address, words } of deployments) {
    console.log(`  ${contract} ${address}: ${words}`);
  }
  console.log("calls:");
  for (const { contract, target, fragment } of calls) {
    console.log(`  ${contract} ${target}: ${fragment}`);
  }
}

export const wordsOf = (calls: Plan["calls"]): string => calls.map(({ words }) => words).join("; ");

export const outgoing = (call: Call): Outgoing => ({
  ...{ name: nameOfCall(call), target: call.target, data: encodeCall(call) },
});

async function propose(parameters: {
  session: Session;
  options: ActionOptions;
  sender: Sender;
  deployer: Sender["signer"];
  action: Action;
  plan: Plan;
}): Promise<void> {
  const { session, options, sender, deployer, action, plan } = parameters;
  const { deployments = [] } = plan;
  const governor = await session.contract("HacaGovernor");
  const calls = await asTimelock(session, plan);
  const text = options.description ?? wordsOf(calls);
  const unique = randomBytes(UNIQUE_BYTES).toString("hex");
  const proposal = proposalOf(calls, signedText({ text, unique, proposer: sender.address }));
  printPlan({ ...plan, calls });
  if (options.simulate) {
    console.log("simulated on a copy of the chain, the vote presumed to pass; nothing is sent:");
    await simulate({
      ...{ book: session.book, network: options.network, proposal, deployments },
      ...{ account: sender.address, report: (line) => console.log(`  ${line}`) },
    });
    return;
  }
  await requireThreshold({ session, governor, account: sender.address });
  if (deployments.length > 0) {
    if (deployer === undefined) {
      throw new BaseError({
        code: "governance.badArgument",
        message: `${action.name} deploys contracts first: network ${options.network} needs an account for that`,
      });
    }
    console.log("deploying:");
    await deployBeforehand({ deployments, signer: deployer });
  }
  const transactions = [
    { name: "propose", target: await governor.getAddress(), data: proposeData(proposal) },
  ];
  const [receipt] = await deliver({
    ...{ session, options, sender, title: action.name, description: text, transactions },
  });
  await reportNumber({ session, governor, proposal, isSent: receipt !== undefined });
}

/** A proposal has a number for its voters once it exists; before, it is only what it would be. */
async function reportNumber(parameters: {
  session: Session;
  governor: ContractOf<"HacaGovernor">;
  proposal: Proposal;
  isSent: boolean;
}): Promise<void> {
  const { governor, proposal, isSent } = parameters;
  const proposalId = idOf(proposal);
  if (!isSent) {
    console.log(`expected number, once the Safe has sent it: ${proposalId}`);
    return;
  }
  const snapshot = await governor.proposalSnapshot(proposalId);
  const deadline = await governor.proposalDeadline(proposalId);
  console.log(`proposal ${proposalId}`);
  console.log(`  vote from ${isoTime(snapshot)} to ${isoTime(deadline)}`);
}

/** Error: `governance.refused`, before anything is deployed or sent. */
async function requireThreshold(parameters: {
  session: Session;
  governor: ContractOf<"HacaGovernor">;
  account: string;
}): Promise<void> {
  const { session, governor, account } = parameters;
  const needed = await governor.proposalThreshold();
  const latest = (await session.provider.getBlock("latest"))?.timestamp ?? 0;
  const now = await nextBlockTime(session.provider);
  // The governor looks one second back; a block of this very second cannot be asked for yet.
  const at = now - 1n < BigInt(latest) ? now - 1n : BigInt(latest) - 1n;
  const { votes, words } = await describeVotes(session, governor, { account, at });
  if (votes >= needed) return;
  throw new BaseError({
    code: "governance.refused",
    message:
      `${account} has ${words} and needs ${formatUnits(needed, 18)} to propose; ` +
      "tokens vote once they are delegated: npm run governance -- delegate <account>; stake in a validator's pool votes for its delegator",
  });
}
