/** `npm run bench:gas`: gas of real transactions on Hardhat's in-process chain under Osaka rules. */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { enterProject } from "../../scripts/lib/enterProject.ts";
import { createProgram, runProgram } from "../../scripts/lib/program.ts";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import { formatTable } from "../../scripts/lib/table.ts";

async function benchGas(): Promise<void> {
  enterProject();
  buildContracts();
  const { default: hre } = await import("hardhat");
  const { measureAll } = await import("../../test/contracts/gas/measureAll.ts");
  const { bytecodeSizes } = await import("../../test/contracts/gas/bytecodeSizes.ts");
  const compiler = hre.config.solidity.profiles.default?.compilers[0];
  const { figures, samples, notes } = await measureAll({ connect: () => hre.network.create() });
  const sizes = await bytecodeSizes();

  console.log(
    formatTable({
      columns: ["figure", "gas", "what"],
      rows: Object.entries(figures).map(([key, gas]) => [
        key,
        gas.toLocaleString("en"),
        notes[key] ?? "",
      ]),
    }),
  );
  console.log(
    `\n${formatTable({
      columns: ["contract", "bytes of 24,576"],
      rows: Object.entries(sizes).map(([name, size]) => [name, size.toLocaleString("en")]),
    })}`,
  );

  const path = join(PROJECT_ROOT, "bench", "out", "gas.json");
  mkdirSync(join(path, ".."), { recursive: true });
  const report = {
    figures,
    details: {
      how: "gasUsed of receipts (intrinsic gas and calldata included) on Hardhat's in-process chain, Osaka rules; medians; proofs of full-size random points, random 248-bit words",
      notes,
      samples: Object.fromEntries(
        Object.entries(samples).map(([key, values]) => [key, values.map(Number)]),
      ),
      bytecode: sizes,
      versions: { node: process.version, solc: compiler?.version, settings: compiler?.settings },
      machine: { cpu: cpus()[0]?.model, cores: cpus().length },
    },
  };
  writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
  console.log(`\nwritten to ${path}`);
}

/** Compiles the contracts and their tests. Error: `bench.buildFailed`. */
function buildContracts(): void {
  const { status } = spawnSync("npm", ["run", "--silent", "build:tests"], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (status === 0) return;
  throw new BaseError({ code: "bench.buildFailed", message: "the contracts do not compile" });
}

await runProgram(
  createProgram({
    name: "bench:gas",
    summary: "Measures gas on an in-process chain; writes bench/out/gas.json.",
  }).action(benchGas),
);
