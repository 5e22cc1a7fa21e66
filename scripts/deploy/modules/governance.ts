import { ALLOCATIONS, vestingPeriod } from "@haca/protocol/allocations";
import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import { id, ZeroAddress, ZeroHash } from "ethers";
import { ACCESS_TABLE, ROLES } from "../accessTable.ts";
import type { GovernanceParameters } from "../readParameters.ts";
import { coreModule } from "./core.ts";

const VESTED_ALLOCATIONS = 5;

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
 * Token, vesting, airdrop, governor and timelock, and the hand-over of every permission: at its end the timelock
 * holds what the deployer held, and the deployer nothing.
 */
export const governanceModule = (parameters: GovernanceParameters) =>
  buildModule("Governance", (module) => {
    const deployer = module.getAccount(0);
    const core = module.useModule(coreModule);
    const { accessManager } = core;

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

    const managed = new Map([["InferenceSettlement", core.inferenceSettlement]]);
    const rules = ACCESS_TABLE.map((rule) => {
      const contract = managed.get(rule.contract);
      if (contract === undefined) throw new Error(`the access table names ${rule.contract}`);
      return module.call(
        accessManager,
        "setTargetFunctionRole",
        [contract, [selectorOf(rule.function)], ROLES[rule.role]],
        { id: `access_${rule.contract}_${nameOf(rule.function)}` },
      );
    });
    const managerCalls = [
      ...rules,
      ...(["GOVERNANCE", "GUARDIAN"] as const).map((role) =>
        module.call(accessManager, "labelRole", [ROLES[role], role], { id: `label_${role}` }),
      ),
      ...(
        [
          ["GOVERNANCE", timelock],
          ["GUARDIAN", parameters.guardian],
          ["ADMIN", timelock],
        ] as const
      ).map(([role, account]) =>
        module.call(accessManager, "grantRole", [ROLES[role], account, 0], { id: `grant_${role}` }),
      ),
    ];

    // Last, and only once everything else is in place: an interruption before leaves the deployer able to finish.
    module.call(accessManager, "renounceRole", [ROLES.ADMIN, deployer], {
      id: "renounce_accessManager",
      after: [...managerCalls, ...timelockGrants],
    });
    module.call(timelock, "renounceRole", [TIMELOCK_ROLES.DEFAULT_ADMIN_ROLE, deployer], {
      id: "renounce_timelock",
      after: [...managerCalls, ...timelockGrants],
    });
    return { ...core, timelock, genesis, opg, vestingFactory, airdrop, governor };
  });

const nameOf = (signature: string): string => signature.slice(0, signature.indexOf("("));
const selectorOf = (signature: string): string => id(signature).slice(0, 10);
