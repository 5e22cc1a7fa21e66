/** `npm run deploy:check -- --network <name>`: compares a deployment with this repository. */
import { addressBookPath, readAddressBook } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import { userPath } from "@haca/protocol/userPath";
import { InvalidArgumentError } from "commander";
import { isAddress } from "ethers";
import { createProgram, runProgram } from "../../lib/program.ts";
import { Steps } from "../../lib/progress.ts";
import { printFindings } from "./finding.ts";

type Options = {
  network?: string;
  rpc?: string;
  address?: string;
  book?: string;
  fromBlock?: number;
  airdrop?: string;
  public: boolean;
  verbose: boolean;
};

const address = (text: string): string => {
  if (!isAddress(text)) throw new InvalidArgumentError("It must be an address.");
  return text;
};

const blockNumber = (text: string): number => {
  const number = Number(text);
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("It must be the number of a block.");
  return number;
};

const program = createProgram({
  name: "deploy:check",
  summary:
    "Compares a deployment with this repository: the code of every contract and how it was " +
    "created, who can decide what, and everything that was decided since. Needs no key and " +
    "believes no file: with --address, the rest is found from that contract. Status 1 if " +
    "anything is not as it should be.",
})
  .option("--network <name>", "a network of hardhat.config.ts")
  .option("--rpc <url>", "endpoint, instead of the network's own or without a network")
  .option(
    "--address <address>",
    "TEERegistry, InferenceSettlement or AccessManager of the deployment; no file is read then",
    address,
  )
  .option("--book <file>", "address book to check (default: the project's of the chain)")
  .option(
    "--from-block <number>",
    "block of the AccessManager's creation, where it cannot be searched for",
    blockNumber,
  )
  .option("--airdrop <file>", "list of the airdrop, CSV, whose root the chain should have")
  .option("--public", "judge a development chain as if it were none", false)
  .option("--verbose", "show what is as it should be, too", false)
  .action(check);

async function check(options: Options): Promise<void> {
  const { connectReader } = await import("../reader/connectReader.ts");
  const { ensureCompiled } = await import("../compiled/ensureCompiled.ts");
  const { auditDeployment } = await import("./checkDeployment.ts");
  const { network, rpc, fromBlock } = options;
  if (options.address !== undefined && options.book !== undefined) {
    throw new BaseError({
      code: "deployCheck.badOption",
      message: "--address and --book: give one of them",
    });
  }
  const reader = await connectReader({ network, ...(rpc === undefined ? {} : { rpc }) });
  const path =
    options.book === undefined ? addressBookPath(reader.chainId) : userPath(options.book);
  const book = options.address === undefined ? readAddressBook(path, reader.chainId) : undefined;
  const start = options.address ?? book?.contracts.AccessManager.address ?? "";
  const airdropRoot = options.airdrop && (await rootOf(userPath(options.airdrop)));
  const steps = new Steps({ total: 2 });
  await steps.run("this repository's contracts", ensureCompiled);
  const findings = await steps.run(
    `chain ${reader.chainId}, from ${start}${book === undefined ? "" : ` of ${path}`}`,
    (report) =>
      auditDeployment({
        ...{ reader, address: start, isPublic: options.public, report },
        ...(book === undefined ? {} : { book }),
        ...(fromBlock === undefined ? {} : { fromBlock }),
        ...(airdropRoot ? { airdropRoot } : {}),
      }),
  );
  printFindings(findings, options.verbose);
}

async function rootOf(path: string): Promise<string> {
  const { readAirdropCsv } = await import("../../lib/readAirdropCsv.ts");
  const { airdropRoot, buildAirdropTree } = await import("@haca/protocol/airdropTree");
  return airdropRoot(buildAirdropTree(readAirdropCsv(path)));
}

await runProgram(program);
