import { type KnownVendor, VENDORS, vendorOf } from "@haca/attestation/vendors";
import { selectorOf } from "@haca/protocol/accessTable";
import { BaseError } from "@haca/protocol/baseError";
import type { ContractName } from "@haca/protocol/contracts";
import { CONTRACT_ROWS } from "@haca/protocol/contracts";
import { ROLES, TIMELOCK_ROLES } from "@haca/protocol/roles";
import { AbiCoder, getAddress, getCreateAddress, id, ZeroAddress } from "ethers";
import type { Report } from "../../lib/progress.ts";
import { compiledContract } from "../compiled/compiledContract.ts";
import { matchCode } from "../compiled/matchCode.ts";
import type { Block, ChainReader, Log } from "../reader/chainReader.ts";
import { readLogs } from "../reader/logs.ts";
import { decodeLogs } from "./events.ts";
import { History } from "./history.ts";
import { Names } from "./names.ts";

/** A contract that vouches, or once vouched, for enclaves, whose evidence it reads, and the store that it stands on. */
export type Verifier = { address: string; vendor: KnownVendor; store: string | undefined };

/** Everything that can be found from one contract of a deployment. */
export type Discovered = {
  /** by their place in the deployment: what the code is, is checked apart from it */
  contracts: Map<ContractName, string>;
  /** these, and others that have or had the same place */
  instances: Map<string, ContractName>;
  /** whatever the AccessManager has, or had, rules for */
  targets: string[];
  /** all that the registry ever trusted, in order */
  verifiers: Verifier[];
  /** all that the governor ever went by, in order; the first one is the deployment's */
  timelocks: string[];
  history: History;
  names: Names;
  governorLogs: readonly Log[];
};

/** Contracts whose functions the AccessManager restricts, each known by one of them. */
const TELLING_FUNCTIONS: readonly (readonly [ContractName, string])[] = [
  ["InferenceSettlement", "setSettlementWindow(uint64)"],
  ["TEERegistry", "setVerifier(uint8,address)"],
  ["NodeBonds", "setAmount(uint96)"],
  ["PageSettlement", "pauseProposals(uint64)"],
  ["ValidatorStaking", "setParameters((uint96,uint96,uint16,uint16,uint16,uint96))"],
  ["RewardRouter", "setRecipient(address)"],
  ["DataFeeds", "closeFeed(bytes32)"],
  ["InferenceEscrow", "setToken(address,bool)"],
  ["CertificateStore", "revokeUnseen(bytes,uint256)"],
];
/** Contracts that read others and that nothing on the chain names: an address book alone tells where they are. */
export const POWERLESS: ReadonlySet<ContractName> = new Set<ContractName>([
  "TEERegistryLens",
  "LegacySettlement",
  "ChannelGates",
  "CommerceOperators",
]);
/** What makes clones with the escrow's fee, and the code behind those, which its constructor makes first. */
const MAKERS: Readonly<Partial<Record<ContractName, ContractName>>> = {
  ChannelGates: "ChannelGate",
  CommerceOperators: "CommerceOperator",
};
/** Contracts whose settings the check reads by their events. */
const GOVERNED = [
  ...(["PageSettlement", "ValidatorStaking", "RewardRouter", "DataFeeds"] as const),
  "InferenceEscrow",
] as const;
const TRANSFER = id("Transfer(address,address,uint256)");
const NOBODY = `0x${"00".repeat(32)}`;

/** Whose code it is, if it is one of this repository's contracts. */
export async function identify(code: string): Promise<ContractName | undefined> {
  for (const { name } of CONTRACT_ROWS) {
    if (matchCode(code, await compiledContract(name)) !== undefined) return name;
  }
  return undefined;
}

/** One value of a view; undefined where the contract does not answer it. */
export async function ask(
  reader: ChainReader,
  address: string | undefined,
  fragment: string,
  ...values: unknown[]
): Promise<unknown> {
  if (address === undefined) return undefined;
  try {
    return (await reader.view(address, fragment, ...values))[0];
  } catch (error) {
    const code = error instanceof BaseError ? error.code : "";
    if (code === "chain.refused" || code === "chain.notThatContract") return undefined;
    throw error;
  }
}

