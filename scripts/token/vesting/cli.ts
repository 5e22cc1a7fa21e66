/** `npm run vesting -- …`: the allocation table and its grants. */

import { userPath } from "@haca/protocol/userPath";
import { createProgram, runProgram, withChain, withSending } from "../../lib/program.ts";

const program = createProgram({ name: "vesting", summary: "The allocation table and its grants." });

program
  .command("table")
  .description("amounts and times of every allocation")
  .action(async () => (await import("./table.ts")).printTable());

program
  .command("chart")
  .description("draw the unlock schedule")
  .argument("<file.svg>")
  .action(async (file: string) => (await import("./chart.ts")).writeChart(userPath(file)));

withChain(program.command("status"))
  .description("what is vested, paid and to come, of all grants or of one beneficiary's")
  .argument("[beneficiary]")
  .action(async (beneficiary: string | undefined, options) =>
    (await import("./status.ts")).printStatus({ ...options, beneficiary }),
  );

withSending(program.command("release"))
  .description("pay the beneficiary what is vested; anyone may")
  .argument("<vault>")
  .action(async (vault: string, options) =>
    (await import("./change.ts")).release({ ...options, vault }),
  );

withSending(program.command("delegate"))
  .description("let an account vote with what a vault holds; as its beneficiary")
  .argument("<vault>")
  .argument("<to>", "the account that votes")
  .action(async (vault: string, to: string, options) =>
    (await import("./change.ts")).delegate({ ...options, vault, to }),
  );

withSending(program.command("hand-over"))
  .description("offer a grant to another account, which has to accept; as its beneficiary")
  .argument("<vault>")
  .argument("<to>", "the account, or none to withdraw an offer")
  .action(async (vault: string, to: string, options) =>
    (await import("./change.ts")).handOver({ ...options, vault, to }),
  );

withSending(program.command("accept"))
  .description("take a grant that was offered; as the account that it was offered to")
  .argument("<vault>")
  .action(async (vault: string, options) =>
    (await import("./change.ts")).accept({ ...options, vault }),
  );

await runProgram(program);
