import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";

const SECONDS_PER_QUERY = 60;

type SolcError = { severity: string; message: string; formattedMessage: string };

/**
 * Runs the compiler's model checker over the asserts of one contract, with Z3 as its solver.
 * The engine is bounded model checking; the properties have no loops, so the bound cuts nothing off.
 */
export function runSmtChecker(parameters: { source: string; contract: string }): {
  proved: number;
  unproved: string[];
} {
  const { source, contract } = parameters;
  const read = (path: string): string => readFileSync(join(PROJECT_ROOT, path), "utf8");
  const input = {
    language: "Solidity",
    sources: { [source]: { content: read(source) } },
    settings: {
      modelChecker: {
        ...{ engine: "bmc", solvers: ["smtlib2"], targets: ["assert"] },
        ...{ showProvedSafe: true, showUnproved: true },
        timeout: SECONDS_PER_QUERY * 1000,
        contracts: { [source]: [contract] },
      },
      outputSelection: { "*": { "*": ["abi"] } },
    },
  };
  const solc = createRequire(import.meta.url)("solc");
  const folder = mkdtempSync(join(tmpdir(), "haca-prove-"));
  try {
    const output: { errors?: SolcError[] } = JSON.parse(
      solc.compile(JSON.stringify(input), {
        import: (path: string) => ({ contents: read(path) }),
        smtSolver: (query: string) => ({ contents: solve(query, folder) }),
      }),
    );
    const errors = output.errors ?? [];
    const failure = errors.find(({ severity }) => severity === "error");
    if (failure !== undefined) {
      throw new BaseError({ code: "prove.notCompiled", message: failure.formattedMessage });
    }
    const verdicts = errors.filter(({ message }) => message.startsWith("BMC: Assertion violation"));
    const isSafe = ({ message }: SolcError): boolean => message.includes("check is safe");
    return {
      proved: verdicts.filter(isSafe).length,
      unproved: verdicts.filter((verdict) => !isSafe(verdict)).map((v) => v.formattedMessage),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Z3 ends with a status other than 0 where it has no model to show, which is what is hoped for. */
function solve(query: string, folder: string): string {
  const file = join(folder, "query.smt2");
  writeFileSync(file, query);
  try {
    return execFileSync("z3", [`-T:${SECONDS_PER_QUERY}`, file], { encoding: "utf8" });
  } catch (cause) {
    if (cause instanceof Error && "stdout" in cause && typeof cause.stdout === "string") {
      return cause.stdout;
    }
    throw new BaseError({
      code: "prove.noSolver",
      message: "z3 does not start: pip install z3-solver, or the system's z3 package",
      cause,
    });
  }
}
