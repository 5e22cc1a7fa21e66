/** `npm run models -- …`: compiled models on a chain. */

import { userPath } from "@haca/protocol/userPath";
import { createProgram, runProgram, withChain, withSending } from "../lib/program.ts";

const program = createProgram({
  name: "models",
  summary:
    "Compiled models on a chain. What is there already is left as it is; a published version can never be changed. " +
    "The key comes from Hardhat's keystore or HACA_DEPLOYER_KEY, never from the command line.",
});

withSending(program.command("register"))
  .description(
    "register a compiled model under the account that signs, and publish a version with its key",
  )
  .requiredOption(
    "--folder <folder>",
    "output folder of zkml compile, for example data/models/digits",
  )
  .option("--version <major.minor>", "version to publish", "1.0")
  .option(
    "--blob <id>",
    "where the files are, as their blob store names it (default: where a folder server has manifest.json)",
  )
  .action(async (options) =>
    (await import("./publish.ts")).register({ ...options, folder: userPath(options.folder) }),
  );

withSending(program.command("register-manifest"))
  .description(
    "register a model without a circuit, of which nothing can be proved, and publish a version of it",
  )
  .requiredOption(
    "--file <file>",
    "manifest in JSON: format, slug, model, provider or file, policy",
  )
  .option("--version <major.minor>", "version to publish", "1.0")
  .action(async (options) =>
    (await import("./publish.ts")).registerManifest({ ...options, file: userPath(options.file) }),
  );

withSending(program.command("deprecate"))
  .description("let nothing new settle against a version; as the model's owner")
  .argument("<version id>", "0x and 64 hex digits")
  .action(async (versionId: string, options) =>
    (await import("./publish.ts")).deprecate({ ...options, versionId }),
  );

withChain(program.command("list"))
  .description("models of the registry with their versions")
  .action(async (options) => (await import("./list.ts")).list(options));

await runProgram(program);
