import { writeFileSync } from "node:fs";
import { BaseError } from "@haca/protocol/baseError";
import { Contract } from "ethers";
import hre from "hardhat";
import { firstLine } from "../deploy/connect.ts";
import type { Action, Plan } from "./actions/action.ts";
import { actionNamed } from "./actions/actions.ts";
import { Arguments } from "./arguments.ts";
import { encodeCall, nameOfCall } from "./call.ts";
import { deployBeforehand } from "./deployBeforehand.ts";
import { byHash, byText, proposalOf } from "./proposals.ts";
import { proposeData, safeBatch } from "./safeBatch.ts";
import { type Options, type Session, send } from "./session.ts";
import { simulate } from "./simulate.ts";

const COMMANDS: Readonly<Record<Action["by"], string>> = {
  proposal: "propose",
  guardian: "guardian",
};

/** `propose <action>` and `guardian <action>`: says what changes, then simulates, writes or sends. */
export async function runAction(session: Session, options: Options): Promise<void> {
  const { book, provider, signer } = session;
  const [command, name, ...rest] = options.positionals;
  const action = actionNamed(name);
  if (COMMANDS[action.by] !== command) {
    throw new BaseError({
      code: "governance.badArgument",
      message: `${action.name} is done with: npm run governance -- ${COMMANDS[action.by]} ${action.name} ${action.usage}`,
    });
  }
  const values = new Arguments({ values: rest, usage: `${action.name} ${action.usage}` });
  const plan = await action.build({ book, provider, values, account: signer.address });
  values.end();
  printPlan(plan);
  if (action.by === "guardian") await asGuardian(session, options, action, plan);
  else await asProposal(session, options, action, plan);
}

function printPlan({ calls, deployments = [] }: Plan): void {
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

async function asGuardian(
  session: Session,
  options: Options,
  action: Action,
  { calls }: Plan,
): Promise<void> {
  const { signer, provider } = session;
  if (options.simulate) {
    for (const call of calls) {
      const request = { from: signer.address, to: call.target, data: encodeCall(call) };
      await provider.call(request).catch((cause: unknown) => {
        throw new BaseError({
          code: "governance.simulationFailed",
          message: `${nameOfCall(call)} fails: ${firstLine(cause)}`,
          cause,
        });
      });
      console.log(`  ${nameOfCall(call)} ok as ${signer.address}`);
    }
    return;
  }
  if (options.safe !== undefined) {
    const transactions = calls.map((call) => ({ target: call.target, data: encodeCall(call) }));
    writeBatch({ session, path: options.safe, action, description: wordsOf(calls), transactions });
    return;
  }
  for (const call of calls) {
    const contract = new Contract(call.target, [call.fragment], signer);
    await send(contract, nameOfCall(call), call.arguments);
  }
}

async function asProposal(
  session: Session,
  options: Options,
  action: Action,
  { calls, deployments = [] }: Plan,
): Promise<void> {
  const { book, signer } = session;
  const description = options.description ?? wordsOf(calls);
  const proposal = proposalOf(calls, description);
  if (options.simulate) {
    const network = hre.config.networks[options.network];
    if (network?.type !== "http") throw new Error("a network without a URL");
    console.log("simulated on a copy of the chain, the vote presumed to pass:");
    const url = await network.url.get();
    const account = signer.address;
    for (const line of await simulate({ book, url, proposal, deployments, account })) {
      console.log(`  ${line}`);
    }
    return;
  }
  if (deployments.length > 0) {
    console.log("deploying:");
    await deployBeforehand({ deployments, signer });
  }
  const governor = await session.contract("HacaGovernor");
  const proposalId = await governor.getFunction("hashProposal")(...byHash(proposal));
  console.log(`proposal ${proposalId}`);
  if (options.safe !== undefined) {
    const transactions = [
      { target: await governor.getAddress(), data: proposeData(byText(proposal)) },
    ];
    writeBatch({ session, path: options.safe, action, description, transactions });
    return;
  }
  await send(governor, "propose", byText(proposal));
}

const wordsOf = (calls: Plan["calls"]): string => calls.map(({ words }) => words).join("; ");

function writeBatch(parameters: {
  session: Session;
  path: string;
  action: Action;
  description: string;
  transactions: { target: string; data: string }[];
}): void {
  const { session, path, action, description, transactions } = parameters;
  const { chainId } = session.book;
  writeFileSync(path, safeBatch({ chainId, name: action.name, description, calls: transactions }));
  console.log(`written to ${path}`);
}
