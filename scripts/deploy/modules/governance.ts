import { ALLOCATIONS, vestingPeriod } from "@haca/protocol/allocations";
import { IMAGE_APPROVAL_DELAY } from "@haca/protocol/attestationParameters";
import { ROLES } from "@haca/protocol/roles";
import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import { id, ZeroAddress, ZeroHash } from "ethers";
import type { GovernanceParameters } from "../readParameters.ts";
import { accessCalls } from "./accessCalls.ts";
import { attestationModule } from "./attestation.ts";
import { coreModule } from "./core.ts";

const VESTED_ALLOCATIONS = 5;

/** All but ADMIN, which the AccessManager has a name for itself. */
const LABELLED_ROLES = ["GOVERNANCE", "GUARDIAN", "IMAGE_APPROVER", "REGISTRAR"] as const;

/** Roles of the timelock, as OpenZeppelin's TimelockController names them. */
export const TIMELOCK_ROLES = {
  DEFAULT_ADMIN_ROLE: ZeroHash,
  PROPOSER_ROLE: id("PROPOSER_ROLE"),
  EXECUTOR_ROLE: id("EXECUTOR_ROLE"),
  CANCELLER_ROLE: id("CANCELLER_ROLE"),
} as const;

/** What the constructor of GenesisDistribution takes, without the timelock. */
export function genesisParameters(parameters: GovernanceParameters) {
  const { tge, foundation, liquidity, contributors, investors } = parameters;
  return {
    tge,
    periods: ALLOCATIONS.slice(0, VESTED_ALLOCATIONS).map((allocation) =>
      vestingPeriod({ allocation, tge }),
    ),
    foundation,
    liquidity,
    contributors,
    investors,
    airdropRoot: parameters.airdropRoot,
    airdropDeadline: parameters.airdropDeadline,
  };
}

/**
 * Everything: core, attestation, token, vesting, airdrop, governor and timelock, and the hand-over of every permission: at its end the timelock
 * holds what the deployer held, and the deployer nothing.
 */
export const governanceModule = (parameters: GovernanceParameters) =>
  buildModule("Governance", (module) => {
    const deployer = module.getAccount(0);
    const core = module.useModule(coreModule);
    const { accessManager } = core;
    const attestation = attestationModule(parameters.attestation);
    const attested = module.useModule(attestation);

    // Anyone may execute what is due; proposers and cancellers follow below.
    const timelock = module.contract("TimelockController", [
      parameters.timelockDelay,
      [],
      [ZeroAddress],
      deployer,
    ]);
    const genesis = module.contract("GenesisDistribution", [
      { ...genesisParameters(parameters), governance: timelock },
    ]);
    const opg = module.contractAt("OPG", module.staticCall(genesis, "token"));
    const vestingFactory = module.contractAt(
      "VestingFactory",
      module.staticCall(genesis, "vestingFactory"),
    );
    const airdrop = module.contractAt("MerkleAirdrop", module.staticCall(genesis, "airdrop"));
    const governor = module.contract("HacaGovernor", [opg, timelock, parameters.governor]);

    // No node leaves a bond until governance sets an amount and tells the registry of this contract.
    const nodeBonds = module.contract("NodeBonds", [accessManager, opg, attested.teeRegistry]);

    const timelockGrants = (
      [
        ["PROPOSER_ROLE", "governor", governor],
        ["CANCELLER_ROLE", "governor", governor],
        ["CANCELLER_ROLE", "guardian", parameters.guardian],
      ] as const
    ).map(([role, name, account]) =>
      module.call(timelock, "grantRole", [TIMELOCK_ROLES[role], account], {
        id: `timelock_${role}_${name}`,
      }),
    );

    const rules = accessCalls({
      ...{ module, accessManager },
      contracts: { InferenceSettlement: core.inferenceSettlement, NodeBonds: nodeBonds },
    });
    const labels = LABELLED_ROLES.map((role) =>
      module.call(accessManager, "labelRole", [ROLES[role], role], { id: `label_${role}` }),
    );
    // What the approver has scheduled, the guardian can cancel: a vote would take longer than the delay.
    const roleGuardian = module.call(
      accessManager,
      "setRoleGuardian",
      [ROLES.IMAGE_APPROVER, ROLES.GUARDIAN],
      { id: "guardian_IMAGE_APPROVER" },
    );
    // The timelock has waited already when it approves an image; its delay for that role is none.
    const grants = (
      [
        ["GOVERNANCE", "timelock", timelock, 0],
        ["GUARDIAN", "guardian", parameters.guardian, 0],
        ["IMAGE_APPROVER", "approver", parameters.imageApprover, IMAGE_APPROVAL_DELAY],
        ["IMAGE_APPROVER", "timelock", timelock, 0],
        ["ADMIN", "timelock", timelock, 0],
      ] as const
    ).map(([role, name, account, delay]) =>
      module.call(accessManager, "grantRole", [ROLES[role], account, delay], {
        id: `grant_${role}_${name}`,
      }),
    );

    // Last, and only once everything else is in place: an interruption before leaves the deployer able to finish.
    const after = [attestation, ...rules, ...labels, roleGuardian, ...grants, ...timelockGrants];
    // A development chain may have given it to the deployer before; where it did not, this changes nothing.
    const approverGone = module.call(
      accessManager,
      "renounceRole",
      [ROLES.IMAGE_APPROVER, deployer],
      { id: "renounce_IMAGE_APPROVER", after },
    );
    module.call(accessManager, "renounceRole", [ROLES.ADMIN, deployer], {
      id: "renounce_accessManager",
      after: [approverGone],
    });
    module.call(timelock, "renounceRole", [TIMELOCK_ROLES.DEFAULT_ADMIN_ROLE, deployer], {
      id: "renounce_timelock",
      after: [approverGone],
    });
    const { ecdsaP384, certificateStore, verifier, signingKeys, teeRegistry } = attested;
    return {
      ...{ ...core, timelock, genesis, opg, vestingFactory, airdrop, governor, nodeBonds },
      ...{ ecdsaP384, certificateStore, verifier, signingKeys, teeRegistry },
    };
  });
