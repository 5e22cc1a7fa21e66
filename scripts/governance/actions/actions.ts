import { BaseError } from "@haca/protocol/baseError";
import { closeContract, openContract, setRoleAdmin, setRoleGuardian } from "./access.ts";
import type { Action } from "./action.ts";
import { addNodeType } from "./addNodeType.ts";
import { approveImage } from "./approveImage.ts";
import { forfeitBond, setBond } from "./bonds.ts";
import { setAdminDelay, setExecutionDelay, setGrantDelay } from "./delays.ts";
import { addEscrow, setEscrowFee, setEscrowToken } from "./escrow.ts";
import { executeScheduled } from "./executeScheduled.ts";
import { closeFeed, createFeed, setFeedParameters } from "./feeds.ts";
import { giveUpVotes } from "./giveUpVotes.ts";
import { addLedgerWriter, removeLedgerWriter } from "./ledgerWriter.ts";
import { banNode, liftBan } from "./nodes.ts";
import { allowOperator, denyOperator } from "./operators.ts";
import { setPageAttester, setPageParameters } from "./pages.ts";
import { pauseAdmission, pausePages } from "./pauses.ts";
import { pay } from "./pay.ts";
import { redirectStakingRewards } from "./redirectStakingRewards.ts";
import { registerNode } from "./registerNode.ts";
import { relay } from "./relay.ts";
import { replaceGuardian } from "./replaceGuardian.ts";
import { replaceTimelock } from "./replaceTimelock.ts";
import { revokeCertificate, revokeKey, revokeUnseenCertificate } from "./revokeCertificate.ts";
import { revokeGrant } from "./revokeGrant.ts";
import { revokeImage } from "./revokeImage.ts";
import { grantRole, revokeRole } from "./roles.ts";
import { replaceVerifier, rotateRoot } from "./rotateRoot.ts";
import { SETTINGS } from "./settings.ts";
import { setVerifier } from "./setVerifier.ts";
import { setRewardRecipient, setStakeParameters } from "./stake.ts";

/** Ready-made proposals and the guardian's commands. Those of contracts that a chain lacks say so. */
export const ACTIONS: readonly Action[] = [
  ...SETTINGS,
  addLedgerWriter,
  removeLedgerWriter,
  setPageParameters,
  setPageAttester,
  pausePages,
  setStakeParameters,
  setRewardRecipient,
  createFeed,
  setFeedParameters,
  closeFeed,
  setEscrowToken,
  setEscrowFee,
  addEscrow,
  approveImage,
  revokeImage,
  addNodeType,
  registerNode,
  banNode,
  liftBan,
  denyOperator,
  allowOperator,
  pauseAdmission,
  revokeCertificate,
  revokeKey,
  revokeUnseenCertificate,
  setVerifier,
  rotateRoot,
  replaceVerifier,
  setBond,
  forfeitBond,
  redirectStakingRewards,
  revokeGrant,
  pay,
  giveUpVotes,
  relay,
  replaceGuardian,
  replaceTimelock,
  grantRole,
  revokeRole,
  closeContract,
  openContract,
  setRoleAdmin,
  setRoleGuardian,
  setAdminDelay,
  setGrantDelay,
  setExecutionDelay,
  executeScheduled,
];

/** Error: `governance.badArgument`. */
export function actionNamed(name: string | undefined): Action {
  const action = ACTIONS.find((candidate) => candidate.name === name);
  if (action === undefined) {
    throw new BaseError({
      code: "governance.badArgument",
      message: `no action ${name}; there are ${ACTIONS.map((candidate) => candidate.name).join(", ")}`,
    });
  }
  return action;
}
