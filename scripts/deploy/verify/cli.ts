/** `npm run verify -- --network <name>`: publishes the sources of every contract of a deployment. */
import { addressBookPath, readAddressBook } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import { userPath } from "@haca/protocol/userPath";
import { Option } from "commander";
import { createProgram, runProgram, withChain } from "../../lib/program.ts";
import type { Service } from "./service.ts";

type Options = {
  network: string;
  rpc?: string;
  by: "sourcify" | "blockscout" | "etherscan";
  url?: string;
  book?: string;
  out?: string;
  check: boolean;
};

const program = withChain(
  createProgram({
    name: "verify",
    summary:
      "Publishes the sources of every contract of a deployment where people look for them. " +
      "Compares the code with the chain first. Only Etherscan needs a key, in the variable " +
      "HACA_ETHERSCAN_KEY; no command needs an account's.",
  }),
)
  .option("--rpc <url>", "endpoint, instead of the network's own")
  .addOption(
    new Option("--by <service>", "who verifies")
      .choices(["sourcify", "blockscout", "etherscan"])
      .default("sourcify"),
  )
  .option("--url <url>", "the service's API, instead of its public one")
  .option("--book <file>", "address book (default: the project's of the chain)")
  .option("--out <folder>", "write standard JSON for a verification by hand, and send nothing")
  .option("--check", "only look whether the sources are there", false)
  .action(verify);

async function verify(options: Options): Promise<void> {
  const { connectReader } = await import("../reader/connectReader.ts");
  const { ensureCompiled } = await import("../compiled/ensureCompiled.ts");
  const { collectSubjects } = await import("./collect.ts");
  const { verifySubjects } = await import("./verifySubjects.ts");
  const { writeFiles } = await import("./writeFiles.ts");
  const { network, rpc, out, check: isCheck } = options;
  if (out !== undefined && isCheck) {
    throw new BaseError({
      code: "verify.badOption",
      message: "--out and --check: give one of them",
    });
  }
  const reader = await connectReader({ network, ...(rpc === undefined ? {} : { rpc }) });
  const { chainId } = reader;
  const service = out === undefined ? await serviceOf(options, chainId) : undefined;
  const path = options.book === undefined ? addressBookPath(chainId) : userPath(options.book);
  const book = readAddressBook(path, chainId);
  await ensureCompiled();
  const subjects = await collectSubjects({ reader, book });
  if (service === undefined) {
    const folder = userPath(out ?? "");
    writeFiles({ folder, chainId, subjects });
    console.log(
      `${subjects.length} contracts in ${folder}; contracts.json says what a form asks for`,
    );
    return;
  }
  await verifySubjects({ service, subjects, isCheck });
}

async function serviceOf(options: Options, chainId: number): Promise<Service> {
  const { by, url } = options;
  const { SOURCIFY_URL, sourcify } = await import("./sourcify.ts");
  const { BLOCKSCOUT_URLS, ETHERSCAN_URL, explorer } = await import("./explorer.ts");
  if (by === "sourcify") return sourcify({ url: url ?? SOURCIFY_URL, chainId });
  if (by === "etherscan") {
    const key = process.env.HACA_ETHERSCAN_KEY;
    if (key === undefined || key === "") {
      throw new BaseError({
        code: "verify.noKey",
        message:
          "Etherscan needs a key: set HACA_ETHERSCAN_KEY, or use --by sourcify or blockscout",
      });
    }
    return explorer({ name: "Etherscan", url: url ?? ETHERSCAN_URL, chainId, key });
  }
  const blockscout = url ?? BLOCKSCOUT_URLS[chainId];
  if (blockscout === undefined) {
    throw new BaseError({
      code: "verify.badOption",
      message: `no public Blockscout is known for chain ${chainId}: give --url https://<host>/api`,
    });
  }
  return explorer({ name: "Blockscout", url: blockscout, chainId, key: undefined });
}

await runProgram(program);
