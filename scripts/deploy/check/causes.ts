import { measurementOf } from "@haca/attestation/nitro/measurementOf";
import { ATTESTATION_VENDORS } from "@haca/protocol/attestationVendors";
import type { Result } from "ethers";
import type { Change } from "./events.ts";

/** A call that somebody decided on: the name of a function of a contract, and its arguments. */
export type DecidedCall = { target: string; name: string; args: Result };

type Cause = (call: DecidedCall, change: Change) => boolean;

const isSame = (left: unknown, right: unknown): boolean => String(left) === String(right);

/** A call of that name whose arguments are, in order, those of the event. */
const call =
  (name: string, ...events: readonly (string | number)[]): Cause =>
  (decided, { args }) =>
    decided.name === name &&
    events.every((key, index) => isSame(decided.args[index], args[key as never]));

const approval: Cause = (decided, { args }) => {
  if (!/^approve(Image|PCR)$/.test(decided.name)) return false;
  const isLegacy = decided.name === "approvePCR";
  const measurement = isLegacy ? measurementOf([...decided.args.pcrs]) : decided.args.measurement;
  return (
    measurement === args.measurement &&
    isSame(decided.args.teeType, args.teeType) &&
    isSame(
      isLegacy ? ATTESTATION_VENDORS.nitro.verifierId : decided.args.verifierId,
      args.verifierId,
    )
  );
};

/**
 * Which call makes an event. A new event of a contract that can hold power gets its line here; without one, no
 * decision explains it, and the check says so.
 */
const CAUSES: Readonly<Record<string, Cause>> = {
  "AccessManager.RoleGranted": call("grantRole", "roleId", "account", "delay"),
  "AccessManager.RoleRevoked": call("revokeRole", "roleId", "account"),
  "AccessManager.RoleAdminChanged": call("setRoleAdmin", "roleId", "admin"),
  "AccessManager.RoleGuardianChanged": call("setRoleGuardian", "roleId", "guardian"),
  "AccessManager.RoleGrantDelayChanged": call("setGrantDelay", "roleId", "delay"),
  "AccessManager.RoleLabel": call("labelRole", "roleId", "label"),
  "AccessManager.TargetClosed": call("setTargetClosed", "target", "closed"),
  "AccessManager.TargetAdminDelayUpdated": call("setTargetAdminDelay", "target", "delay"),
  "AccessManager.TargetFunctionRoleUpdated": (decided, { args }) =>
    decided.name === "setTargetFunctionRole" &&
    decided.args.target === args.target &&
    [...decided.args.selectors].includes(args.selector) &&
    decided.args.roleId === args.roleId,
  "TimelockController.RoleGranted": call("grantRole", "role", "account"),
  "TimelockController.RoleRevoked": (decided, change) =>
    ["revokeRole", "renounceRole"].some((name) => call(name, "role", "account")(decided, change)),
  "TimelockController.MinDelayChange": call("updateDelay", "newDuration"),
  "HacaGovernor.VotingDelaySet": call("setVotingDelay", 1),
  "HacaGovernor.VotingPeriodSet": call("setVotingPeriod", 1),
  "HacaGovernor.ProposalThresholdSet": call("setProposalThreshold", 1),
  "HacaGovernor.QuorumNumeratorUpdated": call("updateQuorumNumerator", 1),
  "HacaGovernor.LateQuorumVoteExtensionSet": call("setLateQuorumVoteExtension", 1),
  "HacaGovernor.TimelockChange": call("updateTimelock", 1),
  "InferenceSettlement.SettlementWindowChanged": call("setSettlementWindow", "current"),
  "InferenceSettlement.TEERegistrySet": call("setTeeRegistry", "registry"),
  "InferenceSettlement.LedgerWriterChanged": call("setLedgerWriter", "writer", "allowed"),
  "TEERegistry.TEETypeAdded": call("addTEEType", "teeType", "name"),
  "TEERegistry.ImageApproved": approval,
  "TEERegistry.VerifierChanged": call("setVerifier", "verifierId", "current"),
  "TEERegistry.BondsChanged": call("setBonds", "current"),
  "TEERegistry.HeartbeatMaxAgeChanged": call("setHeartbeatMaxAge", "current"),
  "TEERegistry.AttestationMaxAgeChanged": call("setAttestationMaxAge", "current"),
  "TEERegistry.OperatorAllowed": call("allowOperator", "operator"),
  "TEERegistry.TEEStatusChanged": call("liftBan", "teeId"),
  "PageSettlement.AttesterChanged": call("setAttester", "attester"),
  "PageSettlement.ParametersChanged": call("setParameters", "parameters"),
  "ValidatorStaking.ParametersChanged": call("setParameters", "parameters"),
  "RewardRouter.RecipientChanged": call("setRecipient", "recipient"),
  "DataFeeds.FeedCreated": call("createFeed", "description", "decimals", "sourceHash"),
  "DataFeeds.FeedParametersChanged": (decided, change) =>
    call("setFeedParameters", "feedId", "parameters")(decided, change) ||
    (decided.name === "createFeed" && isSame(decided.args.parameters, change.args.parameters)),
  "DataFeeds.FeedClosed": call("closeFeed", "feedId"),
  "InferenceEscrow.TokenAllowed": call("setToken", "token", "isAllowed"),
  "InferenceEscrow.FeeChanged": call("setFee", "feeBps", "receiver"),
  "NodeBonds.BondAmountChanged": call("setAmount", "current"),
  "NodeBonds.BondForfeited": call("forfeit", "teeId", "receiver"),
};

/** Whether a call is what made an event. */
export function isCauseOf(decided: DecidedCall, change: Change): boolean {
  // The manager tells a contract who its authority is; everything else a contract is told itself.
  if (change.event === "AuthorityUpdated") {
    return call(
      "updateAuthority",
      "target",
      "authority",
    )(decided, {
      ...change,
      args: { target: change.address, authority: change.args.authority } as unknown as Result,
    });
  }
  const cause = CAUSES[`${change.contract}.${change.event}`];
  return cause !== undefined && decided.target === change.address && cause(decided, change);
}
