#!/usr/bin/env node
import { BaseError } from "@haca/protocol/baseError";
import { INPUT_MODES } from "@haca/protocol/inputMode";
import { Command, CommanderError, Option } from "commander";
import { addCeremonyCommands } from "./verbs/ceremonyCommands.ts";
import { address, context, inputRange, integer, salt, share, versionId } from "./verbs/options.ts";

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

const HELP_COLUMNS = 80;
/** Descriptions are wrapped beside long verbs, too. */
const MINIMUM_WRAP = 20;

const program = new Command("zkml")
  .description("Compiles ONNX models to circuits with keys, and proves what they answer.")
  .helpCommand(false)
  .configureHelp({ minWidthToWrap: MINIMUM_WRAP })
  .helpOption("-h, --help", "this text; after a verb, that verb's")
  .configureOutput({
    getOutHelpWidth: () => HELP_COLUMNS,
    getErrHelpWidth: () => HELP_COLUMNS,
  })
  .addHelpText(
    "after",
    "\nTo register a compiled model on a chain: npm run models -- register --help",
  )
  .showHelpAfterError("(zkml --help shows all commands)")
  .exitOverride();

program
  .command("compile")
  .description("quantise a model, write its circuit, make its keys")
  .argument("<model.onnx>")
  .requiredOption("--calibration <json>", "inputs that show the range of activations")
  .requiredOption("--out <folder>", "folder to write")
  .option("--name <slug>", "name of the model; default: the file's name")
  .option("--test <json>", "inputs with labels or targets to measure errors on")
  .option("--max-error <share>", "accepted loss of exactness (0.01)", share)
  .option("--raw-scores", "show the scores before a final Softmax or the like")
  .addOption(
    new Option("--input-mode <mode>", "what a proof shows of the input: its words, or a hash")
      .choices(INPUT_MODES)
      .default("packed"),
  )
  .option("--ptau <file>", "powers of tau; default: a development file, made where missing")
  .option("--beacon <hex>", "public randomness for the last step of the setup, 64 hex digits")
  .option("--weight-bits <n>", "bits of a weight; default: as needed", integer)
  .option("--activation-bits <n>", "bits of a hidden activation; default: as needed", integer)
  .option("--input-bits <n>", "bits of a real input element; default: as needed", integer)
  .option("--output-bits <n>", "greatest width of an output element (24)", integer)
  .option("--input-range <range>", "minimum,maximum,exponent: integers of the input", inputRange)
  .option("--circom <file>", "write the circuit as circom text as well, for auditors")
  .action(async (path, options) =>
    (await import("./verbs/compileVerbs.ts")).compile(path, options),
  );

program
  .command("check")
  .description("list everything that stands between a model and a proof")
  .argument("<model.onnx>")
  .option("--raw-scores", "count a final Softmax or the like as left out")
  .action(async (path, options) => (await import("./verbs/compileVerbs.ts")).check(path, options));

program
  .command("ptau")
  .description("make powers of tau for development, or check and take a ceremony's file")
  .option("--power <n>", "make a development file for circuits below 2^n constraints", integer)
  .option("--file <path>", "a ceremony's file, prepared for phase 2")
  .option("--blake2b <hash>", "the hash the ceremony published")
  .option("--sha256 <hash>", "the hash the ceremony published")
  .action(async (options) => (await import("./verbs/compileVerbs.ts")).ptau(options));

program
  .command("inspect")
  .description("check the files of a compiled model and show what it is")
  .argument("<folder>")
  .action(async (folder) => (await import("./verbs/compileVerbs.ts")).inspect(folder));

withSalt(withInput(program.command("infer")))
  .description("run the integer model; prints outputs and words as JSON")
  .action(async (folder, input, options) =>
    (await import("./verbs/proofVerbs.ts")).infer(folder, input, options),
  );

withContext(withSalt(withInput(program.command("witness"))))
  .description("write the circuit's witness of an input")
  .option("--out <file>", "file to write", "witness.wtns")
  .action(async (folder, input, options) =>
    (await import("./verbs/proofVerbs.ts")).witness(folder, input, options),
  );

withFiles(withContext(withSalt(withInput(program.command("prove")))))
  .description("prove the model's answer to an input")
  .action(async (folder, input, options) =>
    (await import("./verbs/proofVerbs.ts")).prove(folder, input, options),
  );

withSalt(withFiles(program.command("verify").argument("<folder>")), "the salt of --input")
  .description("verify a proof by a model's key, and show what it says")
  .option("--input <json>", "the input that it has to be of, as prove takes it")
  .option("--sample <n>", "--input is a set of samples: take this one", integer)
  .action(async (folder, options) =>
    (await import("./verbs/proofVerbs.ts")).verify(folder, options),
  );

program
  .command("reproduce")
  .description("make a compiled model's circuit again and compare it, and verify its keys")
  .argument("<folder>")
  .requiredOption("--onnx <model.onnx>", "the model that it was compiled from")
  .option("--ptau <file>", "powers of tau of its keys; default: the development file")
  .option("--no-keys", "compare the circuit alone")
  .option("--rpc <url>", "compare with the chain of this endpoint as well")
  .option("--registry <address>", "its model registry; default: the address book's", address)
  .option("--version-id <id>", "the version; default: the model's in the address book", versionId)
  .action(async (folder, options) =>
    (await import("./verbs/reproduceVerb.ts")).reproduce(folder, options),
  );

addCeremonyCommands(program);

/** A compiled model and an input of it. */
function withInput(command: Command): Command {
  return command
    .argument("<folder>", "compiled model")
    .argument("[input.json]", "input as a worker takes it; default, or -: standard input")
    .option("--sample <n>", "the file is a set of samples: take this one", integer);
}

function withSalt(
  command: Command,
  summary = "of an input to a salted model; default: drawn, and printed",
): Command {
  return command.option("--salt <hex>", summary, salt);
}

function withContext(command: Command): Command {
  return command.addOption(
    new Option("--context <number>", "public number that the proof is bound to, below 2^248")
      .argParser(context)
      .default(0n, "0"),
  );
}

function withFiles(command: Command): Command {
  return command
    .option("--proof <file>", "the proof", "proof.json")
    .option("--public <file>", "its public signals", "public.json");
}

try {
  if (process.argv.length > 2) await program.parseAsync();
  else program.outputHelp();
} catch (error) {
  process.exitCode = report(error);
}

/** One line on standard error, whatever failed; the exit code. `HACA_DEBUG=1` shows where it came from. */
function report(error: unknown): number {
  if (error instanceof CommanderError) {
    // commander has printed the help or the reason
    return error.exitCode === 0 ? 0 : EXIT_USAGE;
  }
  const isKnown = error instanceof BaseError || (error instanceof Error && "syscall" in error);
  const message = error instanceof Error ? error.message : String(error);
  const line = message.split("\n").find((text) => text.trim() !== "") ?? "unknown failure";
  const suffix = isKnown ? "" : " [unexpected; HACA_DEBUG=1 shows where]";
  process.stderr.write(`zkml: ${line.trim()}${suffix}\n`);
  if (process.env.HACA_DEBUG === "1") console.error(error);
  return error instanceof BaseError && error.code === "cli.usage" ? EXIT_USAGE : EXIT_FAILURE;
}
