/** `npm run deploy:check -- --network <name>`: compares the address book with the chain. */
import { parseArgs } from "node:util";
import { addressBookPath, readAddressBook } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import { reportFailure } from "../../lib/reportFailure.ts";
import { connect } from "../connect.ts";
import { checkDeployment } from "./checkDeployment.ts";
import { isMatch } from "./finding.ts";

const HELP = `Compares deployments/<chainId>.json with the chain: code, parameters, allocation table, schedules, models,
and who holds which role. Ends with status 1 if anything differs.

usage: npm run deploy:check -- --network <name> [--verbose]

  --network  localhost, or another network of hardhat.config.ts
  --verbose  show what matches, too`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      network: { type: "string" },
      verbose: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const { connection, chainId } = await connect(values.network);
  const path = addressBookPath(chainId);
  const findings = await checkDeployment({ connection, book: readAddressBook(path) });
  await connection.close();
  for (const found of findings) {
    if (isMatch(found)) {
      if (values.verbose) console.log(`  ✔ ${found.subject}: ${found.actual}`);
    } else {
      console.log(`  ✘ ${found.subject}: book ${found.expected}, chain ${found.actual}`);
    }
  }
  const differences = findings.filter((found) => !isMatch(found)).length;
  if (differences > 0) {
    throw new BaseError({
      code: "deployCheck.different",
      message: `${differences} of ${findings.length} comparisons of ${path} with the chain differ`,
    });
  }
  console.log(`${findings.length} comparisons of ${path} with the chain, all equal`);
}

main().catch(reportFailure);
