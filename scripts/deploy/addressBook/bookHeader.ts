import type { AddressBook } from "@haca/protocol/addressBook";
import type { Deployment } from "../plan/openDeployment.ts";
import { compilerSettings } from "./compilerSettings.ts";
import { gitCommitOf } from "./gitCommit.ts";

/** What an address book says about the deployment itself. */
export function bookHeader(
  deployment: Deployment,
): Pick<AddressBook, "format" | "chainId" | "network" | "gitCommit" | "compiler"> {
  const { hre, connection, chainId } = deployment;
  return {
    ...{ format: 1, chainId, network: connection.networkName },
    ...{ gitCommit: gitCommitOf(hre), compiler: compilerSettings(hre) },
  };
}
