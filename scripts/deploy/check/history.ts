import { ROLES, TIMELOCK_ROLES } from "@haca/protocol/roles";
import { ZeroAddress } from "ethers";
import { isCauseOf } from "./causes.ts";
import { type Change, exclusionOf, isBefore } from "./events.ts";
import type { Operations } from "./operations.ts";

/** What happened since the deployment began, in order, and who decided it. */
export class History {
  readonly #changes: Change[] = [];
  operations: Operations | undefined;
  /** the deployer's last act as administrator; undefined while they are one */
  handover: Change | undefined;
  /** accounts that were to have roles when the deployment was handed over */
  holders: ReadonlySet<string> = new Set();

  add(changes: readonly Change[]): void {
    this.#changes.push(...changes);
    this.#changes.sort((a, b) => a.block - b.block || a.index - b.index);
  }

  of(address: string | undefined, ...events: readonly string[]): Change[] {
    return this.#changes.filter(
      (change) =>
        change.address === address && (events.length === 0 || events.includes(change.event)),
    );
  }

  in(transaction: string): Change[] {
    return this.#changes.filter((change) => change.transaction === transaction);
  }

  /** Finds where the deployer gave up the last of their permissions. */
  findHandover(parameters: {
    manager: string;
    timelock: string | undefined;
    deployer: string | undefined;
    timelockDeployer: string | undefined;
  }): void {
    const { manager, timelock, deployer, timelockDeployer } = parameters;
    const admin = this.of(manager, "RoleRevoked").findLast(
      ({ args }) => args.roleId === ROLES.ADMIN && args.account === deployer,
    );
    const timelockAdmin = this.of(timelock, "RoleRevoked").findLast(
      ({ args }) =>
        args.role === TIMELOCK_ROLES.DEFAULT_ADMIN_ROLE && args.account === timelockDeployer,
    );
    if (admin === undefined || timelockAdmin === undefined) return;
    this.handover = isBefore(admin, timelockAdmin) ? timelockAdmin : admin;
  }

  isAfterHandover(change: Change): boolean {
    return this.handover !== undefined && isBefore(this.handover, change);
  }

  /** Who decided a change, in words; undefined if nobody who may. */
  decisionOf(change: Change): string | undefined {
    if (this.operations === undefined) return undefined;
    if (this.isAfterHandover(change) && this.#isRenunciation(change))
      return "given up by its holder";
    if (isRemoval(change) && this.isAfterHandover(change)) return "by the guardian";
    for (const decided of this.operations.executedWith(change, this.in(change.transaction))) {
      if (isCauseOf(decided.call, change)) return decided.words;
    }
    return undefined;
  }

  /**
   * Nobody but administrators, who act by operations, and the holder can end a role. They had it by right if they were to
   * have it at the hand-over, or were given it by a decision since.
   */
  #isRenunciation(change: Change): boolean {
    const { account } = change.args;
    if (change.event !== "RoleRevoked" || account === ZeroAddress) return false;
    const grant = this.of(change.address, "RoleGranted").findLast(
      (one) =>
        isBefore(one, change) && roleOf(one) === roleOf(change) && one.args.account === account,
    );
    if (grant === undefined) return false;
    return this.isAfterHandover(grant)
      ? this.decisionOf(grant) !== undefined
      : this.holders.has(account);
  }
}

const roleOf = ({ args }: Change): string => String(args[0]);

/** What GUARDIAN may do, and nobody else. */
const isRemoval = (change: Change): boolean =>
  [
    "ImageRevoked",
    "OperatorDenied",
    "AdmissionPaused",
    "CertificateRevoked",
    "KeyRevoked",
    "UnseenCertificateRevoked",
  ].includes(change.event) || exclusionOf(change) === "banned";
