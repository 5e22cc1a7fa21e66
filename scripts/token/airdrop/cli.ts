/** `npm run airdrop -- …`: the airdrop's tree, from a CSV file, and its claims. */

import { userPath } from "@haca/protocol/userPath";
import { createProgram, runProgram, withChain, withSending } from "../../lib/program.ts";

const program = createProgram({
  name: "airdrop",
  summary:
    "The airdrop's tree, from a CSV file with the columns address,amount (OPG), and its claims.",
});

program
  .command("build")
  .description("check the rows and the sum, print the root")
  .argument("<file.csv>")
  .option("--out <tree.json>", "write the tree with its claims")
  .action(async (file: string, { out }: { out?: string }) =>
    (await import("./tree.ts")).build({
      file: userPath(file),
      ...(out === undefined ? {} : { out: userPath(out) }),
    }),
  );

program
  .command("proof")
  .description("what an account needs to claim, as JSON")
  .argument("<file.csv>")
  .argument("<address>")
  .action(async (file: string, address: string) =>
    (await import("./tree.ts")).proof({ file: userPath(file), address }),
  );

withChain(program.command("status"))
  .description("what is claimed on the chain")
  .argument("<file.csv>")
  .action(async (file: string, options) =>
    (await import("./claims.ts")).status({ ...options, file: userPath(file) }),
  );

withSending(program.command("claim"))
  .description("claim for an account; anyone may, the tokens go to that account")
  .argument("<file.csv>")
  .argument("[address]", "default: the account that signs")
  .option("--delegate <to>", "let an account vote with its tokens; only for the account that signs")
  .action(async (file: string, address: string | undefined, options) =>
    (await import("./claims.ts")).claim({ ...options, file: userPath(file), address }),
  );

withSending(program.command("sweep"))
  .description("after the deadline: send what is left to the ecosystem vault; anyone may")
  .action(async (options) => (await import("./claims.ts")).sweep(options));

await runProgram(program);
