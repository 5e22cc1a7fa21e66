import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Abi, encodeDeployData, type Hex } from "viem";
import type { Chain } from "./startChain.ts";

const ARTIFACTS = join(import.meta.dirname, "..", "..", "..", "artifacts");
const OPEN_ZEPPELIN = "@openzeppelin/contracts";

/** Artifact of OpenZeppelin's AccessManager. */
export const ACCESS_MANAGER = `${OPEN_ZEPPELIN}/access/manager/AccessManager.sol/AccessManager.json`;
/** Artifact of the timelock. */
export const TIMELOCK = "contracts/governance/TimelockController.sol/TimelockController.json";

/** Deploys a contract from the path of its artifact and returns the receipt. */
export function deployArtifact(parameters: {
  chain: Chain;
  artifact: string;
  arguments?: readonly unknown[];
}) {
  const path = join(ARTIFACTS, parameters.artifact);
  const { abi, bytecode } = JSON.parse(readFileSync(path, "utf8")) as { abi: Abi; bytecode: Hex };
  const args = [...(parameters.arguments ?? [])];
  return parameters.chain.send({ data: encodeDeployData({ abi, bytecode, args }) });
}
