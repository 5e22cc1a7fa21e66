import type { AddressBook } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import { CONTRACT_ROWS, type ListedName } from "@haca/protocol/contracts";
import { ROLES } from "@haca/protocol/roles";
import { getAddress } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { isDevelopmentChain } from "../../lib/connect.ts";
import type { Report } from "../../lib/progress.ts";
import { ChainReader } from "../reader/chainReader.ts";
import { Creations, firstBlockWithCode } from "../reader/creations.ts";
import { RpcError } from "../reader/rpc.ts";
import type { Audit } from "./audit.ts";
import { checkBook } from "./checkBook.ts";
import { checkCode, readConstructed } from "./checkCode.ts";
import { checkGenesis } from "./checkGenesis.ts";
import { checkGovernor } from "./checkGovernor.ts";
import { checkRegistry } from "./checkRegistry.ts";
import { checkRoles } from "./checkRoles.ts";
import { checkScheduled, checkTimelock } from "./checkTimelock.ts";
import { type Discovered, discover, findManager, POWERLESS } from "./discover.ts";
import { genesisOf } from "./expectations.ts";
import { type Finding, finding, unexpected } from "./finding.ts";
import { findHolders, type Holders } from "./holders.ts";
import { judgeParameters } from "./judgeParameters.ts";
import { Operations, type Scheduled } from "./operations.ts";

/** Compares what a deployment has just written with the chain and with this repository. */
export async function checkDeployment(parameters: {
  connection: NetworkConnection;
  book: AddressBook;
}): Promise<Finding[]> {
  const { connection, book } = parameters;
  const reader = readerOf(connection, book.chainId);
  return await auditDeployment({ reader, address: book.contracts.AccessManager.address, book });
}

/** Reads through a connection of Hardhat's. */
export function readerOf(connection: NetworkConnection, chainId: number): ChainReader {
  const request = async (method: string, params: readonly unknown[]): Promise<unknown> => {
    try {
      return await connection.provider.request({ method, params: [...params] });
    } catch (error) {
      const { code = 0, message = String(error) } = error as { code?: number; message?: string };
      throw new RpcError({ method, rpcCode: Number(code), text: message.split("\n")[0] ?? "" });
    }
  };
  return new ChainReader({ request, chainId });
}

/**
 * Finds everything that belongs to a deployment from one of its contracts and compares it with this repository: code
 * and its creation, who can decide what, and everything that was decided. Errors: `deployCheck.noCode`,
 * `deployCheck.notOurs`, `deployCheck.noStart`, and those of reading a chain.
 */
export async function auditDeployment(parameters: {
  reader: ChainReader;
  /** the AccessManager, or a contract that it rules */
  address: string;
  /** compared with the chain, and its transactions looked at first; nothing in it is believed */
  book?: AddressBook;
  /** the block in which the AccessManager was created; searched for if it is not given */
  fromBlock?: number;
  /** what the airdrop's root should be, from a list of its entries */
  airdropRoot?: string;
  /** judge by what a chain is for that is not thrown away */
  isPublic?: boolean;
  report?: Report;
}): Promise<Finding[]> {
  const { reader, book, report = () => {} } = parameters;
  const start = getAddress(parameters.address);
  const head = await reader.block("latest");
  const manager = await findManager(reader, start);
  const fromBlock = parameters.fromBlock ?? book?.contracts.AccessManager.block;
  const from = await firstBlock({ reader, manager, head: head.number, fromBlock });
  const named = Object.values(book?.contracts ?? {}).flatMap((entry) =>
    entry === undefined ? [] : getAddress(entry.address),
  );
  const discovered = await discover({ reader, manager, start, named, from, head, report });
  const audit: Audit = {
    ...discovered,
    ...{ reader, head, constructed: new Map(), findings: [] },
    isDevelopmentChain: parameters.isPublic !== true && isDevelopmentChain(reader.chainId),
    creations: new Map(),
  };
  const earliest = await findCreations({ audit, from, book, report });
  if (earliest < from) return await auditDeployment({ ...parameters, fromBlock: earliest });
  requireAll(audit);
  await judge(audit, book, report);
  if (parameters.airdropRoot !== undefined) {
    const root = genesisOf(audit)?.parameters.airdropRoot;
    audit.findings.push(finding("root of the airdrop's list", parameters.airdropRoot, root));
  }
  return audit.findings;
}

/** A deployment that was handed over has every contract that no chain lacks; of those without power nothing on the chain speaks. */
function requireAll({ contracts, findings }: Audit): void {
  if (!contracts.has("TimelockController")) return;
  for (const { isOptional, name } of CONTRACT_ROWS) {
    if (isOptional || contracts.has(name) || POWERLESS.has(name)) continue;
    findings.push(unexpected(name, "a contract of the deployment", "none can be found"));
  }
}

