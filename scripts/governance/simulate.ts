import type { AddressBook } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import type { JsonRpcSigner } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { openChainInMemory } from "../lib/chainAlone.ts";
import { addressOf } from "../lib/chainSession.ts";
import { contractAt } from "../lib/contracts.ts";
import { reasonOf } from "../lib/explainError.ts";
import { duration } from "../lib/words.ts";
import type { Deployment } from "./actions/action.ts";
import { deployBeforehand } from "./deployBeforehand.ts";
import { byHash, idOf, type Proposal, proposeData } from "./proposals.ts";

const FOR = 1;
const ETHER = 10n ** 18n;

/**
 * Runs the whole life of a proposal on a copy of the chain as it is now. It presumes that the vote passes: there,
 * `account` has the ecosystem vault's tokens and votes for it. What is tested is whether the calls do what they should,
 * and at which times. Error: `governance.simulationFailed`, with the reason of the call that reverted.
 */
export async function simulate(parameters: {
  book: AddressBook;
  network: string;
  proposal: Proposal;
  /** what `account` deploys before it proposes; on the copy only */
  deployments: readonly Deployment[];
  account: string;
  report: (line: string) => void;
}): Promise<void> {
  const { book, proposal, deployments, account, report } = parameters;
  const { default: hre } = await import("hardhat");
  const network = hre.config.networks[parameters.network];
  if (network?.type !== "http") throw new Error("a network without a URL");
  const url = await network.url.get();
  const connection = await openChainInMemory({
    override: { chainId: book.chainId, forking: { enabled: true, url } },
  });
  try {
    // Hardhat answers no call at the block that a copy begins with.
    await connection.networkHelpers.mine();
    const voter = await impersonate(connection, account);
    if (deployments.length > 0) await deployBeforehand({ deployments, signer: voter });
    await borrowVotes({ connection, book, voter });
    const target = addressOf(book, "HacaGovernor");
    const governor = contractAt({ name: "HacaGovernor", address: target, runner: voter });
    const { time } = connection.networkHelpers;
    const start = await time.latest();
    const step = async (name: string, data: string): Promise<void> => {
      try {
        const receipt = await (await voter.sendTransaction({ to: target, data })).wait();
        const after = duration((await time.latest()) - start);
        report(`${name.padEnd(8)} ok, ${receipt?.gasUsed} gas, ${after} after the proposal`);
      } catch (cause) {
        throw new BaseError({
          code: "governance.simulationFailed",
          message: `${name} fails: ${reasonOf(cause)}`,
          cause,
        });
      }
    };
    const call = (name: string, ...values: unknown[]) =>
      step(name, governor.interface.encodeFunctionData(name, values));

    const proposalId = idOf(proposal);
    await step("propose", proposeData(proposal));
    await time.increase(Number(await governor.votingDelay()) + 1);
    await call("castVote", proposalId, FOR);
    await time.increaseTo(Number(await governor.proposalDeadline(proposalId)) + 1);
    await call("queue", ...byHash(proposal));
    const timelock = contractAt({
      ...{ name: "TimelockController", address: addressOf(book, "TimelockController") },
      runner: voter,
    });
    await time.increase(Number(await timelock.getMinDelay()) + 1);
    await call("execute", ...byHash(proposal));
  } finally {
    await connection.close();
  }
}

/** Gives the voter the ecosystem vault's tokens, which cannot vote where they are; on the copy only. */
async function borrowVotes(parameters: {
  connection: NetworkConnection;
  book: AddressBook;
  voter: JsonRpcSigner;
}): Promise<void> {
  const { connection, book, voter } = parameters;
  const grant = book.grants?.find(({ allocation }) => allocation === "Ecosystem");
  if (grant === undefined) {
    throw new BaseError({
      code: "chain.notDeployed",
      message: `the address book of chain ${book.chainId} has no ecosystem vault`,
    });
  }
  const at = { name: "OPG", address: addressOf(book, "OPG") } as const;
  const token = contractAt({ ...at, runner: voter });
  const vault = await impersonate(connection, grant.vault);
  const lent = contractAt({ ...at, runner: vault });
  await (await lent.transfer(voter.address, await token.balanceOf(grant.vault))).wait();
  await (await token.delegate(voter.address)).wait();
  await connection.networkHelpers.time.increase(1);
}

async function impersonate(connection: NetworkConnection, account: string): Promise<JsonRpcSigner> {
  const { networkHelpers, ethers } = connection;
  await networkHelpers.impersonateAccount(account);
  await networkHelpers.setBalance(account, ETHER);
  return (await ethers.getSigner(account)) as unknown as JsonRpcSigner;
}