/** The AccessManager of a deployment, from it or from any contract that it rules. Errors: `deployCheck.noCode`, `.notOurs`. */
export async function findManager(reader: ChainReader, address: string): Promise<string> {
  const code = await reader.code(address);
  if (code === "0x") {
    throw new BaseError({
      code: "deployCheck.noCode",
      message: `there is no contract at ${address} on chain ${reader.chainId}`,
    });
  }
  if ((await identify(code)) === "AccessManager") return address;
  const authority = await ask(reader, address, "function authority() view returns (address)");
  if (typeof authority === "string" && (await reader.code(authority)) !== "0x") return authority;
  const store = await ask(reader, address, "function CERTIFICATES() view returns (address)");
  if (typeof store === "string") return await findManager(reader, store);
  throw new BaseError({
    code: "deployCheck.notOurs",
    message: `${address} is not ruled by an AccessManager: give the TEERegistry's address, the InferenceSettlement's or the AccessManager's`,
  });
}

/** Follows events and views from the AccessManager to every other contract. */
export async function discover(parameters: {
  reader: ChainReader;
  manager: string;
  /** where the search began */
  start: string;
  /** contracts that an address book names: those that obey the manager without any rule of it are found by it alone */
  named: readonly string[];
  from: number;
  head: Block;
  report: Report;
}): Promise<Discovered> {
  const { reader, manager, start, named, from, head, report } = parameters;
  const found = new Discovery({ reader, from, head, report });
  await found.place("AccessManager", manager);
  await found.readEvents(["AccessManager", manager]);
  const { history, contracts } = found;

  const rules = history.of(manager, "TargetFunctionRoleUpdated");
  const targets = [
    ...new Set(
      history
        .of(manager, "TargetFunctionRoleUpdated", "TargetClosed", "TargetAdminDelayUpdated")
        .map(({ args }) => args.target as string),
    ),
  ];
  const obedient = await found.obeying(manager, named);
  for (const target of new Set([start, ...targets, ...obedient])) {
    if (target === manager) continue;
    const selectors = rules.filter(({ args }) => args.target === target);
    const telling = TELLING_FUNCTIONS.find(([, signature]) =>
      selectors.some(({ args }) => args.selector === selectorOf(signature)),
    );
    const name = (await identify(await reader.code(target))) ?? telling?.[0];
    if (name !== undefined) await found.place(name, target);
  }
  const admins = history
    .of(manager, "RoleGranted")
    .filter(({ args }) => args.roleId === ROLES.ADMIN);
  await found.placeFirst(
    "TimelockController",
    admins.map(({ args }) => args.account),
    "getMinDelay",
  );
  const settlement = contracts.get("InferenceSettlement");
  await found.placeView("ModelRegistry", settlement, "modelRegistry");
  const registry = contracts.get("TEERegistry");
  await found.placeView("SigningKeys", registry, "signingKeys");
  for (const name of ["TimelockController", "InferenceSettlement", "TEERegistry"] as const) {
    await found.readEvents([name, contracts.get(name)]);
  }
  const timelock = contracts.get("TimelockController");
  const proposers = history
    .of(timelock, "RoleGranted")
    .filter(({ args }) => args.role === TIMELOCK_ROLES.PROPOSER_ROLE);
  await found.placeFirst(
    "HacaGovernor",
    proposers.map(({ args }) => args.account),
    "votingDelay",
  );

  const verifiers: Verifier[] = [];
  for (const { args } of history.of(registry, "VerifierChanged")) {
    const address: string = args.current;
    if (address === ZeroAddress || verifiers.some((known) => known.address === address)) continue;
    const vendor = await found.vendorOf(address);
    await found.place(vendor.verifier, address);
    const certificates = await found.view(address, "CERTIFICATES");
    const store = certificates === ZeroAddress ? undefined : certificates;
    verifiers.push({ address, vendor, store });
    await found.placeView("EcdsaP384", address, "ECDSA_P384");
    if (store !== undefined) {
      const name = vendor.certificateStore ?? "CertificateStore";
      await found.place(name, store);
      await found.readEvents([name, store]);
    }
  }
  for (const account of registry === undefined ? [] : named) {
    const name = await identify(await reader.code(account));
    if (name === undefined) continue;
    // A vendor's verifier is created with the rest, and taken by the registry when governance has decided so.
    const isVerifier = VENDORS.some(({ verifier }) => verifier === name);
    const views = [await found.view(account, "REGISTRY"), await found.view(account, "registry")];
    const isOfRegistry = POWERLESS.has(name) && views.includes(registry);
    const escrow = contracts.get("InferenceEscrow");
    const code = MAKERS[name];
    const isOfEscrow =
      code !== undefined &&
      escrow !== undefined &&
      (await found.view(account, "ESCROW")) === escrow;
    if (isVerifier || isOfRegistry || isOfEscrow) await found.place(name, account);
    if (code !== undefined && isOfEscrow) {
      await found.place(code, getCreateAddress({ from: account, nonce: 1 }));
    }
  }
  for (const { args } of history.of(registry, "BondsChanged")) {
    await found.place("NodeBonds", args.current);
  }
  await found.readEvents(["NodeBonds", contracts.get("NodeBonds")]);
  for (const name of GOVERNED) await found.readEvents([name, contracts.get(name)]);

  const governor = contracts.get("HacaGovernor");
  const governorLogs = await found.readEvents(["HacaGovernor", governor]);
  const timelocks = timelock === undefined ? [] : [timelock];
  for (const { args } of history.of(governor, "TimelockChange").slice(1)) {
    const replacement: string = args.newTimelock;
    if (timelocks.includes(replacement)) continue;
    timelocks.push(replacement);
    await found.place("TimelockController", replacement);
    await found.readEvents(["TimelockController", replacement]);
  }
  await found.findToken(governor, governorLogs[0]?.block ?? head.number);
  const { names, instances } = found;
  return { contracts, instances, targets, verifiers, timelocks, history, names, governorLogs };
}

