import { selectorOf } from "@haca/protocol/accessTable";
import { IMAGE_APPROVAL_DELAY } from "@haca/protocol/attestationParameters";
import type { ContractName } from "@haca/protocol/contracts";
import { feedIdOf } from "@haca/protocol/dataFeeds";
import { ROLES, TIMELOCK_ROLES } from "@haca/protocol/roles";
import { UPTO_PROXY_ADDRESS } from "@haca/protocol/signedPayments";
import {
  concat,
  getAddress,
  type Interface,
  id,
  type Provider,
  toBeHex,
  ZeroAddress,
  ZeroHash,
} from "ethers";
import hre from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { auditDeployment, readerOf } from "../../scripts/deploy/check/checkDeployment.ts";
import { type Finding, isMatch } from "../../scripts/deploy/check/finding.ts";
import { DEFAULT_SETTLEMENT_WINDOW } from "../../scripts/deploy/deployPart.ts";
import {
  type GovernanceParameters,
  readParameters,
} from "../../scripts/deploy/parameters/readParameters.ts";
import { runGovernanceModule } from "../../scripts/deploy/runGovernanceModule.ts";
import { type ContractOf, contractAt } from "../../scripts/lib/contracts.ts";
import { withOtherEnd } from "../contracts/utils/otherEnd.ts";
import { PARAMETERS } from "./localDeployment.ts";

const CHAIN_ID = 31337;
const PUBLIC_ROLE = 2n ** 64n - 1n;
const STRANGER = getAddress(`0x${"c0ffee00".padStart(40, "0")}`);
const BALANCE = toBeHex(10n ** 20n);
const pcrOf = (byte: string): string => `0x${byte.repeat(48)}`;
const IMAGE = [pcrOf("11"), pcrOf("22"), pcrOf("33")] as const;
const DAY = 86_400;

const governance = readParameters({ path: PARAMETERS, isDevelopmentChain: true });

/** What a test calls by a name of its own, wrong ones included. */
type Called = { readonly interface: Interface; readonly target: string };

/** A deployment on a chain in memory, and hands to change it with. */
const FEED_TERMS = { description: "ETH / USD", decimals: 8, sourceHash: id("source") };
const { description, decimals, sourceHash } = FEED_TERMS;
const FEED = [description, decimals, sourceHash, [3_600, 200, 3]] as const;

class Sandbox {
  readonly connection: NetworkConnection;
  readonly manager: ContractOf<"AccessManager">;
  readonly timelock: ContractOf<"TimelockController">;
  readonly governor: ContractOf<"HacaGovernor">;
  readonly registry: ContractOf<"TEERegistry">;
  readonly settlement: ContractOf<"InferenceSettlement">;
  readonly bonds: ContractOf<"NodeBonds">;
  readonly feeds: ContractOf<"DataFeeds">;
  readonly escrow: ContractOf<"InferenceEscrow">;
  readonly store: ContractOf<"CertificateStore">;
  readonly opg: ContractOf<"OPG">;

  private constructor(
    connection: NetworkConnection,
    of: Record<
      | "manager"
      | "timelock"
      | "governor"
      | "registry"
      | "settlement"
      | "bonds"
      | "feeds"
      | "escrow"
      | "store"
      | "opg",
      string
    >,
  ) {
    this.connection = connection;
    const at = <Name extends ContractName>(name: Name, address: string) =>
      contractAt({ name, address, runner: this.provider });
    this.manager = at("AccessManager", of.manager);
    this.timelock = at("TimelockController", of.timelock);
    this.governor = at("HacaGovernor", of.governor);
    this.registry = at("TEERegistry", of.registry);
    this.settlement = at("InferenceSettlement", of.settlement);
    this.bonds = at("NodeBonds", of.bonds);
    this.feeds = at("DataFeeds", of.feeds);
    this.escrow = at("InferenceEscrow", of.escrow);
    this.store = at("CertificateStore", of.store);
    this.opg = at("OPG", of.opg);
  }

