import type { AddressBook } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import { Contract, formatUnits, type Provider } from "ethers";
import { TIMELOCK_ROLES } from "../deploy/modules/governance.ts";
import type { Arguments } from "./arguments.ts";
import { addressOf, type Call } from "./call.ts";
import { duration } from "./duration.ts";

const UINT64 = (1n << 64n) - 1n;
const UINT8 = 255n;
const PCR_LENGTH = 48;

export type ActionContext = { book: AddressBook; provider: Provider; values: Arguments };

export type Action = {
  name: string;
  /** what follows the name on the command line */
  usage: string;
  summary: string;
  /** who carries it out: token holders by a proposal, or the guardian at once */
  by: "proposal" | "guardian";
  build: (context: ActionContext) => Promise<Call[]>;
};

const read = (context: ActionContext, contract: string, view: string, ...values: unknown[]) =>
  new Contract(addressOf(context.book, contract), [view], context.provider).getFunction(
    /(?<=^function )\w+/.exec(view)?.[0] ?? "",
  )(...values);

/** A proposal that sets one number of one contract. */
const setting = (parameters: {
  name: string;
  contract: string;
  setter: string;
  type: string;
  getter: string;
  maximum: bigint;
  what: string;
  show: (value: bigint) => string;
}): Action => ({
  name: parameters.name,
  usage: "<value>",
  summary: `sets ${parameters.what}`,
  by: "proposal",
  build: async (context) => {
    const value = context.values.whole("value", { minimum: 0n, maximum: parameters.maximum });
    const { contract, setter, type, getter, what, show } = parameters;
    const current: bigint = await read(
      context,
      contract,
      `function ${getter}() view returns (uint256)`,
    );
    return [
      {
        contract,
        target: addressOf(context.book, contract),
        fragment: `function ${setter}(${type} value)`,
        arguments: [value],
        words: `${what} changes from ${show(current)} to ${show(value)}`,
      },
    ];
  },
});

const seconds = (value: bigint): string => `${value} s (${duration(value)})`;
const percent = (value: bigint): string => `${value}%`;

const TIMELOCK = "TimelockController";
const CANCELLER = TIMELOCK_ROLES.CANCELLER_ROLE;

