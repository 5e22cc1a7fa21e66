import { ALLOCATIONS, allocationOf, vestingPeriod } from "@haca/protocol/allocations";
import { IMAGE_APPROVAL_DELAY } from "@haca/protocol/attestationParameters";
import { BATCH_SETTLEMENT_ADDRESS } from "@haca/protocol/channelGates";
import type { CommerceDeployment } from "@haca/protocol/commerceEscrows";
import { DEFAULT_PAGE_PARAMETERS } from "@haca/protocol/pageSettlement";
import { ROLES, TIMELOCK_ROLES } from "@haca/protocol/roles";
import { DEFAULT_STAKE_PARAMETERS } from "@haca/protocol/validatorStaking";
import { ZeroAddress } from "ethers";
import type { GovernanceParameters } from "../parameters/readParameters.ts";
import type { Plan, PlannedContract } from "../plan/plan.ts";
import { attestationModule, nameRegistry } from "./attestation.ts";
import { accessCalls, coreModule } from "./core.ts";

const VESTED_ALLOCATIONS = 5;

/** All but ADMIN, which the AccessManager has a name for itself. */
const LABELLED_ROLES = ["GOVERNANCE", "GUARDIAN", "IMAGE_APPROVER", "REGISTRAR"] as const;

/** What token, vesting, airdrop, timelock and governor are made with. */
type TokenParameters = Omit<
  GovernanceParameters,
  "guardian" | "imageApprover" | "attestation" | "forcedInclusionDelay" | "uptoProxy"
>;

