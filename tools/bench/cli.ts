/** `npm run bench:zkml`, `bench:prover`, `bench:worker`, `bench:gateway`, `bench:sdk`: measurements, written to `bench/out/`. */
import { BaseError } from "@haca/protocol/baseError";
import type { Command } from "commander";
import { enterProject } from "../../scripts/lib/enterProject.ts";
import { createProgram, runProgram } from "../../scripts/lib/program.ts";
import { reportFailure } from "../../scripts/lib/reportFailure.ts";

/** What each measurement needs is loaded when it runs. */
const BENCHES: Readonly<Record<string, () => Command>> = {
  zkml: () =>
    createProgram({
      name: "bench:zkml",
      summary:
        "Measures what the compiler makes of the digits model, of models of several sizes, and of the exports that " +
        "HACA_FIXTURES names; writes bench/out/zkml.json. Needs npm run build:prover for the sizes and for --ezkl.",
    })
      .option(
        "--ezkl <python>",
        "EZKL as well, on the same models: a Python that has its package (pip install ezkl)",
      )
      .option(
        "--ezkl-models <name,name,…>",
        "which: digits, digits-cnn, brent-volatility, mlp784x64x10, mlp1.8m, mlp2m, lenet28",
        "digits,digits-cnn,mlp784x64x10",
      )
      .option("--ezkl-seconds <n>", "the longest that EZKL may take for one", "180")
      .option("--ezkl-exports", "how many of the exports it proves as well, which takes an hour")
      .action(async (options) => {
        enterProject();
        await (await import("./zkml.ts")).benchZkml(options);
      }),

  prover: () =>
    createProgram({
      name: "bench:prover",
      summary:
        "Times proofs by snarkjs and by the native prover; writes bench/out/prover.json. Needs npm run build:prover.",
    })
      .option("--sizes <n,n,…>", "log2 of the circuits' sizes (14,16,18; with cuda 16,18,20)")
      .option("--runs <n>", "proofs of each", "3")
      .option(
        "--rapidsnark <path>",
        "rapidsnark's program as well (<zkey> <wtns> <proof.json> <public.json>), beside haca-prover prove: both start " +
          "and read the key for every proof",
      )
      .option("--backend <name>", "cpu; or cuda: the device as well, and snarkjs rests", "cpu")
      .action(async (options) => {
        enterProject();
        await (await import("./prover.ts")).benchProver(options);
      }),

  worker: () =>
    createProgram({
      name: "bench:worker",
      summary:
        "Times the worker on a local chain with the digits model, on PGlite, and on PostgreSQL where the system has it; " +
        "writes bench/out/worker.json. Uses the native prover where it is built.",
    })
      .option("--requests <n>", "inferences on the fast path, with nothing else going on", "2000")
      .option("--clients <n>", "how many ask at once", "16")
      .option("--jobs <n>", "jobs that are proven and settled all at once", "100")
      .option("--single <n>", "jobs that are proven and settled one after another", "20")
      .option("--batches <n>", "batches of 32 proofs, on PostgreSQL", "4")
      .option("--pages <n>", "pages of 256 results of an enclave, on PostgreSQL", "30")
      .action(async (options) => {
        enterProject();
        await (await import("./worker.ts")).benchWorker(options);
      }),

  gateway: () =>
    createProgram({
      name: "bench:gateway",
      summary:
        "Measures what the gateway adds to an upstream that answers at once, with the queue of a worker on PGlite, and on " +
        "PostgreSQL where the system has it; writes bench/out/gateway.json.",
    })
      .option("--requests <n>", "requests of all clients", "3000")
      .option("--clients <n>", "how many ask at once", "50")
      .option("--single <n>", "requests of one client", "300")
      .option("--streams <n>", "streams that are open at once", "1000")
      .action(async (options) => {
        enterProject();
        await (await import("./gateway.ts")).benchGateway(options);
      }),

  sdk: () =>
    createProgram({
      name: "bench:sdk",
      summary:
        "Times the SDK's verifications, warm and in fresh processes, and measures what a page has to load; writes " +
        "bench/out/sdk.json.",
    })
      .option("--runs <n>", "warm verifications of each", "30")
      .option("--cold <n>", "fresh processes for each", "5")
      .action(async (options) => {
        enterProject();
        await (await import("./sdk.ts")).benchSdk(options);
      }),
};

const [name = "", ...commandLine] = process.argv.slice(2);
const bench = BENCHES[name];
if (bench === undefined) {
  const message = `expected ${Object.keys(BENCHES).join(", ")}, got ${JSON.stringify(name)}`;
  reportFailure(new BaseError({ code: "bench.option", message }));
} else await runProgram(bench(), commandLine);