/** Ready-made proposals and the guardian's commands. Those of contracts that a chain lacks say so. */
export const ACTIONS: readonly Action[] = [
  setting({
    ...{ name: "set-settlement-window", contract: "InferenceSettlement", type: "uint64" },
    ...{ setter: "setSettlementWindow", getter: "settlementWindow", maximum: UINT64 },
    ...{ what: "the time after its answer in which a result can be settled", show: seconds },
  }),
  setting({
    ...{ name: "set-heartbeat-age", contract: "TEERegistry", type: "uint64" },
    ...{ setter: "setHeartbeatMaxAge", getter: "heartbeatMaxAge", maximum: UINT64 },
    ...{ what: "the age at which a node's last heartbeat makes it inactive", show: seconds },
  }),
  setting({
    ...{ name: "set-voting-delay", contract: "HacaGovernor", type: "uint48" },
    ...{ setter: "setVotingDelay", getter: "votingDelay", maximum: (1n << 48n) - 1n },
    ...{ what: "the time from a proposal to its vote", show: seconds },
  }),
  setting({
    ...{ name: "set-voting-period", contract: "HacaGovernor", type: "uint32" },
    ...{ setter: "setVotingPeriod", getter: "votingPeriod", maximum: (1n << 32n) - 1n },
    ...{ what: "the time to vote", show: seconds },
  }),
  setting({
    ...{ name: "set-quorum", contract: "HacaGovernor", type: "uint256" },
    ...{ setter: "updateQuorumNumerator", getter: "quorumNumerator", maximum: 100n },
    ...{ what: "the share of all OPG that has to vote for or abstain", show: percent },
  }),
  setting({
    ...{ name: "set-timelock-delay", contract: TIMELOCK, type: "uint256" },
    ...{ setter: "updateDelay", getter: "getMinDelay", maximum: 365n * 86_400n },
    ...{ what: "the time between a decision and its execution", show: seconds },
  }),
  {
    name: "approve-image",
    usage: "<pcr0> <pcr1> <pcr2> <version> <node type>",
    summary: "lets nodes of a type run an enclave image",
    by: "proposal",
    build: async ({ book, values }) => {
      const pcrs = ["pcr0", "pcr1", "pcr2"].map((name) => values.bytes(name, PCR_LENGTH));
      const version = values.text("version");
      const teeType = values.whole("node type", { minimum: 0n, maximum: UINT8 });
      return [
        {
          contract: "TEERegistry",
          target: addressOf(book, "TEERegistry"),
          fragment:
            "function approvePCR(tuple(bytes pcr0, bytes pcr1, bytes pcr2) pcrs, string version, uint8 teeType)",
          arguments: [pcrs, version, teeType],
          words: `nodes of type ${teeType} may run image "${version}" with PCR0 ${pcrs[0]}`,
        },
      ];
    },
  },
  {
    name: "revoke-image",
    usage: "<pcr hash> <node type>",
    summary: "ends the approval of an image at once",
    by: "guardian",
    build: async ({ book, values }) => {
      const hash = values.bytes("pcr hash", 32);
      const teeType = values.whole("node type", { minimum: 0n, maximum: UINT8 });
      return [
        {
          contract: "TEERegistry",
          target: addressOf(book, "TEERegistry"),
          fragment: "function revokePCR(bytes32 pcrHash, uint8 teeType)",
          arguments: [hash, teeType],
          words: `no node of type ${teeType} on image ${hash} is active any more`,
        },
      ];
    },
  },
  {
    name: "ban-node",
    usage: "<tee id>",
    summary: "excludes a node at once",
    by: "guardian",
    build: async ({ book, values }) => {
      const teeId = values.bytes("tee id", 32);
      return [
        {
          contract: "TEERegistry",
          target: addressOf(book, "TEERegistry"),
          fragment: "function banTEE(bytes32 teeId)",
          arguments: [teeId],
          words: `node ${teeId} is banned; only a proposal can lift that`,
        },
      ];
    },
  },
  {
    name: "add-node-type",
    usage: "<number> <name>",
    summary: "adds a type of inference node",
    by: "proposal",
    build: async ({ book, values }) => {
      const teeType = values.whole("number", { minimum: 0n, maximum: UINT8 });
      const name = values.text("name");
      return [
        {
          contract: "TEERegistry",
          target: addressOf(book, "TEERegistry"),
          fragment: "function addTEEType(uint8 teeType, string name)",
          arguments: [teeType, name],
          words: `node type ${teeType} exists and is called "${name}"`,
        },
      ];
    },
  },
  {
    name: "redirect-staking-rewards",
    usage: "<staking contract>",
    summary: "points the staking rewards at a contract, once and for ever",
    by: "proposal",
    build: async ({ book, values }) => {
      const target = values.address("staking contract");
      const grant = book.grants?.find(({ allocation }) => allocation === "Staking rewards");
      if (grant === undefined) {
        throw new BaseError({
          code: "governance.notDeployed",
          message: `the address book of chain ${book.chainId} has no staking rewards`,
        });
      }
      return [
        {
          contract: "VestingVault",
          target: grant.vault,
          fragment: "function redirect(address target)",
          arguments: [target],
          words: `the staking rewards (${formatUnits(grant.total, 18)} OPG) are paid to ${target} from then on, and nobody can change that again`,
        },
      ];
    },
  },
  {
    name: "revoke-grant",
    usage: "<vault>",
    summary: "takes back what is not vested of a contributor's grant",
    by: "proposal",
    build: async ({ book, values }) => {
      const vault = values.address("vault");
      const grant = book.grants?.find((candidate) => candidate.vault === vault);
      const whose = grant === undefined ? "" : ` of ${grant.beneficiary} (${grant.allocation})`;
      return [
        {
          contract: "VestingVault",
          target: vault,
          fragment: "function revoke() returns (uint256 refund)",
          arguments: [],
          words: `the grant in ${vault}${whose} stops vesting at that moment; the rest returns to the ecosystem vault, what is vested stays claimable`,
        },
      ];
    },
  },
  {
    name: "pay",
    usage: "<receiver> <amount of OPG>",
    summary: "pays OPG that the timelock holds",
    by: "proposal",
    build: async (context) => {
      const receiver = context.values.address("receiver");
      const amount = context.values.tokens("amount of OPG");
      const balance: bigint = await read(
        context,
        "OPG",
        "function balanceOf(address account) view returns (uint256)",
        addressOf(context.book, TIMELOCK),
      );
      return [
        {
          contract: "OPG",
          target: addressOf(context.book, "OPG"),
          fragment: "function transfer(address to, uint256 value) returns (bool)",
          arguments: [receiver, amount],
          words: `${formatUnits(amount, 18)} of the timelock's ${formatUnits(balance, 18)} OPG go to ${receiver}`,
        },
      ];
    },
  },
  {
    name: "replace-guardian",
    usage: "<old> <new>",
    summary: "gives the guardian's rights to another account",
    by: "proposal",
    build: async ({ book, values }) => {
      const [former, next] = [values.address("old"), values.address("new")];
      const manager = addressOf(book, "AccessManager");
      const timelock = addressOf(book, TIMELOCK);
      const roleCall = (
        contract: string,
        target: string,
        fragment: string,
        list: readonly unknown[],
        words: string,
      ): Call => ({ contract, target, fragment, arguments: list, words });
      return [
        roleCall(
          TIMELOCK,
          timelock,
          "function grantRole(bytes32 role, address account)",
          [CANCELLER, next],
          `${next} may cancel proposals in the timelock`,
        ),
        roleCall(
          TIMELOCK,
          timelock,
          "function revokeRole(bytes32 role, address account)",
          [CANCELLER, former],
          `${former} may not any more`,
        ),
        roleCall(
          "AccessManager",
          manager,
          "function grantRole(uint64 roleId, address account, uint32 executionDelay)",
          [2n, next, 0n],
          `${next} gets the role GUARDIAN`,
        ),
        roleCall(
          "AccessManager",
          manager,
          "function revokeRole(uint64 roleId, address account)",
          [2n, former],
          `${former} loses the role GUARDIAN`,
        ),
      ];
    },
  },
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
