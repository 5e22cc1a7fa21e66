import { join } from "node:path";
import { createHardhatRuntimeEnvironment } from "hardhat/hre";
import type { ChainType, NetworkConnection, NetworkConnectionParams } from "hardhat/types/network";
import chainConfig from "./chain.config.ts";

/** Command line of Hardhat's node for the arguments of a process, run in the project's folder. */
export const chainCommand = (parameters: { port: number; chainId: number }): string[] => [
  "node_modules/hardhat/dist/src/cli.js",
  ...["--config", join(import.meta.dirname, "chain.config.ts")],
  ...["node", "--hostname", "127.0.0.1"],
  ...["--port", String(parameters.port)],
  ...["--chain-id", String(parameters.chainId)],
];

/** A chain in memory, with the project's plugins. The caller closes it. */
export async function openChainInMemory(
  parameters: Omit<NetworkConnectionParams<ChainType>, "network">,
): Promise<NetworkConnection> {
  const { default: project } = await import("hardhat");
  const { plugins = [] } = project.userConfig;
  const hre = await createHardhatRuntimeEnvironment(
    { ...chainConfig, plugins },
    {},
    project.config.paths.root,
  );
  // The kind of chain matters to the run, not to the type of its connection.
  return (await hre.network.create({ network: "default", ...parameters })) as NetworkConnection;
}
