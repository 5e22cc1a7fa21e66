/** `npm run test:mutation`: whether the contracts' suites notice small changes of the contracts. */

import { BaseError } from "@haca/protocol/baseError";
import { Option } from "commander";
import { enterProject } from "../../scripts/lib/enterProject.ts";
import { createProgram, runProgram } from "../../scripts/lib/program.ts";

type Flags = { list?: true; again?: true };

const program = createProgram({
  name: "test:mutation",
  summary:
    "Changes the contracts in small ways, one at a time and in a copy, and runs each change against its contract's own suites. Writes bench/out/mutation.json.",
})
  .addOption(new Option("--sample <number>", "how many mutants count").default("250"))
  .addOption(new Option("--seed <text>", "the same seed draws the same mutants").default("1"))
  .option("--only <path>", "files whose path contains this, such as token/")
  .option("--minutes <number>", "start no mutant after this long")
  .addOption(new Option("--jobs <number>", "mutants at a time").default("1"))
  .option(
    "--again",
    "try only what survived or was not tried in the last run of the same seed, and keep its other results",
  )
  .option("--list", "show the drawn mutants and run none")
  .action(async (options: Record<string, string | undefined> & Flags) => {
    enterProject();
    const { runSample } = await import("./runSample.ts");
    await runSample({
      size: positive("--sample", options.sample),
      seed: options.seed ?? "1",
      only: options.only ?? "",
      minutes: options.minutes === undefined ? undefined : positive("--minutes", options.minutes),
      jobs: positive("--jobs", options.jobs),
      isList: options.list === true,
      isAgain: options.again === true,
    });
  });

function positive(option: string, text: string | undefined): number {
  if (text !== undefined && /^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new BaseError({
    code: "mutation.optionInvalid",
    message: `${option} is a whole number above zero, not ${text}`,
  });
}

await runProgram(program, process.argv.slice(2));
