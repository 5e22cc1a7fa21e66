import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ACCESS_TABLE } from "@haca/protocol/accessTable";
import { IMAGE_APPROVAL_DELAY } from "@haca/protocol/attestationParameters";
import { ROLES, type RoleName } from "@haca/protocol/roles";
import { expect } from "chai";
import {
  type BaseContract,
  concat,
  type FunctionFragment,
  getCreateAddress,
  Interface,
  id,
  keccak256,
  type ParamType,
} from "ethers";
import { network } from "hardhat";
import { auditDeployment, readerOf } from "../../../scripts/deploy/check/checkDeployment.ts";
import { isMatch } from "../../../scripts/deploy/check/finding.ts";
import { deployGovernance, type GovernanceFixture } from "../utils/governanceFixture.ts";

const DOCUMENT = join(import.meta.dirname, "..", "..", "..", "docs", "access-control.md");

/** Roles that a function can need. */
const MANAGED_ROLES: readonly RoleName[] = [
  "GOVERNANCE",
  "GUARDIAN",
  "IMAGE_APPROVER",
  "REGISTRAR",
];

/** What docs/invariants.md G5 promises, written out once more. */
const TWO_DAYS = 2 * 24 * 60 * 60;

/** Words of the document for what no permission is needed for. */
const UNRESTRICTED = new Set(["anyone", "own"]);

/** Errors that say that a caller lacks a permission. */
const REFUSALS = new Interface([
  "error AccessManagedUnauthorized(address caller)",
  "error AccessManagerNotScheduled(bytes32 operationId)",
  "error AccessManagerUnauthorizedAccount(address account, uint64 roleId)",
  "error AccessControlUnauthorizedAccount(address account, bytes32 role)",
  "error TimelockUnauthorizedCaller(address caller)",
  "error GovernorOnlyExecutor(address account)",
  "error RequestLedger_NotWriter(address caller)",
  "error PageSettlement_NotAttester(address caller)",
  "error NodeBonds_NotTheRegistry(address expected, address actual)",
  "error VestingVault_NotBeneficiary(address beneficiary, address caller)",
  "error VestingVault_NotPendingBeneficiary(address pending, address caller)",
  "error VestingVault_NotRevoker(address revoker, address caller)",
  // what `redirect` says of grants that it does not exist for
  "error VestingVault_TransferabilityInvalid(uint8 expected, uint8 actual)",
]);