  static async create(changes: Partial<GovernanceParameters> = {}): Promise<Sandbox> {
    const connection = (await hre.network.create({
      network: "default",
      chainType: "l1",
    })) as unknown as NetworkConnection;
    // The escrow looks whether there is a proxy, not what it is.
    const params = [UPTO_PROXY_ADDRESS, "0x00"];
    await connection.provider.request({ method: "hardhat_setCode", params });
    const { contracts: deployed } = await runGovernanceModule({
      ...{ connection, uptoProxy: UPTO_PROXY_ADDRESS },
      settlementWindow: DEFAULT_SETTLEMENT_WINDOW,
      governance: { ...governance, ...changes },
    });
    const address = (contract: { getAddress(): Promise<string> }) => contract.getAddress();
    return new Sandbox(connection, {
      manager: await address(deployed.accessManager),
      timelock: await address(deployed.timelock),
      governor: await address(deployed.governor),
      registry: await address(deployed.teeRegistry),
      settlement: await address(deployed.inferenceSettlement),
      bonds: await address(deployed.nodeBonds),
      feeds: await address(deployed.dataFeeds),
      escrow: (await deployed.inferenceEscrow?.getAddress()) ?? "",
      store: await address(deployed.certificateStore),
      opg: await address(deployed.opg),
    });
  }

  get provider(): Provider {
    return this.connection.ethers.provider as unknown as Provider;
  }

  async rpc(method: string, ...params: unknown[]): Promise<unknown> {
    return await this.connection.provider.request({ method, params });
  }

  /** Calls as any account, which the chain's owner can. */
  async as(account: string, contract: Called, call: string, ...values: unknown[]): Promise<void> {
    await this.rpc("hardhat_impersonateAccount", account);
    await this.rpc("hardhat_setBalance", account, BALANCE);
    const data = contract.interface.encodeFunctionData(call, values);
    const transaction = { from: account, to: contract.target, data, gas: toBeHex(10_000_000) };
    const hash = (await this.rpc("eth_sendTransaction", transaction)) as string;
    expect((await this.provider.getTransactionReceipt(hash))?.status, call).toBe(1);
  }

  /** As the timelock, but without any operation of it. */
  asTimelock(contract: Called, call: string, ...values: unknown[]): Promise<void> {
    return this.as(String(this.timelock.target), contract, call, ...values);
  }

  async later(seconds: number): Promise<void> {
    await this.rpc("evm_increaseTime", seconds);
    await this.rpc("evm_mine");
  }

  async deploy(code: string): Promise<string> {
    const hash = (await this.rpc("eth_sendTransaction", {
      from: await this.deployer(),
      data: code,
      gas: toBeHex(10_000_000),
    })) as string;
    return (await this.provider.getTransactionReceipt(hash))?.contractAddress ?? "";
  }

  async deployer(): Promise<string> {
    const [deployer] = (await this.rpc("eth_accounts")) as string[];
    return deployer ?? "";
  }

  /** A proposal from its submission to its execution by votes. */
  async decide(calls: readonly [Called, string, ...unknown[]][], until = "execute"): Promise<void> {
    const targets = calls.map(([contract]) => contract.target);
    const values = calls.map(() => 0n);
    const calldatas = calls.map(([contract, call, ...args]) =>
      contract.interface.encodeFunctionData(call, args),
    );
    const text = `test ${await this.provider.getBlockNumber()}`;
    const byHash = [targets, values, calldatas, id(text)] as const;
    const { liquidity } = governance;
    await this.as(liquidity, this.opg, "delegate", liquidity);
    await this.later(5);
    await this.as(liquidity, this.governor, "propose", targets, values, calldatas, text);
    const proposal = await this.governor.hashProposal(...byHash);
    await this.later(governance.governor.votingDelay + 1);
    await this.as(liquidity, this.governor, "castVote", proposal, 1);
    await this.later(governance.governor.votingPeriod + 1);
    await this.as(liquidity, this.governor, "queue", ...byHash);
    if (until === "queue") return;
    await this.later(governance.timelockDelay + 1);
    await this.as(liquidity, this.governor, "execute", ...byHash);
  }

