/** `npm run test:clients`: the public network's own packages, unmodified, against this project's chain, gateway and worker. */
import { createProgram, runProgram } from "../../scripts/lib/program.ts";
import { TYPESCRIPT_REPOSITORY } from "./prepareClients.ts";

const program = createProgram({
  name: "test:clients",
  summary: "The public network's packages against our contracts, gateway and facilitator.",
});

program
  .command("run", { isDefault: true })
  .description(
    "Installs the packages in the versions that are pinned, once, starts a chain, an enclave, a gateway and workers, and asks through the packages.",
  )
  .option(
    "--typescript <repository>",
    "where the TypeScript SDK, which no registry has, is cloned from",
    TYPESCRIPT_REPOSITORY,
  )
  .action(async (options: { typescript: string }) => {
    const { runClients } = await import("./runClients.ts");
    process.exitCode = await runClients(options);
  });

const words = process.argv.slice(2);
await runProgram(program, words.length === 0 ? ["run"] : words);
