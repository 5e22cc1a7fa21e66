import { enterProject } from "../../scripts/lib/enterProject.ts";
import { createProgram, runProgram } from "../../scripts/lib/program.ts";
import { PROOFS } from "./proofs.ts";
import { prove } from "./prove.ts";

/** Runs `npm run verify:<name>`. */
export const proofProgram = async (name: keyof typeof PROOFS): Promise<void> => {
  const proof = PROOFS[name];
  await runProgram(
    createProgram({
      name: `verify:${name}`,
      summary:
        `Proves the asserts of ${proof.source} with the Solidity compiler's SMTChecker and Z3, and makes sure ` +
        "that a false one is refuted. Needs the program z3: pip install z3-solver, or the system's package.",
    }).action(() => {
      enterProject();
      console.log(`${prove(proof)} asserts proved for ${proof.domain}, 1 false one refuted`);
    }),
  );
};