class Discovery {
  readonly contracts = new Map<ContractName, string>();
  readonly instances = new Map<string, ContractName>();
  readonly history = new History();
  readonly names = new Names();
  readonly #reader: ChainReader;
  readonly #from: number;
  readonly #head: Block;
  readonly #report: Report;
  readonly #read = new Set<string>();

  constructor(parameters: { reader: ChainReader; from: number; head: Block; report: Report }) {
    this.#reader = parameters.reader;
    this.#from = parameters.from;
    this.#head = parameters.head;
    this.#report = parameters.report;
  }

  /** Gives a contract its place. The first one of a name is the deployment's; later ones are known by it, too. */
  async place(name: ContractName, address: string): Promise<void> {
    if (address === ZeroAddress) return;
    if (!this.contracts.has(name)) this.contracts.set(name, address);
    if (!this.instances.has(address)) this.instances.set(address, name);
    this.names.addContract(address, await compiledContract(name));
  }

  /** Those of some accounts whose authority a manager is. */
  async obeying(manager: string, accounts: readonly string[]): Promise<string[]> {
    const obedient: string[] = [];
    for (const account of accounts) {
      if ((await this.view(account, "authority")) === manager) obedient.push(account);
    }
    return obedient;
  }

  async view(address: string | undefined, view: string): Promise<string | undefined> {
    const answer = await ask(this.#reader, address, `function ${view}() view returns (address)`);
    return typeof answer === "string" ? answer : undefined;
  }

  /** Whose evidence a verifier says it reads; of the first vendor where it says nothing known, which its code refutes. */
  async vendorOf(verifier: string): Promise<KnownVendor> {
    const fragment = "function evidenceType() view returns (bytes32)";
    const known = vendorOf(String(await ask(this.#reader, verifier, fragment))) ?? VENDORS[0];
    if (known === undefined) throw new RangeError("there are no vendors of evidence");
    return known;
  }

  async placeView(name: ContractName, of: string | undefined, view: string): Promise<void> {
    const address = await this.view(of, view);
    if (address !== undefined) await this.place(name, address);
  }

  /** The one of some accounts that is such a contract: by its code, or else by answering as one. */
  async placeFirst(name: ContractName, accounts: string[], view: string): Promise<void> {
    for (const account of accounts) {
      if ((await identify(await this.#reader.code(account))) === name) {
        await this.place(name, account);
      }
    }
    for (const account of accounts) {
      if (this.contracts.has(name) || (await this.#reader.code(account)) === "0x") continue;
      const fragment = `function ${view}() view returns (uint256)`;
      if ((await ask(this.#reader, account, fragment)) !== undefined)
        await this.place(name, account);
    }
  }

  /** Reads all events of a contract into the history. */
  async readEvents([name, address]: readonly [ContractName, string | undefined]): Promise<Log[]> {
    if (address === undefined || this.#read.has(address)) return [];
    this.#read.add(address);
    const { abi } = await compiledContract(name);
    const logs = await readLogs({
      ...{ reader: this.#reader, address, topics: await topicsOf(name) },
      ...{ from: this.#from, to: this.#head.number },
      report: (detail) => this.#report(`${name}: ${detail}`),
    });
    this.history.add(decodeLogs(name, abi, logs));
    return logs;
  }

  /** From the governor to whom it asks for votes, to the token, to who was given its whole supply, and to what that made. */
  async findToken(governor: string | undefined, until: number): Promise<void> {
    await this.placeView("StakedVotes", governor, "token");
    await this.placeView("OPG", this.contracts.get("StakedVotes"), "TOKEN");
    await this.placeView("OPG", this.contracts.get("NodeBonds"), "TOKEN");
    const token = this.contracts.get("OPG");
    if (token === undefined) return;
    const mints = await readLogs({
      ...{ reader: this.#reader, address: token, topics: [TRANSFER, NOBODY] },
      ...{ from: this.#from, to: until, report: this.#report },
    });
    const [mint] = mints;
    if (mint === undefined) return;
    const [holder] = AbiCoder.defaultAbiCoder().decode(["address"], mint.topics[2] ?? NOBODY);
    const genesis = getAddress(holder);
    await this.place("GenesisDistribution", genesis);
    await this.placeView("VestingFactory", genesis, "vestingFactory");
    await this.placeView("MerkleAirdrop", genesis, "airdrop");
    const factory = this.contracts.get("VestingFactory");
    await this.placeView("VestingVault", factory, "implementation");
    for (const name of ["GenesisDistribution", "VestingFactory"] as const) {
      const address = this.contracts.get(name);
      if (address === undefined) continue;
      const logs = await readLogs({
        ...{ reader: this.#reader, address, from: mint.block, to: mint.block },
      });
      const { abi } = await compiledContract(name);
      this.history.add(decodeLogs(name, abi, logs));
    }
  }
}

/** Heartbeats of nodes, pages, stake, rounds of feeds, payments and what becomes of them are many, and give nobody power. */
const NO_POWER =
  /^(Heartbeat|TEEAttested|TEERegistered|SessionKey.*|OhttpConfigChanged|Vote.*|BondLocked|BondReleased|CertificateStored|Page.*|SettledAgain|Challenge.*|Leaf.*|Deposited|Withdrawn|ForfeitsBurned|Validator.*|Pool.*|Key.*|Commission.*|Delegated|Undelegated|SnapshotFrozen|Slashed|Rewards.*|RoundPosted|ObservationSkipped|Job.*|Credit.*)$/;

async function topicsOf(name: ContractName): Promise<string[][]> {
  const { abi } = await compiledContract(name);
  const events: string[] = [];
  abi.forEachEvent(({ name: event, topicHash }) => {
    if (!NO_POWER.test(event)) events.push(topicHash);
  });
  return [events];
}
