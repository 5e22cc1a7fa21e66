/** `npm run deploy -- --network <name>`: deploys, hands every permission over, and writes the address book. */
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";
import { type AddressBook, addressBookPath, writeAddressBook } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import hre from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import { reportFailure } from "../lib/reportFailure.ts";
import { checkDeployment } from "./check/checkDeployment.ts";
import { isMatch } from "./check/finding.ts";
import { connect, firstLine } from "./connect.ts";
import { deployAll } from "./deployAll.ts";
import { DEFAULT_SETTLEMENT_WINDOW, deployCore } from "./deployCore.ts";
import { deployTee } from "./deployTee.ts";
import { isDevelopmentChain } from "./developmentChain.ts";
import { dryRun } from "./dryRun.ts";
import { keepEarlier } from "./keepEarlier.ts";
import { readEarlier } from "./readEarlier.ts";
import { type GovernanceParameters, parametersPath, readParameters } from "./readParameters.ts";
import { requireDeployer } from "./requireDeployer.ts";
import { requireFunds } from "./requireFunds.ts";

const HELP = `Deploys registries, settlement, attestation, token, vesting, airdrop, governor and timelock, hands every permission to
timelock, guardian and image approver, verifies that the deployer has none left, and writes deployments/<chainId>.json.
An interrupted deployment resumes; a second run changes nothing.

usage: npm run deploy -- --network <name> [--part core|tee] [--parameters <file>]
                         [--settlement-window <seconds>] [--yes]

  --network            localhost, or another network of hardhat.config.ts
  --part core          only model registry and settlement; the deployer stays their administrator
  --part tee           the same with attestation and TEE registry; on localhost the deployer may approve images
  --parameters         who gets what, which root certificate (default deployments/parameters/<network>.json)
  --settlement-window  how long after its timestamp a result can be settled (default ${DEFAULT_SETTLEMENT_WINDOW} s)
  --yes                do not ask before deploying to a chain that is not local

The key comes from Hardhat's keystore or the variable HACA_DEPLOYER_KEY, never from the command line.
HACA_RPC_URL overrides the URL of localhost.`;

function parse() {
  const { values } = parseArgs({
    options: {
      network: { type: "string" },
      part: { type: "string" },
      parameters: { type: "string" },
      "settlement-window": { type: "string", default: String(DEFAULT_SETTLEMENT_WINDOW) },
      yes: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const fail = (message: string): never => {
    throw new BaseError({ code: "deploy.badOption", message });
  };
  const settlementWindow = Number(values["settlement-window"]);
  if (!Number.isInteger(settlementWindow) || settlementWindow <= 0) {
    fail(
      `--settlement-window must be a positive number of seconds, got ${values["settlement-window"]}`,
    );
  }
  const { part } = values;
  if (part !== undefined && part !== "core" && part !== "tee") {
    return fail(`--part must be core or tee if it is given, got ${part}`);
  }
  return { ...values, part, settlementWindow };
}

async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(`${question} [y/N] `);
  terminal.close();
  return answer.trim().toLowerCase() === "y";
}

/** Shows what will happen and what it costs. */
async function printPlan(parameters: {
  connection: NetworkConnection;
  settlementWindow: number;
  governance: GovernanceParameters;
}): Promise<void> {
  const { connection, governance } = parameters;
  const deployer = await requireDeployer(connection);
  console.log(`  deployer ${deployer}, left without any permission in the end`);
  console.log(`  image approver ${governance.imageApprover}`);
  console.log(`  root of attestations ${governance.attestation.rootFingerprint}`);
  console.log(`  guardian ${governance.guardian}, timelock delay ${governance.timelockDelay} s`);
  console.log(`  token generation event ${new Date(governance.tge * 1000).toISOString()}`);
  const { chainType } = connection;
  await requireFunds({ connection, deployer, ...(await dryRun({ ...parameters, chainType })) });
}

async function main(): Promise<void> {
  const options = parse();
  if (options.help) {
    console.log(HELP);
    return;
  }
  const { settlementWindow } = options;
  const { connection, chainId } = await connect(options.network);
  const network = connection.networkName;
  const path = addressBookPath(chainId);
  console.log(`deploying to ${network} (chain ${chainId}), address book ${path}`);

  const { part } = options;
  await requireDeployer(connection);
  const governance =
    part === "core"
      ? undefined
      : readParameters({
          path: options.parameters ?? parametersPath(network),
          isDevelopmentChain: isDevelopmentChain(chainId),
        });
  if (!isDevelopmentChain(chainId)) {
    if (governance !== undefined && part === undefined) {
      await printPlan({ connection, settlementWindow, governance });
    }
    if (!options.yes && !(await confirm(`Deploy to ${network}?`))) {
      console.log("nothing deployed");
      await connection.close();
      return;
    }
  }

  const earlier = await readEarlier({ connection, path, chainId });
  if (part === "tee" && earlier?.contracts.TimelockController !== undefined) {
    console.log("  everything is there and handed over; nothing to do");
    await connection.close();
    return;
  }
  const base = { hre, connection, settlementWindow };
  const deployed = await run(() => {
    if (governance === undefined) return deployCore(base);
    if (part === "tee") return deployTee({ ...base, attestation: governance.attestation });
    return deployAll({ ...base, governance });
  });
  const book = earlier === undefined ? deployed : keepEarlier({ book: deployed, earlier });
  writeAddressBook({ path, book });
  for (const [name, contract] of Object.entries(book.contracts)) {
    console.log(`  ${name.padEnd(24)} ${contract?.address}  block ${contract?.block}`);
  }
  if (part === undefined) await verify({ connection, book });
  await connection.close();
}

/** Ignition's failures in one line. */
async function run(work: () => Promise<AddressBook>): Promise<AddressBook> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof BaseError) throw cause;
    throw new BaseError({
      code: "deploy.interrupted",
      message: `${firstLine(cause)}; run the same command again to resume`,
      cause,
    });
  }
}

async function verify(parameters: {
  connection: NetworkConnection;
  book: AddressBook;
}): Promise<void> {
  const findings = await checkDeployment(parameters);
  const [different] = findings.filter((found) => !isMatch(found));
  if (different !== undefined) {
    throw new BaseError({
      code: "deploy.different",
      message: `${different.subject}: expected ${different.expected}, got ${different.actual}`,
    });
  }
  console.log(
    `  verified: ${findings.length} comparisons with the chain; the deployer holds no role`,
  );
}

main().catch(reportFailure);
