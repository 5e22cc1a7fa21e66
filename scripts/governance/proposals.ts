import { BaseError } from "@haca/protocol/baseError";
import { textOf } from "@haca/protocol/chainText";
import {
  AbiCoder,
  concat,
  hexlify,
  id,
  keccak256,
  type Log,
  type Provider,
  toUtf8Bytes,
} from "ethers";
import type { ContractOf } from "../lib/contracts.ts";
import { readAllLogs } from "../lib/readAllLogs.ts";
import { printable } from "../lib/words.ts";
import { type Call, encodeCall } from "./call.ts";
import type { Session } from "./session.ts";

/** What the governor's functions take. */
export type Proposal = {
  targets: string[];
  values: bigint[];
  calldatas: string[];
  /** bytes, hex: a proposer may write what is no UTF-8, and the governor hashes the bytes */
  description: string;
};

/** A proposal that the governor has. */
export type KnownProposal = Proposal & { proposalId: bigint; proposer: string };

/** States as the governor numbers them. */
export const STATE_NAMES = [
  "pending",
  "active",
  "canceled",
  "defeated",
  "succeeded",
  "queued",
  "expired",
  "executed",
] as const;
export type StateName = (typeof STATE_NAMES)[number];

const CREATED: string = id(
  "ProposalCreated(uint256,address,address[],uint256[],string[],bytes[],uint256,uint256,string)",
);
/** Of that event, with bytes for strings: on a chain they are the same. */
const CREATED_TYPES = [
  ...["uint256", "address", "address[]", "uint256[]", "bytes[]", "bytes[]", "uint256", "uint256"],
  "bytes",
];
const PROPOSE: string = id("propose(address[],uint256[],bytes[],string)").slice(0, 10);
const coder: AbiCoder = AbiCoder.defaultAbiCoder();

export const proposalOf = (calls: readonly Call[], description: string): Proposal => ({
  targets: calls.map(({ target }) => target),
  values: calls.map(() => 0n),
  calldatas: calls.map(encodeCall),
  description: hexlify(toUtf8Bytes(description)),
});

/**
 * The text of a proposal that nobody else can make, and that no earlier proposal has. Without the proposer's name
 * (OpenZeppelin's suffix) anybody could propose the same first and cancel it for good; with the same text as one that
 * was defeated, the governor would refuse it.
 */
export const signedText = (parameters: {
  text: string;
  /** hex digits that no other proposal has */
  unique: string;
  proposer: string;
}): string => `${parameters.text}\n\n${parameters.unique}#proposer=${parameters.proposer}`;

/** Arguments of queue, execute and cancel. */
export const byHash = ({ targets, values, calldatas, description }: Proposal) =>
  [targets, values, calldatas, keccak256(description)] as const;

/** The call that submits a proposal. */
export const proposeData = ({ targets, values, calldatas, description }: Proposal): string =>
  concat([
    PROPOSE,
    coder.encode(
      ["address[]", "uint256[]", "bytes[]", "bytes"],
      [targets, values, calldatas, description],
    ),
  ]);

/** A proposal's text for a terminal, line by line. */
export const textLines = ({ description }: Proposal): string[] =>
  textOf(description).split("\n").map(printable);

/** The id under which the governor knows a proposal: OpenZeppelin's `hashProposal`. */
export const idOf = (proposal: Proposal): bigint =>
  BigInt(
    keccak256(coder.encode(["address[]", "uint256[]", "bytes[]", "bytes32"], byHash(proposal))),
  );

/** The salt of a proposal's operation in the timelock. */
export const saltOf = (governor: string, proposal: Proposal): string =>
  `0x${((BigInt(governor) << 96n) ^ BigInt(keccak256(proposal.description))).toString(16).padStart(64, "0")}`;

/** All proposals, oldest first. */
export async function readProposals(parameters: {
  provider: Provider;
  governor: string;
  /** block of the governor's creation */
  fromBlock: number;
}): Promise<KnownProposal[]> {
  const { provider, governor: address, fromBlock } = parameters;
  const logs = await readAllLogs({ provider, address, fromBlock, topics: [CREATED] });
  return logs.map(readCreated);
}

function readCreated({ data }: Log): KnownProposal {
  const [proposalId, proposer, targets, values, , calldatas, , , description] = coder.decode(
    CREATED_TYPES,
    data,
  );
  return {
    ...{ proposalId, proposer, description },
    ...{ targets: [...targets], values: [...values], calldatas: [...calldatas] },
  };
}

/** The proposal behind an id. Error: `governance.unknownProposal`. */
export async function findProposal(
  parameters: Parameters<typeof readProposals>[0] & { proposalId: bigint },
): Promise<KnownProposal> {
  const { proposalId } = parameters;
  const found = (await readProposals(parameters)).find((each) => each.proposalId === proposalId);
  if (found === undefined) {
    throw new BaseError({
      code: "governance.unknownProposal",
      message: `the governor knows no proposal ${proposalId}`,
    });
  }
  return found;
}

/** Error: `governance.badArgument` for what is no number, `governance.unknownProposal`. */
export async function openProposal(
  session: Session,
  text: string,
): Promise<{ governor: ContractOf<"HacaGovernor">; proposal: KnownProposal }> {
  if (!/^[0-9]{1,78}$/.test(text))
    throw new BaseError({
      code: "governance.badArgument",
      message: `a proposal has a number, got ${text}`,
    });
  const governor = await session.contract("HacaGovernor");
  const proposal = await findProposal({
    provider: session.provider,
    governor: await governor.getAddress(),
    fromBlock: session.book.contracts.HacaGovernor?.block ?? 0,
    proposalId: BigInt(text),
  });
  return { governor, proposal };
}

export async function stateOf(
  governor: ContractOf<"HacaGovernor">,
  proposalId: bigint,
): Promise<StateName> {
  return STATE_NAMES[Number(await governor.state(proposalId))] ?? "pending";
}
