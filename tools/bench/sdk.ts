/** How long the SDK takes to verify, warm and in a fresh process, and how much of it a page has to load. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import { formatTable } from "../../scripts/lib/table.ts";
import { CHROMIUM, openPage } from "../../sdk/test/support/browser.ts";
import { CLIENT, CORE, PAYING, sizeOf } from "../sdk-build/sizeOf.ts";
import { quantile, round, wholeNumber } from "./figures.ts";
import { givenFor } from "./sdk/givenFor.ts";
import { measureMany } from "./sdk/manyReceipts.ts";
import type { InPage } from "./sdk/page.ts";
import { measureProxyOverhead } from "./sdk/proxyOverhead.ts";
import { VERIFICATIONS, type VerificationName } from "./sdk/verifications.ts";

const NAMES = Object.keys(VERIFICATIONS) as VerificationName[];
const COLD = join(import.meta.dirname, "sdk", "cold.ts");
const BYTES_PER_KB = 1000;
/** Receipts that are verified at once. */
const MANY = 1_000;

export async function benchSdk(values: { runs: string; cold: string }): Promise<void> {
  const runs = wholeNumber({ name: "--runs", text: values.runs });
  const starts = wholeNumber({ name: "--cold", text: values.cold });
  const loadBefore = loadavg()[0] ?? 0;
  const figures: Record<string, number> = {
    "size.coreKb": round((await sizeOf(CORE)) / BYTES_PER_KB),
    "size.clientKb": round((await sizeOf(CLIENT)) / BYTES_PER_KB),
    "size.payKb": round((await sizeOf(PAYING)) / BYTES_PER_KB),
  };
  for (const name of NAMES) {
    const run = VERIFICATIONS[name](givenFor(name));
    await run();
    const times: number[] = [];
    for (let i = 0; i < runs; i += 1) {
      const start = performance.now();
      await run();
      times.push(performance.now() - start);
    }
    const cold = Array.from({ length: starts }, () =>
      Number(execFileSync(process.execPath, [COLD, name], { encoding: "utf8" })),
    );
    figures[`verify.${name}.ms`] = round(quantile(times, 0.5));
    figures[`verify.${name}.cold`] = round(quantile(cold, 0.5));
  }
  for (const where of ["thread", "parts"] as const) {
    const { longestBlockMs, ms } = await measureMany(MANY, where);
    figures[`many.${where}.ms`] = round(ms);
    figures[`many.${where}.longestBlockMs`] = round(longestBlockMs);
  }
  const inChromium = CHROMIUM === undefined ? undefined : await measureInChromium(runs);
  if (inChromium === undefined) console.log("no Chromium here (HACA_CHROMIUM): not measured in it");
  Object.assign(figures, inChromium?.figures);
  figures["proxy.overheadP50Ms"] = round(quantile(await measureProxyOverhead(runs), 0.5));
  report({ figures, runs, starts, loadBefore, chromium: inChromium?.version });
}

/** The same, warm, in a page. */
async function measureInChromium(
  runs: number,
): Promise<{ figures: Record<string, number>; version: string }> {
  const page = await openPage<InPage>(join(import.meta.dirname, "sdk", "page.ts"));
  const figures: Record<string, number> = {};
  try {
    for (const name of NAMES) {
      const times = await page.call("timesOf", { name, given: givenFor(name), runs });
      figures[`verify.${name}.chromium`] = round(quantile(times, 0.5));
    }
    const many = { count: MANY, given: givenFor("receiptZkml") };
    const { longestBlockMs, ms } = await page.call("manyOf", many);
    figures["many.chromium.ms"] = round(ms);
    figures["many.chromium.longestBlockMs"] = round(longestBlockMs);
  } finally {
    await page.close();
  }
  return { figures, version: page.version };
}

function report(parameters: {
  figures: Record<string, number>;
  runs: number;
  starts: number;
  loadBefore: number;
  chromium: string | undefined;
}): void {
  const { chromium, figures, loadBefore, ...sizes } = parameters;
  const rows = Object.entries(figures).map(([key, value]) => [key, String(value)]);
  console.log(`\n${formatTable({ columns: ["figure", "value"], rows })}`);
  const path = join(PROJECT_ROOT, "bench", "out", "sdk.json");
  mkdirSync(join(path, ".."), { recursive: true });
  const { version } = JSON.parse(
    readFileSync(join(PROJECT_ROOT, "node_modules", "esbuild", "package.json"), "utf8"),
  );
  const details = {
    how: "medians. tee…: one signature of that key; zkml4, zkml256: one proof with so many words, under a key that is read already; page: the way from a leaf to a root; receipt…: a whole receipt without a chain, its attestation document included. cold: the first one of a process, after what it needs is loaded. chromium: in a page of Chromium, warm. size: what a page loads that verifies (core), asks besides (client), pays besides (pay); gzip -9, in kB of 1,000 bytes. many: 1,000 times one proved receipt, without a chain, by verifyMany in a thread of its own and, as in browsers, in parts on the caller's; longestBlockMs: how long the caller's was kept from anything else at most. proxy: how much longer one client waits for an answer through `haca proxy` than for the node that is behind it, which answers at once; the enclave is simulated and makes a document for each.",
    ...sizes,
    machine: { cpu: cpus()[0]?.model, cores: cpus().length, loadBefore: round(loadBefore) },
    versions: { node: process.version, esbuild: version, chromium },
    date: new Date().toISOString(),
  };
  writeFileSync(path, `${JSON.stringify({ figures, details }, null, 2)}\n`);
  console.log(`\nload before the run: ${loadBefore.toFixed(1)} on ${cpus().length} cores`);
  console.log(`written to ${path}`);
}
