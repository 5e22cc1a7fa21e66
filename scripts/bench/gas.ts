/** `npm run bench:gas`: gas of real transactions on Hardhat's in-process chain under Osaka rules. */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import hre from "hardhat";
import { bytecodeSizes } from "../../test/contracts/gas/bytecodeSizes.ts";
import { measureAll } from "../../test/contracts/gas/measureAll.ts";
import { PROJECT_ROOT } from "../lib/projectRoot.ts";
import { reportFailure } from "../lib/reportFailure.ts";
import { formatTable } from "../lib/table.ts";

const HELP =
  "Measures gas on an in-process chain; writes bench/out/gas.json.\n\nusage: npm run bench:gas";

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { help: { type: "boolean", default: false } } });
  if (values.help) {
    console.log(HELP);
    return;
  }
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

main().catch(reportFailure);