/** What the constructor of GenesisDistribution takes, without the timelock. */
export function genesisParameters(parameters: TokenParameters) {
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

/** Token, vesting, airdrop and timelock; the deployer is the timelock's administrator. */
export function tokenModule(module: Plan, parameters: TokenParameters) {
  // Anyone may execute what is due; proposers and cancellers follow below.
  const timelock = module.contract("TimelockController", [
    parameters.timelockDelay,
    [],
    [ZeroAddress],
    module.deployer,
  ]);
  const genesis = module.contract("GenesisDistribution", [
    { ...genesisParameters(parameters), governance: timelock },
  ]);
  const ofGenesis = (view: string) => module.staticCall(genesis, view);
  const opg = module.contractAt("OPG", ofGenesis("token"), [genesis, timelock]);
  const vestingFactory = module.contractAt("VestingFactory", ofGenesis("vestingFactory"), [opg]);
  const airdrop = module.contractAt("MerkleAirdrop", ofGenesis("airdrop"), [
    ...[opg, parameters.airdropRoot, allocationOf("Airdrop"), parameters.airdropDeadline],
    ofGenesis("ecosystemVault"),
  ]);
  return { timelock, genesis, opg, vestingFactory, airdrop };
}

/** The governor, and whom it asks for votes: the token, or the token and the stake together. */
export function governorModule(
  module: Plan,
  parameters: {
    votes: PlannedContract;
    timelock: PlannedContract;
    governor: TokenParameters["governor"];
  },
) {
  const { votes, timelock, governor } = parameters;
  return module.contract("HacaGovernor", [votes, timelock, governor]);
}

/** What of the contracts of payments a deployment has. */
type PaymentContracts = {
  inferenceEscrow?: PlannedContract;
  channelGates?: PlannedContract;
  commerceOperators?: PlannedContract;
};

/**
 * What holds payments until a result is settled, over x402's proxy, in OPG at first and without a fee; and, with its fee and
 * pages, what makes gates of channels, over x402's contract of channels, and operators of commerce payments, over their escrow.
 */
function escrowModule(
  module: Plan,
  parameters: {
    accessManager: PlannedContract;
    pageSettlement: PlannedContract;
    opg: PlannedContract;
    proxy: string;
    hasGates: boolean;
    commerce: CommerceDeployment | undefined;
  },
): PaymentContracts {
  const { accessManager, commerce, hasGates, opg, pageSettlement, proxy } = parameters;
  const escrow = module.contract("InferenceEscrow", [accessManager, pageSettlement, proxy]);
  // Before the rule is written that makes governance allow tokens.
  module.call(escrow, "setToken", [opg, true], { id: "escrow_token_OPG" });
  const made: PaymentContracts = { inferenceEscrow: escrow };
  if (hasGates) {
    made.channelGates = module.contract("ChannelGates", [escrow, BATCH_SETTLEMENT_ADDRESS]);
  }
  if (commerce !== undefined) {
    made.commerceOperators = module.contract("CommerceOperators", [
      ...[escrow, commerce.escrow, commerce.erc3009Collector, commerce.permit2Collector],
    ]);
  }
  return made;
}

/**
 * Everything: core, attestation, token, vesting, airdrop, governor and timelock, and the hand-over of every permission:
 * at its end the timelock holds what the deployer held, and the deployer nothing. Without x402's proxy there is no escrow.
 */
export function governanceModule(
  module: Plan,
  parameters: {
    settlementWindow: number;
    governance: GovernanceParameters;
    uptoProxy?: string | undefined;
    /** whether channels have gates, too */
    hasGates?: boolean;
    /** the public escrow of commerce payments, if there are operators over it, too */
    commerce?: CommerceDeployment | undefined;
  },
) {
  const { commerce, governance, hasGates = false, uptoProxy: proxy } = parameters;
  const { deployer } = module;
  const core = coreModule(module, parameters);
  const { accessManager, inferenceSettlement } = core;
  const attested = attestationModule(module, { ...governance.attestation, accessManager });
  nameRegistry({ module, inferenceSettlement, teeRegistry: attested.teeRegistry });

  const token = tokenModule(module, governance);
  const { timelock, opg } = token;

  // No node leaves a bond until governance sets an amount and tells the registry of this contract.
  const nodeBonds = module.contract("NodeBonds", [accessManager, opg, attested.teeRegistry]);

  // A writer of the ledger is named before the rule is written that makes governance name it.
  const pageSettlement = module.contract("PageSettlement", [
    ...[accessManager, inferenceSettlement, opg],
    ...[governance.forcedInclusionDelay, DEFAULT_PAGE_PARAMETERS],
  ]);
  module.call(inferenceSettlement, "setLedgerWriter", [pageSettlement, true], {
    id: "ledger_writer_pages",
  });

  // Nobody vouches for pages, and no rewards flow, until governance names these contracts.
  const validatorStaking = module.contract("ValidatorStaking", [
    ...[accessManager, opg, pageSettlement, DEFAULT_STAKE_PARAMETERS],
  ]);
  const rewardRouter = module.contract("RewardRouter", [accessManager, opg]);

  // There is no feed until governance creates one.
  const dataFeeds = module.contract("DataFeeds", [accessManager, attested.teeRegistry]);
  const escrow: PaymentContracts =
    proxy === undefined
      ? {}
      : escrowModule(module, { accessManager, pageSettlement, opg, proxy, hasGates, commerce });
  // Stake votes from the beginning: another source of votes would be another governor.
  const stakedVotes = module.contract("StakedVotes", [opg, validatorStaking]);
  const governor = governorModule(module, {
    ...{ votes: stakedVotes, timelock, governor: governance.governor },
  });

  for (const [role, name, account] of [
    ["PROPOSER_ROLE", "governor", governor],
    ["CANCELLER_ROLE", "governor", governor],
    ["CANCELLER_ROLE", "guardian", governance.guardian],
  ] as const) {
    module.call(timelock, "grantRole", [TIMELOCK_ROLES[role], account], {
      id: `timelock_${role}_${name}`,
    });
  }

  accessCalls({
    ...{ module, accessManager },
    contracts: {
      InferenceSettlement: inferenceSettlement,
      NodeBonds: nodeBonds,
      PageSettlement: pageSettlement,
      ValidatorStaking: validatorStaking,
      RewardRouter: rewardRouter,
      DataFeeds: dataFeeds,
      ...(escrow.inferenceEscrow === undefined ? {} : { InferenceEscrow: escrow.inferenceEscrow }),
    },
  });
  for (const role of LABELLED_ROLES) {
    module.call(accessManager, "labelRole", [ROLES[role], role], { id: `label_${role}` });
  }
  // What the approver has scheduled, the guardian can cancel: a vote would take longer than the delay.
  module.call(accessManager, "setRoleGuardian", [ROLES.IMAGE_APPROVER, ROLES.GUARDIAN], {
    id: "guardian_IMAGE_APPROVER",
  });
  // The timelock has waited already when it approves an image; its delay for that role is none.
  for (const [role, name, account, delay] of [
    ["GOVERNANCE", "timelock", timelock, 0],
    ["GUARDIAN", "guardian", governance.guardian, 0],
    ["IMAGE_APPROVER", "approver", governance.imageApprover, IMAGE_APPROVAL_DELAY],
    ["IMAGE_APPROVER", "timelock", timelock, 0],
    ["ADMIN", "timelock", timelock, 0],
  ] as const) {
    module.call(accessManager, "grantRole", [ROLES[role], account, delay], {
      id: `grant_${role}_${name}`,
    });
  }

  // Last, once everything else is in place: an interruption before leaves the deployer able to finish.
  // A development chain may have given it to the deployer before; where it did not, this changes nothing.
  module.call(accessManager, "renounceRole", [ROLES.IMAGE_APPROVER, deployer], {
    id: "renounce_IMAGE_APPROVER",
  });
  module.call(accessManager, "renounceRole", [ROLES.ADMIN, deployer], {
    id: "renounce_accessManager",
  });
  module.call(timelock, "renounceRole", [TIMELOCK_ROLES.DEFAULT_ADMIN_ROLE, deployer], {
    id: "renounce_timelock",
  });
  const stake = { validatorStaking, rewardRouter, stakedVotes };
  const governed = { nodeBonds, pageSettlement, ...stake, dataFeeds, ...escrow, governor };
  return { ...core, ...attested, ...token, ...governed };
}
