import { IMAGE_APPROVAL_DELAY } from "@haca/protocol/attestationParameters";
import {
  AbiCoder,
  type Interface,
  id,
  keccak256,
  type Result,
  toBeHex,
  zeroPadBytes,
} from "ethers";
import type { Log } from "../reader/chainReader.ts";
import type { DecidedCall } from "./causes.ts";
import type { Change } from "./events.ts";
import type { Names } from "./names.ts";

/** A call that was decided, and by whom in words. */
export type Decision = { call: DecidedCall; words: string };

const PROPOSAL_CREATED = id(
  "ProposalCreated(uint256,address,address[],uint256[],string[],bytes[],uint256,uint256,string)",
);
/** The description as bytes: it is hashed as it came, UTF-8 or not. */
const PROPOSAL_FIELDS = [
  ...["uint256", "address", "address[]", "uint256[]", "string[]", "bytes[]"],
  ...["uint256", "uint256", "bytes"],
];
const ZERO_BYTES32 = `0x${"00".repeat(32)}`;

/**
 * What governance and image approvers decided: operations of the timelock that a proposal of the governor stands
 * behind, and operations of the AccessManager that an approver scheduled long enough ago.
 */
export class Operations {
  /** proposals by the id of their timelock operation */
  readonly #proposals = new Map<string, bigint>();
  readonly #scheduled = new Map<string, Scheduled>();
  readonly #names: Names;
  readonly #isApprover: (account: string) => boolean;
  readonly #timelocks: readonly string[];

  constructor(parameters: {
    governor: string | undefined;
    governorLogs: readonly Log[];
    scheduled: readonly Scheduled[];
    names: Names;
    isApprover: (account: string) => boolean;
    timelocks: readonly string[];
  }) {
    const { governor, governorLogs, scheduled, names, isApprover } = parameters;
    this.#names = names;
    this.#timelocks = parameters.timelocks;
    this.#isApprover = isApprover;
    for (const { topics, data } of governorLogs) {
      if (governor === undefined || topics[0] !== PROPOSAL_CREATED) continue;
      const fields = AbiCoder.defaultAbiCoder().decode(PROPOSAL_FIELDS, data);
      this.#proposals.set(operationOf(governor, fields), fields[0]);
    }
    for (const operation of scheduled) {
      this.#scheduled.set(`${operation.id} ${operation.nonce}`, operation);
    }
  }

  /** The proposal behind an operation of the timelock; undefined: it came about in another way. */
  proposalOf(operation: string): bigint | undefined {
    return this.#proposals.get(operation);
  }

  /**
   * Why an operation of the AccessManager is neither an approver's decision nor a proposal's, of which the timelock made
   * it: what the timelock does is looked at for itself. Undefined if it is one.
   */
  objectionTo(operation: Scheduled): string | undefined {
    const { caller, target, data, waited } = operation;
    if (this.#timelocks.includes(caller)) return undefined;
    const name = this.#names.interfaceOf(target)?.parseTransaction({ data })?.name ?? "";
    if (!/^approve(Image|PCR)$/.test(name)) return "its call is none that image approvers decide";
    if (!this.#isApprover(caller)) return `${caller} is no image approver`;
    if (waited < IMAGE_APPROVAL_DELAY) {
      return `${waited} s lie between decision and effect instead of ${IMAGE_APPROVAL_DELAY}`;
    }
    return undefined;
  }

  /** Decisions that were carried out in a change's transaction, with what they called. */
  executedWith(change: Change, others: readonly Change[]): Decision[] {
    return others.flatMap(({ event, args, index }): Decision[] => {
      if (event === "CallExecuted" && index > change.index) {
        const proposal = this.#proposals.get(args.id);
        if (proposal === undefined) return [];
        const words = `by governance: proposal ${proposal}, operation ${args.id}, transaction ${change.transaction}`;
        return this.#calls(args.target, args.data).map((call) => ({ call, words }));
      }
      if (event === "OperationExecuted") {
        const operation = this.#scheduled.get(`${args.operationId} ${args.nonce}`);
        if (operation === undefined || this.objectionTo(operation) !== undefined) return [];
        // The timelock's own call is among what was executed, and says whether a proposal stands behind it.
        if (this.#timelocks.includes(operation.caller)) return [];
        const words = `by the image approver ${operation.caller}: operation ${operation.id}, transaction ${change.transaction}`;
        return this.#calls(operation.target, operation.data).map((call) => ({ call, words }));
      }
      return [];
    });
  }

  /** A call, or what is inside one that only passes others on. */
  #calls(target: string, data: string): DecidedCall[] {
    const parsed = this.#names.interfaceOf(target)?.parseTransaction({ data });
    if (!parsed) return [];
    if (parsed.name === "multicall") {
      return [...parsed.args.data].flatMap((inner: string) => this.#calls(target, inner));
    }
    if (parsed.name === "execute" && parsed.args.length === 2) {
      return this.#calls(parsed.args.target, parsed.args.data);
    }
    return [{ target, name: parsed.name, args: parsed.args }];
  }
}

/** An operation of the AccessManager. */
export type Scheduled = {
  id: string;
  nonce: bigint;
  caller: string;
  target: string;
  data: string;
  /** unix seconds */
  due: number;
  /** from its scheduling to its earliest execution, seconds */
  waited: number;
};

/** The timelock's id of a proposal, as GovernorTimelockControl computes it. */
function operationOf(governor: string, fields: Result): string {
  const [, , targets, values, , calldatas, , , description] = fields;
  const salt = BigInt(zeroPadBytes(governor, 32)) ^ BigInt(keccak256(description));
  return keccak256(
    AbiCoder.defaultAbiCoder().encode(
      ["address[]", "uint256[]", "bytes[]", "bytes32", "bytes32"],
      [[...targets], [...values], [...calldatas], ZERO_BYTES32, toBeHex(salt, 32)],
    ),
  );
}

/** A call in words: `InferenceSettlement.setSettlementWindow(window: 86400)`. */
export function wordsOfCall(names: Names, target: string, data: string): string {
  const contract: Interface | undefined = names.interfaceOf(target);
  const parsed = contract?.parseTransaction({ data });
  if (!parsed) return `a call of ${names.of(target)} with ${data.slice(0, 10)}…`;
  const values = parsed.fragment.inputs.map(
    (input, index) => `${input.name || index}: ${names.value(parsed.args[index])}`,
  );
  return `${names.short(target)}.${parsed.name}(${values.join(", ")})`;
}
