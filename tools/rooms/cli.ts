import { join } from "node:path";
import { Command } from "commander";
import { findForbidden, type Lines, measureCycles, measureLines } from "./measureRooms.ts";
import { readTree } from "./readTree.ts";

const ROOT = join(import.meta.dirname, "../..");

const { revision, before, check } = new Command("rooms")
  .description("Lines of every room and cycles of imports, as docs/adr/018-rooms.md has them.")
  .option("--revision <commit>", "whose files", "HEAD")
  .option("--before <commit>", "an earlier one to compare with")
  .option("--check", "print cycles and forbidden imports only, and fail where there are any", false)
  .parse()
  .opts<{ revision: string; before?: string; check: boolean }>();

const tree = readTree({ root: ROOT, revision });
if (!check && before === undefined) printLines(measureLines(tree));
if (!check && before !== undefined) {
  const earlier = measureLines(readTree({ root: ROOT, revision: before }));
  printComparison(earlier, measureLines(tree));
}
const findings = Object.entries(measureCycles(tree)).map(
  ([kind, cycles]) => [`cycles of ${kind}`, cycles.map((cycle) => cycle.join(", "))] as const,
);
for (const [title, list] of [...findings, ["forbidden imports", findForbidden(tree)] as const]) {
  console.log(`${check ? "" : "\n"}${title}: ${list.length}`);
  for (const finding of list) console.log(`- ${finding}`);
  if (check && list.length > 0) process.exitCode = 1;
}

function printLines(rooms: readonly Lines[]): void {
  console.log("| room | files | lines | median | p90 | maximum |\n|---|---:|---:|---:|---:|---:|");
  for (const { room, files, lines, median, p90, maximum } of rooms) {
    console.log(`| ${[room, files, lines, median, p90, maximum].join(" | ")} |`);
  }
}

/** One row for each room of either revision: files / median / p90 / maximum. */
function printComparison(earlier: readonly Lines[], later: readonly Lines[]): void {
  const figures = (all: readonly Lines[], name: string) => {
    const found = all.find(({ room }) => room === name);
    if (found === undefined) return "–";
    return [found.files, found.median, found.p90, found.maximum].join(" / ");
  };
  const rooms = new Set([...earlier, ...later].map(({ room }) => room));
  console.log("| room | before | after |\n|---|---|---|");
  for (const room of [...rooms].sort((a, b) => a.localeCompare(b))) {
    console.log(`| ${room} | ${figures(earlier, room)} | ${figures(later, room)} |`);
  }
}
