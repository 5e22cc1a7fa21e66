/** `npm run models -- register`: publishes a compiled model on a chain. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { BaseError } from "@haca/protocol/baseError";
import hre from "hardhat";
import { PROJECT_ROOT } from "../lib/projectRoot.ts";
import { reportFailure } from "../lib/reportFailure.ts";
import { registerModel } from "./registerModel.ts";

const HELP = `Registers a compiled model under your account and publishes a version with its verifying key.
What is there already is left as it is; a published version can never be changed.

usage: npm run models -- register --network <name> --folder <folder> [--version <major.minor>]

  --network   localhost, or another network of hardhat.config.ts, with an address book in deployments/
  --folder    output folder of zkml compile, for example data/models/digits
  --version   version to publish (default 1.0)

The key comes from Hardhat's keystore or the variable HACA_DEPLOYER_KEY, never from the command line.`;

function badOption(message: string): BaseError {
  return new BaseError({ code: "models.badOption", message });
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      network: { type: "string" },
      folder: { type: "string" },
      version: { type: "string", default: "1.0" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const { network, folder, version } = values;
  if (positionals.join(" ") !== "register") {
    throw badOption(`expected the command register, got ${JSON.stringify(positionals.join(" "))}`);
  }
  if (network === undefined || !(network in hre.config.networks)) {
    throw badOption(
      `--network must be one of ${Object.keys(hre.config.networks).join(", ")}, got ${network}`,
    );
  }
  if (folder === undefined) throw badOption("--folder is missing");
  const [, major, minor] = /^(\d{1,9})\.(\d{1,9})$/.exec(version) ?? [];
  if (major === undefined || minor === undefined) {
    throw badOption(`--version must be <major>.<minor>, got ${JSON.stringify(version)}`);
  }

  const connection = await hre.network.create(network);
  const [signer] = await connection.ethers.getSigners();
  if (signer === undefined)
    throw badOption(`network ${network} has no account: set HACA_DEPLOYER_KEY`);
  const { chainId } = await connection.ethers.provider.getNetwork();
  const { entry, published } = await registerModel({
    signer,
    chainId: Number(chainId),
    folder: resolve(PROJECT_ROOT, folder),
    major: Number(major),
    minor: Number(minor),
  });
  console.log(
    `${published ? "published" : "already published"}: ${entry.slug} ${version}\n` +
      `  model    ${entry.modelId}\n  version  ${entry.versionId}`,
  );
  await connection.close();
}

main().catch(reportFailure);
