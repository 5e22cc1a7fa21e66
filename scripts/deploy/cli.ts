/** `npm run deploy -- --network <name>`: deploys the core contracts and writes the address book. */
import { existsSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";
import {
  type AddressBook,
  addressBookPath,
  readAddressBook,
  writeAddressBook,
} from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import hre from "hardhat";
import { reportFailure } from "../lib/reportFailure.ts";
import { DEFAULT_SETTLEMENT_WINDOW, deployCore } from "./deployCore.ts";

const HELP = `Deploys AccessManager, ModelRegistry and InferenceSettlement, and writes deployments/<chainId>.json.
An interrupted deployment resumes; a second run changes nothing.

usage: npm run deploy -- --network <name> [--settlement-window <seconds>] [--yes]

  --network            localhost, or another network of hardhat.config.ts
  --settlement-window  how long after its timestamp a result can be settled (default ${DEFAULT_SETTLEMENT_WINDOW} s)
  --yes                do not ask before deploying to a chain that is not local

The key comes from Hardhat's keystore or the variable HACA_DEPLOYER_KEY, never from the command line.
HACA_RPC_URL overrides the URL of localhost.`;

function parse() {
  const { values } = parseArgs({
    options: {
      network: { type: "string" },
      "settlement-window": { type: "string", default: String(DEFAULT_SETTLEMENT_WINDOW) },
      yes: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const settlementWindow = Number(values["settlement-window"]);
  if (!Number.isInteger(settlementWindow) || settlementWindow <= 0) {
    throw new BaseError({
      code: "deploy.badOption",
      message: `--settlement-window must be a positive number of seconds, got ${values["settlement-window"]}`,
    });
  }
  return { ...values, settlementWindow };
}

async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(`${question} [y/N] `);
  terminal.close();
  return answer.trim().toLowerCase() === "y";
}

/** Models registered earlier stay in the book as long as the registry is the same contract. */
function keepModels(book: AddressBook, path: string): AddressBook {
  if (!existsSync(path)) return book;
  const previous = readAddressBook(path);
  const sameRegistry =
    previous.contracts.ModelRegistry.address === book.contracts.ModelRegistry.address &&
    previous.contracts.ModelRegistry.transaction === book.contracts.ModelRegistry.transaction;
  return sameRegistry ? { ...book, models: previous.models } : book;
}

async function main(): Promise<void> {
  const options = parse();
  if (options.help) {
    console.log(HELP);
    return;
  }
  const { network } = options;
  if (network === undefined || !(network in hre.config.networks)) {
    throw new BaseError({
      code: "deploy.badOption",
      message: `--network must be one of ${Object.keys(hre.config.networks).join(", ")}, got ${network}`,
    });
  }

  const connection = await hre.network.create(network);
  const chainId = await connection.ethers.provider
    .getNetwork()
    .then(({ chainId }) => Number(chainId))
    .catch((cause: unknown) => {
      throw new BaseError({
        code: "deploy.noRpc",
        message: `network ${network} does not answer: start the chain or check its URL`,
        cause,
      });
    });

  const path = addressBookPath(chainId);
  console.log(`deploying to ${network} (chain ${chainId}), address book ${path}`);
  if (chainId !== 31337 && !options.yes && !(await confirm("Deploy three contracts?"))) {
    console.log("nothing deployed");
    return;
  }
  const book = keepModels(
    await deployCore({ hre, connection, settlementWindow: options.settlementWindow }),
    path,
  );
  writeAddressBook({ path, book });
  for (const [name, contract] of Object.entries(book.contracts)) {
    console.log(`  ${name.padEnd(20)} ${contract.address}  block ${contract.block}`);
  }
  await connection.close();
}

main().catch(reportFailure);
