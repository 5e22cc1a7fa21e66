import type { AddressBook } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import { Contract, type JsonRpcSigner } from "ethers";
import hre from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import { firstLine } from "../deploy/connect.ts";
import type { Deployment } from "./actions/action.ts";
import { addressOf } from "./call.ts";
import { deployBeforehand } from "./deployBeforehand.ts";
import { duration } from "./duration.ts";
import { byHash, byText, type Proposal } from "./proposals.ts";

const FOR = 1;
const ETHER = 10n ** 18n;

const GOVERNOR_ABI = [
  "function propose(address[] targets, uint256[] values, bytes[] calldatas, string description) returns (uint256)",
  "function queue(address[] targets, uint256[] values, bytes[] calldatas, bytes32 descriptionHash) returns (uint256)",
  "function execute(address[] targets, uint256[] values, bytes[] calldatas, bytes32 descriptionHash) payable returns (uint256)",
  "function castVote(uint256 proposalId, uint8 support) returns (uint256)",
  "function hashProposal(address[] targets, uint256[] values, bytes[] calldatas, bytes32 descriptionHash) view returns (uint256)",
  "function votingDelay() view returns (uint256)",
  "function proposalDeadline(uint256 proposalId) view returns (uint256)",
];

/**
 * Runs the whole life of a proposal on a copy of the chain as it is now. It presumes that the vote passes: the
 * ecosystem vault's tokens vote for it there. What is tested is whether the calls do what they should, and at which
 * times. Error: `governance.simulationFailed`, with the reason of the call that reverted.
 */
export async function simulate(parameters: {
  book: AddressBook;
  url: string;
  proposal: Proposal;
  /** what `account` deploys before it proposes; on the copy only */
  deployments: readonly Deployment[];
  account: string;
}): Promise<string[]> {
  const { book, url, proposal, deployments, account } = parameters;
  const connection = await hre.network.create({
    network: "default",
    override: { chainId: book.chainId, forking: { enabled: true, url } },
  });
  try {
    if (deployments.length > 0) {
      await deployBeforehand({ deployments, signer: await impersonate(connection, account) });
    }
    const voter = await borrowVotes(connection, book);
    const governor = new Contract(addressOf(book, "HacaGovernor"), GOVERNOR_ABI, voter);
    const { time } = connection.networkHelpers;
    const log: string[] = [];
    const start = await time.latest();
    const step = async (name: string, ...values: unknown[]): Promise<void> => {
      try {
        const sent = await governor.getFunction(name)(...values);
        const receipt = await sent.wait();
        const after = duration((await time.latest()) - start);
        log.push(`${name.padEnd(8)} ok, ${receipt.gasUsed} gas, ${after} after the proposal`);
      } catch (cause) {
        throw new BaseError({
          code: "governance.simulationFailed",
          message: `${name} fails: ${firstLine(cause)}`,
          cause,
        });
      }
    };

    await step("propose", ...byText(proposal));
    const proposalId = await governor.getFunction("hashProposal")(...byHash(proposal));
    await time.increase(Number(await governor.getFunction("votingDelay")()) + 1);
    await step("castVote", proposalId, FOR);
    await time.increaseTo(Number(await governor.getFunction("proposalDeadline")(proposalId)) + 1);
    await step("queue", ...byHash(proposal));
    const timelock = new Contract(
      addressOf(book, "TimelockController"),
      ["function getMinDelay() view returns (uint256)"],
      voter,
    );
    await time.increase(Number(await timelock.getFunction("getMinDelay")()) + 1);
    await step("execute", ...byHash(proposal));
    return log;
  } finally {
    await connection.close();
  }
}

/** The ecosystem vault, with its own votes, on the copy only. */
async function borrowVotes(
  connection: NetworkConnection,
  book: AddressBook,
): Promise<JsonRpcSigner> {
  const vault = book.grants?.find(({ allocation }) => allocation === "Ecosystem")?.vault;
  if (vault === undefined) {
    throw new BaseError({
      code: "governance.notDeployed",
      message: `the address book of chain ${book.chainId} has no ecosystem vault`,
    });
  }
  const voter = await impersonate(connection, vault);
  const token = new Contract(
    addressOf(book, "OPG"),
    ["function delegate(address delegatee)"],
    voter,
  );
  await (await token.getFunction("delegate")(vault)).wait();
  await connection.networkHelpers.time.increase(1);
  return voter;
}

async function impersonate(connection: NetworkConnection, account: string): Promise<JsonRpcSigner> {
  const { networkHelpers, ethers } = connection;
  await networkHelpers.impersonateAccount(account);
  await networkHelpers.setBalance(account, ETHER);
  return (await ethers.getSigner(account)) as unknown as JsonRpcSigner;
}
