import { dirname, join } from "node:path";
import { addressBookPath } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import { ROLES } from "@haca/protocol/roles";
import { getCreateAddress, type Provider } from "ethers";
import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";
import type { NetworkConnection } from "hardhat/types/network";
import { isDevelopmentChain, requireDeployer } from "../../lib/connect.ts";
import { contractAt } from "../../lib/contracts.ts";
import { gitCommitOf } from "../addressBook/bookHeader.ts";
import { Journal } from "./journal.ts";

/** A chain, who deploys to it, and how far that is. */
export type Deployment = {
  hre: HardhatRuntimeEnvironment;
  connection: NetworkConnection;
  provider: Provider;
  chainId: number;
  deployer: string;
  journal: Journal;
  /** first nonce of a deployment that the journal does not know */
  adoptFrom: number | undefined;
  report: (line: string) => void;
};

/** An account for a deployment has few transactions; one with more is not searched. */
const NONCE_LIMIT = 2_000;

export const journalPath = (chainId: number): string =>
  join(dirname(addressBookPath(chainId)), `${chainId}.journal.jsonl`);

/** Opens the journal of the chain's deployment; errors as of `Journal.open` and `requireDeployer`. */
export async function openDeployment(parameters: {
  hre: HardhatRuntimeEnvironment;
  connection: NetworkConnection;
  chainId: number;
}): Promise<Deployment> {
  const { hre, connection, chainId } = parameters;
  const provider = connection.ethers.provider as unknown as Provider;
  const deployer = await requireDeployer(connection);
  const journal = Journal.open(journalPath(chainId));
  if (isDevelopmentChain(chainId)) await discardIfStale(journal, provider);
  const adoptFrom =
    journal.isEmpty && !isDevelopmentChain(chainId)
      ? await findAbandoned({ hre, provider, deployer })
      : undefined;
  return {
    ...{ hre, connection, provider, chainId, deployer, journal, adoptFrom },
    report: (line) => console.log(line),
  };
}

/** Writes the journal's first line. */
export function beginJournal({ journal, chainId, deployer, hre }: Deployment): void {
  if (journal.isEmpty) journal.begin({ chainId, deployer, gitCommit: gitCommitOf(hre) });
}

/**
 * A development chain forgets everything when it restarts, and the journal of the chain before it would make the
 * deployment believe that contracts exist. It goes when the chain knows none of its transactions. Journals of real
 * chains are never touched.
 */
async function discardIfStale(journal: Journal, provider: Provider): Promise<void> {
  const mined = journal.minedSteps();
  for (const { hash } of mined) if ((await provider.getTransaction(hash)) !== null) return;
  if (mined.length > 0) journal.discard();
}

/**
 * The nonce at which the account began a deployment that it has not handed over: that of the newest AccessManager
 * whose administrator it is. Undefined if there is none. Needs no old state, and no journal.
 */
async function findAbandoned(parameters: {
  hre: HardhatRuntimeEnvironment;
  provider: Provider;
  deployer: string;
}): Promise<number | undefined> {
  const { hre, provider, deployer } = parameters;
  const { deployedBytecode } = await hre.artifacts.readArtifact("AccessManager");
  const count = await provider.getTransactionCount(deployer);
  if (count > NONCE_LIMIT) {
    throw new BaseError({
      code: "deploy.accountUsed",
      message: `${deployer} has sent ${count} transactions: make an account for the deployment alone, so that an interrupted one can be found again`,
    });
  }
  for (let nonce = count - 1; nonce >= 0; nonce -= 1) {
    const address = getCreateAddress({ from: deployer, nonce });
    if ((await provider.getCode(address)) !== deployedBytecode) continue;
    const manager = contractAt({ name: "AccessManager", address, runner: provider });
    const { isMember } = await manager.hasRole(ROLES.ADMIN, deployer);
    if (isMember) return nonce;
  }
  return undefined;
}