  async audit(options: { isPublic?: boolean } = {}): Promise<Finding[]> {
    const reader = readerOf(this.connection, CHAIN_ID);
    return await auditDeployment({ reader, address: String(this.registry.target), ...options });
  }
}

const wrong = (findings: readonly Finding[]): string[] =>
  findings
    .filter((found) => !isMatch(found))
    .map(({ subject, expected, actual }) => `${subject}: ${expected}, but ${actual}`);
const noticed = (findings: readonly Finding[]): string =>
  findings
    .filter(({ kind }) => kind === "notice")
    .map(({ subject, actual }) => `${subject}: ${actual}`)
    .join("\n");

let sandbox: Sandbox;
let snapshot: unknown;
beforeAll(async () => {
  sandbox = await Sandbox.create();
});
afterAll(() => sandbox.connection.close());
beforeEach(async () => {
  snapshot = await sandbox.rpc("evm_snapshot");
});
afterEach(() => sandbox.rpc("evm_revert", snapshot));

/** A signature of what the chain's access table restricts. */
const selectors = (...signatures: string[]): string[] => signatures.map(selectorOf);

/** What is done to a deployment, and the words in which the check names it. */
const BACKDOORS: readonly [string, (box: Sandbox) => Promise<unknown>, string][] = [
  [
    "the administrator of a role is everybody",
    (box) => box.asTimelock(box.manager, "setRoleAdmin", ROLES.GOVERNANCE, PUBLIC_ROLE),
    "administrator of GOVERNANCE: ADMIN, but PUBLIC_ROLE (everybody)",
  ],
  [
    "the administrator of a role is a role that the project does not know",
    (box) => box.asTimelock(box.manager, "setRoleAdmin", ROLES.GUARDIAN, 77n),
    "administrator of GUARDIAN: ADMIN, but role 77",
  ],
  [
    "a feed that nobody voted for",
    (box) => box.asTimelock(box.feeds, "createFeed", ...FEED),
    "DataFeeds.feedCount: 0, but 1 (FeedCreated in block",
  ],
  [
    "other parameters of a feed than governance decided on",
    async (box) => {
      await box.decide([[box.feeds, "createFeed", ...FEED]]);
      const id = feedIdOf(FEED_TERMS);
      await box.asTimelock(box.feeds, "setFeedParameters", id, [60, 5_000, 3]);
    },
    `DataFeeds: parameters of ${feedIdOf(FEED_TERMS)}: 3600, 200, 3, but 60, 5000, 3`,
  ],
  [
    "a token that nobody voted for",
    (box) => box.asTimelock(box.escrow, "setToken", box.registry.target, true),
    "InferenceEscrow: TEERegistry 0x",
  ],
  [
    "a token that was taken away",
    (box) => box.asTimelock(box.escrow, "setToken", box.opg.target, false),
    "is taken: yes, but no (TokenAllowed in block",
  ],
  [
    "a fee for a stranger",
    (box) => box.asTimelock(box.escrow, "setFee", 1_000, STRANGER),
    `InferenceEscrow.fee: 0 % to nobody, but 10 % to ${STRANGER} (FeeChanged`,
  ],
  [
    "a second administrator",
    (box) => box.asTimelock(box.manager, "grantRole", ROLES.ADMIN, STRANGER, 0),
    `AccessManager ADMIN: ${STRANGER}: no member, but member, delay 0 s`,
  ],
  [
    "a member of a role that the project does not know",
    (box) => box.asTimelock(box.manager, "grantRole", 77n, STRANGER, 0),
    `AccessManager role 77: ${STRANGER}: no member, but member`,
  ],
  [
    "an administrator whose role begins later",
    async (box) => {
      await box.asTimelock(box.manager, "setGrantDelay", ROLES.ADMIN, 7 * DAY);
      await box.later(6 * DAY);
      await box.asTimelock(box.manager, "grantRole", ROLES.ADMIN, STRANGER, 0);
    },
    `AccessManager ADMIN: ${STRANGER}: no member, but member, delay 0 s, from`,
  ],
  [
    "an approver whose delay ends later",
    (box) =>
      box.asTimelock(box.manager, "grantRole", ROLES.IMAGE_APPROVER, governance.imageApprover, 0),
    "s, delay 0 s from",
  ],
  [
    "a registrar",
    (box) => box.asTimelock(box.manager, "grantRole", ROLES.REGISTRAR, STRANGER, 0),
    `AccessManager REGISTRAR: ${STRANGER}`,
  ],
  [
    "a second guardian",
    (box) => box.asTimelock(box.manager, "grantRole", ROLES.GUARDIAN, STRANGER, 0),
    `AccessManager GUARDIAN: ${STRANGER}`,
  ],
  [
    "a role that somebody had for a while",
    async (box) => {
      await box.asTimelock(box.manager, "grantRole", ROLES.GOVERNANCE, STRANGER, 0);
      await box.asTimelock(box.manager, "revokeRole", ROLES.GOVERNANCE, STRANGER);
    },
    `AccessManager GOVERNANCE: ${STRANGER}: no member, but no member (RoleGranted`,
  ],
  [
    "a role that somebody had for a while and gave up",
    async (box) => {
      await box.asTimelock(box.manager, "grantRole", ROLES.GOVERNANCE, STRANGER, 0);
      await box.as(STRANGER, box.manager, "renounceRole", ROLES.GOVERNANCE, STRANGER);
    },
    `AccessManager GOVERNANCE: ${STRANGER}: no member, but no member (RoleGranted`,
  ],
  [
    "nobody can stop an image approver",
    (box) => box.asTimelock(box.manager, "setRoleGuardian", ROLES.IMAGE_APPROVER, 77n),
    "guardian of IMAGE_APPROVER: GUARDIAN, but role 77",
  ],
  [
    "the guardian of another role is everybody",
    (box) => box.asTimelock(box.manager, "setRoleGuardian", ROLES.GOVERNANCE, PUBLIC_ROLE),
    "guardian of GOVERNANCE: ADMIN, but PUBLIC_ROLE",
  ],
  [
    "a grant delay that comes later",
    (box) => box.asTimelock(box.manager, "setGrantDelay", ROLES.GOVERNANCE, 365 * DAY),
    `grant delay of GOVERNANCE: 0 s, but 0 s, ${365 * DAY} s from`,
  ],
  [
    "a label that lies",
    (box) => box.asTimelock(box.manager, "labelRole", ROLES.REGISTRAR, "GUARDIAN"),
    "label of REGISTRAR: REGISTRAR, but GUARDIAN",
  ],
  [
    "a function that everybody may call",
    (box) =>
      box.asTimelock(
        ...([box.manager, "setTargetFunctionRole", box.registry.target] as const),
        ...[selectors("setVerifier(uint8,address)"), PUBLIC_ROLE],
      ),
    "TEERegistry.setVerifier needs: GOVERNANCE, but PUBLIC_ROLE",
  ],
  [
    "a function of the AccessManager that everybody may call",
    (box) =>
      box.asTimelock(
        ...([box.manager, "setTargetFunctionRole", box.manager.target] as const),
        ...[["0x12345678"], PUBLIC_ROLE],
      ),
    "AccessManager.0x12345678 needs: ADMIN, but PUBLIC_ROLE",
  ],
  [
    "a rule for a contract that is none of the deployment's",
    (box) =>
      box.asTimelock(
        ...([box.manager, "setTargetFunctionRole", STRANGER] as const),
        ...[["0x12345678"], ROLES.GUARDIAN],
      ),
    `rules for ${STRANGER}`,
  ],
  [
    "a closed target",
    (box) => box.asTimelock(box.manager, "setTargetClosed", box.store.target, true),
    "CertificateStore 0x",
  ],
  [
    "a contract whose rules nobody can change for a year",
    (box) => box.asTimelock(box.manager, "setTargetAdminDelay", box.registry.target, 365 * DAY),
    `: 0 s, but 0 s, ${365 * DAY} s from`,
  ],
  [
    "a contract that obeys another AccessManager",
    async (box) => {
      const { bytecode } = await hre.artifacts.readArtifact("AccessManager");
      const other = await box.deploy(concat([bytecode, toBeHex(STRANGER, 32)]));
      await box.asTimelock(box.manager, "updateAuthority", box.settlement.target, other);
    },
    "authority of InferenceSettlement",
  ],
  [
    "an operation of the AccessManager that no approver scheduled",
    async (box) => {
      await box.asTimelock(box.manager, "grantRole", ROLES.ADMIN, STRANGER, DAY);
      const call = box.manager.interface.encodeFunctionData("setRoleAdmin", [1n, PUBLIC_ROLE]);
      await box.as(STRANGER, box.manager, "schedule", box.manager.target, call, 0);
      await box.asTimelock(box.manager, "revokeRole", ROLES.ADMIN, STRANGER);
    },
    "AccessManager.setRoleAdmin(roleId: 1, admin: 18446744073709551615); its call is none",
  ],
  [
    "an image that was approved after a second instead of two days",
    async (box) => {
      const { imageApprover } = governance;
      await box.asTimelock(box.manager, "revokeRole", ROLES.IMAGE_APPROVER, imageApprover);
      await box.asTimelock(box.manager, "grantRole", ROLES.IMAGE_APPROVER, imageApprover, 1);
      const call = box.registry.interface.encodeFunctionData("approvePCR", [IMAGE, "1", 0]);
      await box.as(imageApprover, box.manager, "schedule", box.registry.target, call, 0);
      await box.later(2);
      await box.as(imageApprover, box.manager, "execute", box.registry.target, call);
      await box.asTimelock(box.manager, "revokeRole", ROLES.IMAGE_APPROVER, imageApprover);
      await box.asTimelock(
        ...([box.manager, "grantRole", ROLES.IMAGE_APPROVER, imageApprover] as const),
        IMAGE_APPROVAL_DELAY,
      );
    },
    "version 1, approved now; ImageApproved in block",
  ],
  [
    "a proposer of the timelock beside the governor",
    (box) => box.asTimelock(box.timelock, "grantRole", TIMELOCK_ROLES.PROPOSER_ROLE, STRANGER),
    `TimelockController PROPOSER_ROLE: ${STRANGER}: no member, but member`,
  ],
  [
    "an administrator of the timelock beside itself",
    (box) => box.asTimelock(box.timelock, "grantRole", TIMELOCK_ROLES.DEFAULT_ADMIN_ROLE, STRANGER),
    `TimelockController DEFAULT_ADMIN_ROLE: ${STRANGER}`,
  ],
  [
    "a role of the timelock that it does not know",
    (box) => box.asTimelock(box.timelock, "grantRole", id("OTHER"), STRANGER),
    `TimelockController role ${id("OTHER")}: ${STRANGER}`,
  ],
  [
    "execution for one account alone",
    (box) => box.asTimelock(box.timelock, "revokeRole", TIMELOCK_ROLES.EXECUTOR_ROLE, ZeroAddress),
    "TimelockController EXECUTOR_ROLE: everybody: member, but no member",
  ],
  [
    "an operation that a proposer of a moment scheduled",
    (box) => scheduleAsStranger(box),
    "scheduled in transaction",
  ],
  [
    "an operation that a proposer of a moment executed",
    async (box) => {
      await scheduleAsStranger(box);
      await box.later(governance.timelockDelay + 1);
      await box.as(STRANGER, box.timelock, "execute", ...operation(box));
    },
    "a proposal of the governor, but executed, scheduled in transaction",
  ],
  [
    "a timelock without a delay",
    (box) => box.asTimelock(box.timelock, "updateDelay", 0),
    "minimum delay: 120 s, but 0 s (MinDelayChange",
  ],
  [
    "a second verifier",
    async (box) => {
      const { bytecode } = await hre.artifacts.readArtifact("OpenVerifier");
      const verifier = await box.deploy(bytecode);
      await box.asTimelock(box.registry, "setVerifier", 1, verifier);
    },
    "TEERegistry: verifier 1: nobody, but NitroAttestationVerifier 0x",
  ],
  [
    "a second verifier of other code that was taken out again",
    async (box) => {
      const { bytecode } = await hre.artifacts.readArtifact("OpenVerifier");
      const verifier = await box.deploy(bytecode);
      await box.asTimelock(box.registry, "setVerifier", 1, verifier);
      await box.asTimelock(box.registry, "setVerifier", 1, ZeroAddress);
    },
    "what this repository's sources give, but other code",
  ],
  [
    "a hidden image",
    (box) => box.asTimelock(box.registry, "approvePCR", IMAGE, "evil", 0),
    "version evil, approved now; ImageApproved in block",
  ],
  [
    "a hidden image that was revoked again",
    async (box) => {
      await box.asTimelock(box.registry, "approvePCR", IMAGE, "evil", 0);
      const hash = await box.registry.computePCRHash(IMAGE);
      await box.as(governance.guardian, box.registry, "revokePCR", hash, 0);
    },
    "version evil, revoked now",
  ],
  [
    "a node type",
    (box) => box.asTimelock(box.registry, "addTEEType", 9, "Other"),
    "node type 9: nothing that nobody decided, but Other",
  ],
  [
    "another contract for bonds",
    async (box) => {
      const other = await box.deploy(await creationWithStorage(box, box.bonds));
      await box.asTimelock(box.registry, "setBonds", other);
    },
    "TEERegistry.bonds: nobody, but NodeBonds 0x",
  ],
  [
    "a contract of the right code whose constructor wrote something else into its storage",
    async (box) => {
      const other = await box.deploy(await creationWithStorage(box, box.bonds));
      await box.asTimelock(box.registry, "setBonds", other);
    },
    "created it with other code, which may have written anything into its storage",
  ],
  [
    "an amount of bonds",
    (box) => box.asTimelock(box.bonds, "setAmount", 5),
    "NodeBonds.amount: 0, but 5",
  ],
  [
    "an age of attestations",
    (box) => box.asTimelock(box.registry, "setAttestationMaxAge", 90 * DAY),
    "TEERegistry.attestationMaxAge: 604800 s, but 7776000 s",
  ],
  [
    "an age of heartbeats",
    (box) => box.asTimelock(box.registry, "setHeartbeatMaxAge", DAY),
    "TEERegistry.heartbeatMaxAge: 1800 s, but 86400 s",
  ],
  [
    "a settlement window",
    (box) => box.asTimelock(box.settlement, "setSettlementWindow", 3600),
    "InferenceSettlement.settlementWindow: 604800 s, but 3600 s",
  ],
  [
    "another registry of enclaves for results",
    async (box) => {
      const { target } = box.settlement;
      const registry = BigInt(String(box.registry.target));
      for (let slot = 0; slot < 32; slot++) {
        if (BigInt(await box.provider.getStorage(target, slot)) !== registry) continue;
        await box.rpc("hardhat_setStorageAt", target, toBeHex(slot), toBeHex(BigInt(STRANGER), 32));
      }
    },
    "InferenceSettlement.teeRegistry",
  ],
  [
    "a contract that may hold requests",
    (box) => box.asTimelock(box.settlement, "setLedgerWriter", box.registry.target, true),
    "holds requests: never did, but it may",
  ],
  [
    "an operator whom nobody allowed again",
    (box) => box.asTimelock(box.registry, "allowOperator", STRANGER),
    `operator ${STRANGER}: nothing that nobody decided, but allowed again`,
  ],
  [
    "other code in the place of the registry",
    async (box) => {
      const code = await box.provider.getCode(box.registry.target);
      await box.rpc("hardhat_setCode", box.registry.target, withOtherEnd(code));
    },
    "what this repository's sources give, but other code: differs from byte",
  ],
  [
    "an immutable that points elsewhere",
    async (box) => {
      const code = await box.provider.getCode(box.bonds.target);
      const token = String(box.opg.target).slice(2).toLowerCase();
      const other = STRANGER.slice(2).toLowerCase();
      await box.rpc("hardhat_setCode", box.bonds.target, code.replaceAll(token, other));
    },
    "immutable TOKEN: 0x",
  ],
  [
    "more tokens than there are",
    async (box) => {
      // The total is in the third slot of the token.
      await box.rpc("hardhat_setStorageAt", box.opg.target, "0x2", toBeHex(2n ** 100n, 32));
    },
    "OPG.totalSupply: at most 1000000000000000000000000000, but",
  ],
  [
    "a vault with other terms",
    async (box) => {
      const genesis = await box.opg.queryFilter("Transfer", 0);
      const vault = (genesis as { args?: { to: string } }[])[1]?.args?.to ?? "";
      const code = await box.provider.getCode(vault);
      await box.rpc("hardhat_setCode", vault, withOtherEnd(code));
    },
    "terms: as the allocation's, but others",
  ],
];

