/**
 * Tests of the Python client: its wheel is built and put into an environment of its own, and pytest looks at what is installed there. One
 * skipped test where there is no Python, or its packages cannot be had.
 */
import { join } from "node:path";
import { reportFailure } from "../../scripts/lib/reportFailure.ts";
import { installWheel, PythonMissing, prepareEnvironment } from "./environment.ts";
import { CACHE_FOLDER, CLIENT_FOLDER, run } from "./process.ts";

const CASES_PROGRAM = join(import.meta.dirname, "cases.ts");

async function main(): Promise<void> {
  try {
    const python = await prepareEnvironment();
    const wheel = await installWheel(python);
    const cases = join(CACHE_FOLDER, "cases.json");
    await run({ program: process.execPath, parameters: [CASES_PROGRAM, cases] });
    const { status } = await run({
      program: python,
      // In a folder of its own: what is tested is what was installed.
      parameters: ["-m", "pytest", "-q", "-rfE", join(CLIENT_FOLDER, "tests")],
      folder: CACHE_FOLDER,
      environment: { HACA_CASES: cases, HACA_WHEEL: wheel, NO_PROXY: "127.0.0.1" },
      isShown: true,
    });
    process.exitCode = status;
  } catch (error) {
    if (!(error instanceof PythonMissing)) throw error;
    console.log(`suite skipped: ${error.message}`);
  }
}

main().catch(reportFailure);
