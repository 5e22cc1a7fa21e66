/** `npm run deploy -- --network <name>`: deploys, hands every permission over, and writes the address book. */
import { InvalidArgumentError, Option } from "commander";
import { createProgram, runProgram } from "../lib/program.ts";
import type { DeployOptions } from "./deploy.ts";

const SUMMARY = `Deploys registries, settlement, attestation, token, vesting, airdrop, governor
and timelock, hands every permission to timelock, guardian and image approver,
verifies that the deployer has none left, and writes deployments/<chainId>.json.
Before the first transaction it looks whether the parameters make sense and
whether the chain has what the contracts need, prints the plan and its cost, and
asks. An interrupted deployment goes on when the same command is run again; a
second run changes nothing.`;

/** The contract keeps it in 64 bits; more than a year is a slip. */
const LONGEST_WINDOW = 365 * 24 * 60 * 60;

/** Seconds, from the command line. */
function readSettlementWindow(text: string): number {
  const seconds = Number(text);
  if (!/^[0-9]+$/.test(text) || seconds < 1 || seconds > LONGEST_WINDOW) {
    throw new InvalidArgumentError(`It must be a number of seconds from 1 to ${LONGEST_WINDOW}.`);
  }
  return seconds;
}

const program = createProgram({ name: "deploy", summary: SUMMARY })
  .requiredOption("--network <name>", "localhost, or another network of hardhat.config.ts")
  .addOption(
    new Option(
      "--part <part>",
      "core: only model registry and settlement; tee: with attestation and TEE registry. The deployer stays administrator, and on localhost may approve images (default: everything, handed over)",
    ).choices(["core", "tee"]),
  )
  .option(
    "--parameters <file>",
    "who gets what, which root certificate (default: deployments/parameters/<network>.json)",
  )
  .option(
    "--settlement-window <seconds>",
    "how long after its timestamp a result can be settled (default: 604800, seven days)",
    readSettlementWindow,
  )
  .option("--yes", "do not ask before deploying to a chain that is not local", false)
  .addHelpText(
    "after",
    `
The key comes from Hardhat's keystore or the variable HACA_DEPLOYER_KEY, never
from the command line. HACA_RPC_URL overrides the URL of localhost.`,
  )
  .action(async (options: DeployOptions) => {
    const { deploy } = await import("./deploy.ts");
    await deploy(options);
  });

await runProgram(program);