async function judge(audit: Audit, book: AddressBook | undefined, report: Report): Promise<void> {
  await readConstructed(audit);
  const manager = audit.contracts.get("AccessManager") ?? "";
  const timelock = audit.contracts.get("TimelockController");
  audit.history.findHandover({
    manager,
    timelock,
    deployer: audit.constructed.get(manager)?.[0] as string | undefined,
    timelockDeployer: audit.constructed.get(timelock ?? "")?.[3] as string | undefined,
  });
  const holders = findHolders(audit);
  nameHolders(audit, holders);
  audit.history.holders = new Set(
    [timelock, holders.governor, holders.guardian, holders.imageApprover].flatMap(
      (account) => account ?? [],
    ),
  );
  const scheduled = await readScheduled(audit, manager);
  audit.history.operations = new Operations({
    governor: holders.governor,
    governorLogs: audit.governorLogs,
    scheduled,
    names: audit.names,
    isApprover: approvers(audit, holders),
    timelocks: audit.timelocks,
  });
  report("code");
  await checkCode(audit);
  report("roles and rules");
  await checkRoles(audit, holders);
  report("timelock");
  await checkTimelock(audit, holders);
  await checkScheduled(audit, scheduled);
  report("TEE registry");
  await checkRegistry(audit);
  await checkGovernor(audit, holders);
  report("grants");
  await checkGenesis(audit);
  await judgeParameters(audit, holders);
  if (book !== undefined) await checkBook(audit, holders, book);
}

/** Where the deployment began. What is given is not believed: each creation has to be found from there on. */
async function firstBlock(parameters: {
  reader: ChainReader;
  manager: string;
  head: number;
  fromBlock: number | undefined;
}): Promise<number> {
  const { reader, manager, head, fromBlock } = parameters;
  if (fromBlock !== undefined) return fromBlock;
  try {
    return await firstBlockWithCode({ reader, address: manager, head });
  } catch (cause) {
    if (!(cause instanceof BaseError) || cause.code !== "chain.prunedState") throw cause;
    throw new BaseError({
      code: "deployCheck.noStart",
      message: `${cause.message}, so that the beginning of the deployment cannot be searched for: give --from-block, the block in which the AccessManager ${manager} was created (every block explorer shows it), or an endpoint with old state`,
      cause,
    });
  }
}

/**
 * Finds the transaction that created each contract that has one. Returns the block of the earliest contract that has
 * events: what is earlier than the search began was not seen.
 */
async function findCreations(parameters: {
  audit: Audit;
  from: number;
  book: AddressBook | undefined;
  report: Report;
}): Promise<number> {
  const { audit, from, book, report } = parameters;
  const { reader, head, history } = audit;
  const creations = new Creations({ reader, from, head: head.number, report });
  const made = CONTRACT_ROWS.filter(({ createdBy }) => createdBy !== undefined);
  const isMade = (name: string): boolean => made.some((row) => row.name === name);
  const instances = [...audit.instances].filter(([, name]) => !isMade(name));
  const firsts = new Map(instances.map(([address]) => [address, history.of(address)[0]]));
  const until = Math.max(from, ...[...firsts.values()].map((change) => change?.block ?? from));
  for (const [address, name] of instances) {
    report(`creation of ${name}`);
    const entry = book?.contracts[name as ListedName];
    const hints = [firsts.get(address)?.transaction, entry?.transaction];
    const transaction = await creations.find({ address, hints, until });
    if (transaction !== undefined) audit.creations.set(address, transaction);
  }
  return Math.min(
    ...[...audit.creations].flatMap(([address, { block }]) =>
      history.of(address).length > 0 ? block : [],
    ),
    from,
  );
}

function nameHolders({ names }: Discovered, holders: Holders): void {
  const { deployer, guardian, imageApprover } = holders;
  for (const [name, account] of [
    ["guardian", guardian],
    ["image approver", imageApprover],
    ["deployer", deployer],
  ] as const) {
    if (account !== undefined) names.add(account, name);
  }
}

/** Whoever was image approver at the hand-over, or was made one since by governance. */
const approvers = (audit: Audit, holders: Holders) => (account: string) =>
  account === holders.imageApprover ||
  audit.history
    .of(audit.contracts.get("AccessManager"), "RoleGranted")
    .some(
      (change) =>
        change.args.roleId === ROLES.IMAGE_APPROVER &&
        change.args.account === account &&
        audit.history.decisionOf(change)?.startsWith("by governance") === true,
    );

async function readScheduled(audit: Audit, manager: string): Promise<Scheduled[]> {
  const scheduled: Scheduled[] = [];
  for (const { args, block } of audit.history.of(manager, "OperationScheduled")) {
    const { timestamp } = await audit.reader.block(block);
    const due = Number(args[2]);
    scheduled.push({
      ...{ id: args.operationId, nonce: args.nonce, caller: args.caller, target: args.target },
      ...{ data: args.data, due, waited: due - timestamp },
    });
  }
  return scheduled;
}
