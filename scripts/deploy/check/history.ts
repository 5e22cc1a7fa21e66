import { ROLES } from "@haca/protocol/roles";
import { type Interface, type Result, ZeroAddress } from "ethers";
import { TIMELOCK_ROLES } from "../modules/governance.ts";
import type { Log } from "../reader/chainReader.ts";
import { isCauseOf } from "./causes.ts";
import type { Operations } from "./operations.ts";

/** An event of one of the deployment's contracts. */
export type Change = {
  contract: string;
  address: string;
  event: string;
  args: Result;
  block: number;
  index: number;
  transaction: string;
};

/** Decodes what the contract's interface knows; everything that it does not is no event of that contract. */
export function decodeLogs(contract: string, abi: Interface, logs: readonly Log[]): Change[] {
  return logs.flatMap(({ topics, data, ...log }) => {
    const parsed = abi.parseLog({ topics: [...topics], data });
    return parsed === null ? [] : [{ contract, event: parsed.name, args: parsed.args, ...log }];
  });
}

/** What happened since the deployment began, in order, and who decided it. */
export class History {
  readonly #changes: Change[] = [];
  operations: Operations | undefined;
  /** the deployer's last act as administrator; undefined while he is one */
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

  /** Finds where the deployer gave up the last of his permissions. */
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
   * Nobody but administrators, who act by operations, and the holder himself can end a role. He had it by right if he
   * was to have it at the hand-over, or was given it by a decision since.
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

export const isBefore = (a: Change, b: Change): boolean =>
  a.block < b.block || (a.block === b.block && a.index < b.index);

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

/** Node statuses in which a node is excluded, ITEERegistryTypes.NodeStatus: banned, expelled. */
const EXCLUDED: ReadonlySet<bigint> = new Set([4n, 5n]);

/** Whether a node's status changed into being excluded, or out of it; undefined where neither. */
export function exclusionOf({ event, args }: Change): "banned" | "ban lifted" | undefined {
  if (event !== "TEEStatusChanged") return undefined;
  const [before, now] = [EXCLUDED.has(args.previous), EXCLUDED.has(args.current)];
  if (before === now) return undefined;
  return now ? "banned" : "ban lifted";
}