/** contract -> function -> who */
function readDocument(): Map<string, Map<string, string>> {
  const tables = new Map<string, Map<string, string>>();
  let table = new Map<string, string>();
  for (const line of readFileSync(DOCUMENT, "utf8").split("\n")) {
    const heading = /^## (\w+)$/.exec(line)?.[1];
    if (heading !== undefined) {
      table = new Map();
      tables.set(heading, table);
    }
    const [, signature, who] = /^\| `([^`]+)` \| ([\w ]+) \|$/.exec(line) ?? [];
    if (signature !== undefined && who !== undefined) table.set(signature, who);
  }
  return tables;
}

/** A harmless value of any type. */
function blank(type: ParamType, account: string): unknown {
  if (type.isArray()) return [];
  if (type.isTuple()) return type.components.map((component) => blank(component, account));
  if (type.type === "address") return account;
  if (type.type === "bool") return false;
  if (type.type === "string") return "";
  if (type.type === "bytes") return "0x00000000";
  if (type.type.startsWith("bytes")) return `0x${"00".repeat(Number(type.type.slice(5)))}`;
  return 0;
}

const stateChanging = (contract: BaseContract): FunctionFragment[] => {
  const functions: FunctionFragment[] = [];
  contract.interface.forEachFunction((fragment) => {
    if (!["view", "pure"].includes(fragment.stateMutability)) functions.push(fragment);
  });
  return functions;
};

describe("access control", () => {
  const document = readDocument();
  let fixture: GovernanceFixture;
  let contracts: Map<string, BaseContract>;
  before(async () => {
    fixture = await deployGovernance(await network.create());
    const { ethers, genesis } = fixture;
    const vault = await genesis.stakingRewardsVault();
    const gates = await fixture.channelGates.getAddress();
    const gateCode = await ethers.getContractAt(
      "ChannelGate",
      getCreateAddress({ from: gates, nonce: 1 }),
    );
    const operators = await fixture.commerceOperators.getAddress();
    const operatorCode = await ethers.getContractAt(
      "CommerceOperator",
      getCreateAddress({ from: operators, nonce: 1 }),
    );
    contracts = new Map<string, BaseContract>([
      ["AccessManager", fixture.accessManager],
      ["ModelRegistry", fixture.modelRegistry],
      ["InferenceSettlement", fixture.inferenceSettlement],
      ["EcdsaP384", fixture.ecdsaP384],
      ["CertificateStore", fixture.certificateStore],
      ["NitroAttestationVerifier", fixture.verifier],
      ["SigningKeys", fixture.signingKeys],
      ["TEERegistry", fixture.teeRegistry],
      ["LegacySettlement", fixture.legacySettlement],
      ["NodeBonds", fixture.nodeBonds],
      ["PageSettlement", fixture.pageSettlement],
      ["ValidatorStaking", fixture.validatorStaking],
      ["RewardRouter", fixture.rewardRouter],
      ["DataFeeds", fixture.dataFeeds],
      ["InferenceEscrow", fixture.inferenceEscrow],
      ["ChannelGates", fixture.channelGates],
      ["ChannelGate", gateCode],
      ["CommerceOperators", fixture.commerceOperators],
      ["CommerceOperator", operatorCode],
      ["StakedVotes", fixture.stakedVotes],
      ["OPG", fixture.opg],
      ["VestingFactory", fixture.vestingFactory],
      ["VestingVault", await ethers.getContractAt("VestingVault", vault)],
      ["GenesisDistribution", fixture.genesis],
      ["MerkleAirdrop", fixture.airdrop],
      ["HacaGovernor", fixture.governor],
      ["TimelockController", fixture.timelock],
    ]);
  });

  it("test_DocumentsEveryFunctionOfEveryContractAndNoOther", () => {
    for (const [name, contract] of contracts) {
      const documented = [...(document.get(name)?.keys() ?? [])].sort();
      const actual = stateChanging(contract)
        .map((fragment) => fragment.format("sighash"))
        .sort();
      expect(documented, name).to.deep.equal(actual);
    }
  });

  it("test_DocumentsTheRolesThatTheAccessManagerDemands", async () => {
    const { accessManager } = fixture;
    const table = new Map<string, string>(
      ACCESS_TABLE.flatMap(({ contract, role, functions }) =>
        functions.map((signature) => [`${contract}.${signature}`, role] as const),
      ),
    );
    for (const [name, functions] of document) {
      const contract = contracts.get(name);
      if (contract === undefined) continue;
      for (const [signature, who] of functions) {
        const role = MANAGED_ROLES.find((candidate) => candidate === who);
        expect(table.get(`${name}.${signature}`), `${name}.${signature}`).to.equal(role);
        const actual = await accessManager.getTargetFunctionRole(
          await contract.getAddress(),
          id(signature).slice(0, 10),
        );
        expect(actual, `${name}.${signature}`).to.equal(ROLES[role ?? "ADMIN"]);
      }
    }
    expect(document.size).to.be.greaterThan(0);
  });

  it("test_LeavesEveryRoleWithItsHolderAndTheDeployerWithNone", async () => {
    const { deployer, accessManager, connection } = fixture;
    const { chainId } = await fixture.ethers.provider.getNetwork();
    const findings = await auditDeployment({
      reader: readerOf(connection, Number(chainId)),
      address: await accessManager.getAddress(),
    });
    expect(findings.filter((found) => !isMatch(found))).to.deep.equal([]);
    const rules = findings.filter(({ subject }) => / needs$/.test(subject));
    const restricted = rules.filter(({ actual }) => actual !== "ADMIN");
    expect(restricted).to.have.length(ACCESS_TABLE.flatMap(({ functions }) => functions).length);
    for (const { subject, actual } of findings) {
      if (subject.includes(deployer.address)) expect(actual).to.equal("no member");
    }
    expect(await fixture.opg.balanceOf(deployer.address)).to.equal(0n);
  });

  it("test_RevertWhen_CallerLacksTheRoleOfARestrictedFunction", async () => {
    const { deployer, guardian, imageApprover, stranger, ethers } = fixture;
    let refused = 0;
    for (const [name, contract] of contracts) {
      for (const fragment of stateChanging(contract)) {
        const who = document.get(name)?.get(fragment.format("sighash"));
        if (who === undefined || UNRESTRICTED.has(who)) continue;
        const values = fragment.inputs.map((input) => blank(input, stranger.address));
        for (const caller of [deployer, guardian, imageApprover, stranger]) {
          if (caller === guardian && (who === "CANCELLER" || who === "GUARDIAN")) continue;
          const subject = `${name}.${fragment.name} as ${caller.address}`;
          const data: string = await ethers.provider
            .call({
              ...{ from: caller.address, to: await contract.getAddress() },
              data: contract.interface.encodeFunctionData(fragment, values),
            })
            .then(
              () => expect.fail(`${subject} went through`),
              (error: { data?: string }) => error.data ?? "0x",
            );
          const refusal = REFUSALS.parseError(data)?.name;
          expect(refusal, `${subject}: ${data}`).to.be.a("string");
          const isEarly = caller === imageApprover && who === "IMAGE_APPROVER";
          expect(refusal === "AccessManagerNotScheduled", subject).to.equal(isEarly);
          refused += 1;
        }
      }
    }
    expect(refused).to.be.greaterThan(140);
  });

  it("test_ApprovesAnImageAfterTwoDaysAndNotASecondEarlier", async () => {
    const { accessManager, teeRegistry, imageApprover, connection } = fixture;
    const { time } = connection.networkHelpers;
    const manager = accessManager.connect(imageApprover);
    const pcr = `0x${"22".repeat(48)}`;
    const target = await teeRegistry.getAddress();
    const data = teeRegistry.interface.encodeFunctionData("approvePCR", [
      { pcr0: pcr, pcr1: pcr, pcr2: pcr },
      "1",
      0,
    ]);
    const isApproved = () => teeRegistry.isPCRApproved(0, keccak256(concat([pcr, pcr, pcr])));
    const execute = () => manager.execute(target, data);

    const now = await time.latest();
    await expect(manager.schedule(target, data, now + TWO_DAYS - 10)).to.be.revertedWithCustomError(
      accessManager,
      "AccessManagerUnauthorizedCall",
    );
    await manager.schedule(target, data, 0);
    const due = (await time.latest()) + TWO_DAYS;
    await time.setNextBlockTimestamp(due - 1);
    await expect(execute()).to.be.revertedWithCustomError(accessManager, "AccessManagerNotReady");
    expect(await isApproved()).to.equal(false);
    await time.setNextBlockTimestamp(due);
    await execute();
    expect(await isApproved()).to.equal(true);
  });

  it("test_LetsTheGuardianAloneCancelWhatTheImageApproverScheduled", async () => {
    const { accessManager, teeRegistry, guardian, imageApprover, deployer, stranger } = fixture;
    const pcr = `0x${"11".repeat(48)}`;
    const target = await teeRegistry.getAddress();
    const data = teeRegistry.interface.encodeFunctionData("approvePCR", [
      { pcr0: pcr, pcr1: pcr, pcr2: pcr },
      "1",
      0,
    ]);
    await accessManager.connect(imageApprover).schedule(target, data, 0);
    const cancelAs = (caller: typeof guardian) =>
      accessManager.connect(caller).cancel(imageApprover.address, target, data);
    for (const caller of [deployer, stranger]) {
      await expect(cancelAs(caller)).to.be.revertedWithCustomError(
        accessManager,
        "AccessManagerUnauthorizedCancel",
      );
    }
    await cancelAs(guardian);
    await fixture.connection.networkHelpers.time.increase(IMAGE_APPROVAL_DELAY);
    await expect(
      accessManager.connect(imageApprover).execute(target, data),
    ).to.be.revertedWithCustomError(accessManager, "AccessManagerNotScheduled");
  });
});
