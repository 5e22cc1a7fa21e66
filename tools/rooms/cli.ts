import { join } from "node:path";
import { Command } from "commander";
import { measureCycles, measureLines } from "./measureRooms.ts";
import { readTree } from "./readTree.ts";

const ROOT = join(import.meta.dirname, "../..");

const { revision, check } = new Command("rooms")
  .description("Lines of every room and cycles of imports, as docs/adr/018-rooms.md has them.")
  .option("--revision <commit>", "whose files", "HEAD")
  .option("--check", "print nothing but cycles, and fail where there are any", false)
  .parse()
  .opts<{ revision: string; check: boolean }>();

const tree = readTree({ root: ROOT, revision });
if (!check) {
  console.log("| room | files | lines | median | p90 | maximum |\n|---|---:|---:|---:|---:|---:|");
  for (const { room, files, lines, median, p90, maximum } of measureLines(tree)) {
    console.log(`| ${[room, files, lines, median, p90, maximum].join(" | ")} |`);
  }
}
for (const [kind, cycles] of Object.entries(measureCycles(tree))) {
  console.log(`${check ? "" : "\n"}cycles of ${kind}: ${cycles.length}`);
  for (const cycle of cycles) console.log(`- ${cycle.join(", ")}`);
  if (check && cycles.length > 0) process.exitCode = 1;
}