const operation = (box: Sandbox) =>
  [
    ...[
      box.settlement.target,
      0,
      box.settlement.interface.encodeFunctionData("setSettlementWindow", [7200]),
    ],
    ...[ZeroHash, ZeroHash],
  ] as const;

async function scheduleAsStranger(box: Sandbox): Promise<void> {
  await box.asTimelock(box.timelock, "grantRole", TIMELOCK_ROLES.PROPOSER_ROLE, STRANGER);
  await box.as(STRANGER, box.timelock, "schedule", ...operation(box), governance.timelockDelay);
  await box.asTimelock(box.timelock, "revokeRole", TIMELOCK_ROLES.PROPOSER_ROLE, STRANGER);
}

/** Creation code that writes slot 0 and then returns the run-time code of a contract. */
async function creationWithStorage(box: Sandbox, contract: Called): Promise<string> {
  const code = await box.provider.getCode(contract.target);
  const length = toBeHex((code.length - 2) / 2, 2);
  // PUSH1 7, PUSH0, SSTORE, PUSH2 length, DUP1, PUSH1 14, PUSH0, CODECOPY, PUSH0, RETURN: 14 bytes
  return concat(["0x60075f5561", length, "0x80600e5f395ff3", code]);
}

describe("deploy:check", () => {
  it("has nothing to say about a deployment as it was made", async () => {
    expect(wrong(await sandbox.audit())).toEqual([]);
  });

  it.each(BACKDOORS)("names %s", async (_, act, words) => {
    await act(sandbox);
    const findings = wrong(await sandbox.audit());
    expect(findings.join("\n")).toContain(words);
  });

  it("tells what governance, image approver and guardian decided, and finds nothing wrong in it", async () => {
    const { manager, registry, timelock, settlement, governor, bonds, feeds, store } = sandbox;
    const { bytecode } = await hre.artifacts.readArtifact("OpenVerifier");
    const verifier = await sandbox.deploy(bytecode);
    await sandbox.decide([
      [settlement, "setSettlementWindow", 3600],
      [settlement, "setLedgerWriter", verifier, true],
      [registry, "setVerifier", 1, verifier],
      [registry, "addTEEType", 9, "Other"],
      [registry, "approvePCR", IMAGE, "voted", 0],
      [registry, "setBonds", bonds.target],
      [bonds, "setAmount", 5],
      [governor, "setVotingPeriod", 600],
      [governor, "updateQuorumNumerator", 5],
      [timelock, "updateDelay", 240],
      [manager, "grantRole", ROLES.REGISTRAR, STRANGER, 0],
      [manager, "multicall", [manager.interface.encodeFunctionData("labelRole", [9n, "NEW"])]],
      [manager, "setRoleGuardian", ROLES.GOVERNANCE, ROLES.GUARDIAN],
      [manager, "setTargetClosed", store.target, true],
      [feeds, "createFeed", ...FEED],
      [feeds, "closeFeed", feedIdOf(FEED_TERMS)],
    ]);
    const { imageApprover, guardian } = governance;
    const second = [...IMAGE].reverse();
    const call = registry.interface.encodeFunctionData("approvePCR", [second, "approved", 1]);
    await sandbox.as(imageApprover, manager, "schedule", registry.target, call, 0);
    await sandbox.later(IMAGE_APPROVAL_DELAY + 1);
    await sandbox.as(imageApprover, manager, "execute", registry.target, call);
    await sandbox.as(guardian, registry, "denyOperator", STRANGER);
    const later = registry.interface.encodeFunctionData("approvePCR", [IMAGE, "later", 2]);
    await sandbox.as(imageApprover, manager, "schedule", registry.target, later, 0);

    const findings = await sandbox.audit();
    expect(wrong(findings)).toEqual([]);
    const words = noticed(findings);
    for (const told of [
      "InferenceSettlement.settlementWindow: 604800 s when deployed, now 3600 s: by governance: proposal",
      "TEERegistry: verifier 1: nobody when deployed, now NitroAttestationVerifier 0x",
      "brought in by governance: proposal",
      "node type 9: Other: by governance",
      "version voted, approved now: by governance",
      "TEERegistry.bonds: nobody when deployed",
      "NodeBonds.amount: 0 when deployed, now 5: by governance",
      "HacaGovernor.votingPeriod: 300 s when deployed, now 600 s",
      "HacaGovernor.quorumNumerator: 4 % when deployed, now 5 %",
      "minimum delay: 120 s when deployed, now 240 s: by governance",
      `AccessManager REGISTRAR: ${STRANGER}: no member when deployed, now member`,
      "label of role 9: none when deployed, now NEW: by governance",
      "guardian of GOVERNANCE: ADMIN when deployed, now GUARDIAN: by governance",
      "open when deployed, now closed: by governance",
      "DataFeeds.feedCount: 0 when deployed, now 1: by governance",
      `DataFeeds: ${feedIdOf(FEED_TERMS)}: open when deployed, now closed: by governance`,
      `version approved, approved now: by the image approver ${imageApprover}`,
      `operator ${STRANGER}: denied, denied now: by the guardian`,
      "TEERegistry.approvePCR(pcrs: ",
    ]) {
      expect(words).toContain(told);
    }
  });

  it("tells that a guardian gave the role up", async () => {
    const { guardian } = governance;
    await sandbox.as(guardian, sandbox.manager, "renounceRole", ROLES.GUARDIAN, guardian);
    const findings = await sandbox.audit();
    expect(wrong(findings)).toEqual([]);
    expect(noticed(findings)).toContain("now no member: given up by its holder");
  });

  it("tells what waits in the timelock", async () => {
    await sandbox.decide([[sandbox.settlement, "setSettlementWindow", 3600]], "queue");
    const findings = await sandbox.audit();
    expect(wrong(findings)).toEqual([]);
    expect(noticed(findings)).toContain("InferenceSettlement.setSettlementWindow(window: 3600)");
    expect(noticed(findings)).toContain("executable from");
  });

  it("does not take a decision of governance for another of the same kind", async () => {
    await sandbox.decide([[sandbox.manager, "grantRole", ROLES.REGISTRAR, STRANGER, 0]]);
    const other = governance.foundation;
    await sandbox.asTimelock(sandbox.manager, "grantRole", ROLES.REGISTRAR, other, 0);
    expect(wrong(await sandbox.audit()).join("\n")).toContain(`AccessManager REGISTRAR: ${other}`);
  });

  it("refuses public accounts, short times and a development root where a chain is not thrown away", async () => {
    const words = wrong(await sandbox.audit({ isPublic: true })).join("\n");
    for (const refused of [
      `guardian: an account whose key is secret, but ${governance.guardian}`,
      "root of attestations under",
      "timelock delay: at least 172800 s, but 120 s",
      "voting delay: at least 3600 s, but 60 s",
      "extension after a late quorum: at least 3600 s, but 60 s",
      "voting period: at least 172800 s, but 300 s",
    ]) {
      expect(words).toContain(refused);
    }
  });
});

describe("deploy:check of what was deployed with unsafe parameters", () => {
  const deployer = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
  it.each([
    [{ guardian: deployer }, `guardian: another than the deployer, but the deployer ${deployer}`],
    [
      { imageApprover: governance.guardian },
      `guardian: another than the image approver, but the image approver ${governance.guardian}`,
    ],
  ] as const)("names %o", async (changes, words) => {
    const box = await Sandbox.create(changes);
    expect(wrong(await box.audit()).join("\n")).toContain(words);
    await box.connection.close();
  });
});
