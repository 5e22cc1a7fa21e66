/** `npm run governance -- <command>`: proposals from the command line. */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { addressBookPath, readAddressBook } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import { Contract, Interface, type Provider } from "ethers";
import hre from "hardhat";
import { connect, firstLine } from "../deploy/connect.ts";
import { reportFailure } from "../lib/reportFailure.ts";
import { ACTIONS, actionNamed } from "./actions.ts";
import { Arguments } from "./arguments.ts";
import { addressOf, encodeCall } from "./call.ts";
import { describeCall } from "./describeCall.ts";
import { byHash, byText, findProposal, proposalOf, STATE_NAMES } from "./proposals.ts";
import { proposeData, safeBatch } from "./safeBatch.ts";
import { simulate } from "./simulate.ts";

const SUPPORT = ["against", "for", "abstain"];

const HELP = `Builds, simulates, submits and follows proposals. Says in words what changes before anything is signed.

usage: npm run governance -- propose <action> <values> [--description <text>] [--simulate | --safe <file>]
       npm run governance -- guardian <action> <values> [--safe <file>]
       npm run governance -- vote <proposal id> for|against|abstain
       npm run governance -- queue|execute|cancel|status|decode <proposal id>
       npm run governance -- list

  --network      default localhost
  --account      which of the network's accounts signs (default 0)
  --description  what voters read (default: the words of the action)
  --simulate     run the whole life of the proposal on a copy of the chain, submit nothing
  --safe         write the transaction for a Safe's transaction builder, submit nothing

actions:
${ACTIONS.map(
  ({ name, usage, summary, by }) =>
    `  ${by === "guardian" ? "guardian" : "propose "} ${name} ${usage}\n             ${summary}`,
).join("\n")}`;

function parse() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      network: { type: "string", default: "localhost" },
      account: { type: "string", default: "0" },
      description: { type: "string" },
      simulate: { type: "boolean", default: false },
      safe: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  return { ...values, positionals };
}

async function open(options: ReturnType<typeof parse>) {
  const { connection, chainId } = await connect(options.network);
  const book = readAddressBook(addressBookPath(chainId));
  const signers = await connection.ethers.getSigners();
  const signer = signers[Number(options.account)];
  const contract = async (name: string, address = addressOf(book, name)): Promise<Contract> =>
    (await connection.ethers.getContractAt(name, address, signer)) as unknown as Contract;
  return {
    connection,
    book,
    contract,
    provider: connection.ethers.provider as unknown as Provider,
  };
}
type Session = Awaited<ReturnType<typeof open>>;

/** Sends one transaction and waits for it; a refusal becomes one line. */
async function send(contract: Contract, name: string, values: readonly unknown[]): Promise<void> {
  try {
    const sent = await contract.getFunction(name)(...values);
    const receipt = await sent.wait();
    console.log(`  ${name}: transaction ${receipt.hash} in block ${receipt.blockNumber}`);
  } catch (cause) {
    throw new BaseError({
      code: "governance.refused",
      message: `${name}: ${firstLine(cause)}`,
      cause,
    });
  }
}

async function runAction(session: Session, options: ReturnType<typeof parse>): Promise<void> {
  const { book, provider, connection } = session;
  const [command, name, ...rest] = options.positionals;
  const action = actionNamed(name);
  const expected = command === "guardian" ? "guardian" : "proposal";
  if (action.by !== expected) {
    throw new BaseError({
      code: "governance.badArgument",
      message: `${action.name} is done with: npm run governance -- ${action.by === "guardian" ? "guardian" : "propose"} ${action.name} ${action.usage}`,
    });
  }
  const values = new Arguments({ values: rest, usage: `${action.name} ${action.usage}` });
  const calls = await action.build({ book, provider, values });
  values.end();
  console.log("what will change:");
  for (const { words } of calls) console.log(`  ${words}`);
  console.log("calls:");
  for (const { contract, target, fragment } of calls)
    console.log(`  ${contract} ${target}: ${fragment}`);

  const description = options.description ?? calls.map(({ words }) => words).join("; ");
  const proposal = proposalOf(calls, description);
  const batch = (transactions: { target: string; data: string }[]): void => {
    if (options.safe === undefined) return;
    writeFileSync(
      options.safe,
      safeBatch({ chainId: book.chainId, name: action.name, description, calls: transactions }),
    );
    console.log(`written to ${options.safe}`);
  };

  if (action.by === "guardian") {
    if (options.safe !== undefined) {
      batch(calls.map((call) => ({ target: call.target, data: encodeCall(call) })));
      return;
    }
    for (const call of calls) {
      const fragment = new Interface([call.fragment]);
      const [signer] = [(await connection.ethers.getSigners())[Number(options.account)]];
      const contract = new Contract(call.target, fragment, signer as never);
      await send(
        contract,
        fragment.fragments[0]?.format("sighash").split("(")[0] ?? "",
        call.arguments,
      );
    }
    return;
  }
  if (options.simulate) {
    const url = hre.config.networks[options.network];
    if (url === undefined || url.type !== "http") throw new Error("a network without a URL");
    console.log("simulated on a copy of the chain, the vote presumed to pass:");
    for (const line of await simulate({ book, url: await url.url.get(), proposal })) {
      console.log(`  ${line}`);
    }
    return;
  }
  const governor = await session.contract("HacaGovernor");
  const proposalId = await governor.getFunction("hashProposal")(...byHash(proposal));
  console.log(`proposal ${proposalId}`);
  if (options.safe !== undefined) {
    batch([{ target: await governor.getAddress(), data: proposeData(byText(proposal)) }]);
    return;
  }
  await send(governor, "propose", byText(proposal));
}

async function onProposal(session: Session, options: ReturnType<typeof parse>): Promise<void> {
  const { book } = session;
  const [command = "", text = "", choice = ""] = options.positionals;
  if (!/^[0-9]+$/.test(text)) {
    throw new BaseError({
      code: "governance.badArgument",
      message: `${command} needs the number of a proposal, got ${text}`,
    });
  }
  const proposalId = BigInt(text);
  const governor = await session.contract("HacaGovernor");
  const fromBlock = book.contracts.HacaGovernor?.block ?? 0;
  const proposal = await findProposal({ governor, fromBlock, proposalId });
  if (command === "vote") {
    const support = SUPPORT.indexOf(choice);
    if (support < 0) {
      throw new BaseError({
        code: "governance.badArgument",
        message: `a vote is one of ${SUPPORT.join(", ")}, got ${choice}`,
      });
    }
    await send(governor, "castVote", [proposalId, support]);
  } else if (command === "queue" || command === "execute") {
    await send(governor, command, byHash(proposal));
  } else if (command === "cancel") {
    await cancel(session, governor, proposal, proposalId);
  } else {
    await show(session, governor, proposal, proposalId, command === "status");
  }
}

/** The proposer cancels what is not voted on yet; afterwards it is the guardian's, in the timelock. */
async function cancel(
  session: Session,
  governor: Contract,
  proposal: Awaited<ReturnType<typeof findProposal>>,
  proposalId: bigint,
): Promise<void> {
  const state = STATE_NAMES[Number(await governor.getFunction("state")(proposalId))];
  if (state !== "queued") return send(governor, "cancel", byHash(proposal));
  const timelock = await session.contract("TimelockController");
  const [targets, values, calldatas, descriptionHash] = byHash(proposal);
  const salt = (BigInt(await governor.getAddress()) << 96n) ^ BigInt(descriptionHash);
  const operation = await timelock.getFunction("hashOperationBatch")(
    ...[targets, values, calldatas, `0x${"00".repeat(32)}`],
    `0x${salt.toString(16).padStart(64, "0")}`,
  );
  await send(timelock, "cancel", [operation]);
}

async function show(
  session: Session,
  governor: Contract,
  proposal: Awaited<ReturnType<typeof findProposal>>,
  proposalId: bigint,
  withState: boolean,
): Promise<void> {
  const { book } = session;
  const names = [...Object.keys(book.contracts), "VestingVault"];
  const interfaces = new Map<string, Interface>();
  for (const name of names) {
    interfaces.set(name, new Interface((await hre.artifacts.readArtifact(name)).abi));
  }
  console.log(`proposal ${proposalId} by ${proposal.proposer}\n  ${proposal.description}`);
  proposal.targets.forEach((target, index) => {
    const data = proposal.calldatas[index] ?? "0x";
    const interfaceOf = (name: string) => interfaces.get(name);
    console.log(`  ${describeCall({ book, interfaceOf, target, data })}`);
  });
  if (!withState) return;
  const read = (view: string) => governor.getFunction(view)(proposalId);
  const moment = (seconds: bigint): string =>
    seconds === 0n ? "not yet" : new Date(Number(seconds) * 1000).toISOString();
  const [against, inFavour, abstain] = await read("proposalVotes");
  const snapshot: bigint = await read("proposalSnapshot");
  console.log(`  state ${STATE_NAMES[Number(await read("state"))]}`);
  console.log(`  vote from ${moment(snapshot)} to ${moment(await read("proposalDeadline"))}`);
  console.log(`  for ${inFavour}, against ${against}, abstain ${abstain} (smallest units)`);
  console.log(`  executable from ${moment(await read("proposalEta"))}`);
}

async function list(session: Session): Promise<void> {
  const governor = await session.contract("HacaGovernor");
  const events = await governor.queryFilter(
    "ProposalCreated",
    session.book.contracts.HacaGovernor?.block,
  );
  for (const event of events) {
    if (!("args" in event)) continue;
    const { proposalId, description } = event.args;
    const state = STATE_NAMES[Number(await governor.getFunction("state")(proposalId))];
    console.log(`${proposalId}  ${state}  ${description}`);
  }
  console.log(`${events.length} proposals`);
}

async function main(): Promise<void> {
  const options = parse();
  const [command] = options.positionals;
  if (options.help || command === undefined) {
    console.log(HELP);
    return;
  }
  const session = await open(options);
  try {
    if (command === "propose" || command === "guardian") await runAction(session, options);
    else if (command === "list") await list(session);
    else if (["vote", "queue", "execute", "cancel", "status", "decode"].includes(command)) {
      await onProposal(session, options);
    } else {
      throw new BaseError({
        code: "governance.badArgument",
        message: `no command ${command}: npm run governance -- --help`,
      });
    }
  } finally {
    await session.connection.close();
  }
}

main().catch(reportFailure);
