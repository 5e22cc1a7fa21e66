import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { groth16, zKey } from "snarkjs";
import { afterAll, describe, expect, it } from "vitest";
import { builtProgram } from "./support/builtPrograms.ts";

const prover = builtProgram("haca-prover");
const testSetup = builtProgram("haca-test-setup");
const folder = mkdtempSync(join(tmpdir(), "haca-native-proofs-"));
const path = (name: string) => join(folder, name);
const json = (name: string) => JSON.parse(readFileSync(path(name), "utf8"));
const deep = process.env.HACA_DEEP === "1";
const sizes = deep ? [8, 9, 10, 11, 12, 13, 14, 15, 16] : [8, 10, 12];

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(prover === undefined || testSetup === undefined)("native proofs", () => {
  const run = (program: string | undefined, ...parameters: string[]) =>
    execFileSync(program ?? "", parameters, { cwd: folder, stdio: "pipe", encoding: "utf8" });

  for (const logSize of sizes) {
    for (const kind of ["dense", "model"]) {
      it(`snarkjs verifies a proof of 2^${logSize} constraints (${kind}) with its own public signals`, async () => {
        run(testSetup, kind, String(logSize), String(logSize), "circuit");
        run(prover, "prove", "circuit.zkey", "circuit.wtns", "proof.json", "public.json");
        const key = await zKey.exportVerificationKey(path("circuit.zkey"));
        const [proof, signals] = [json("proof.json"), json("public.json")];
        expect(await groth16.verify(key, signals, proof)).toBe(true);
        expect(await groth16.verify(key, ["1", ...signals.slice(1)], proof)).toBe(false);

        const theirs = await groth16.prove(path("circuit.zkey"), path("circuit.wtns"));
        expect(signals).toEqual(theirs.publicSignals);
        expect(Object.keys(proof)).toEqual(Object.keys(theirs.proof));
      });
    }
  }

  it("verifies what snarkjs proves, with the key that snarkjs exports", async () => {
    run(testSetup, "model", "8", "3", "circuit");
    const { proof, publicSignals } = await groth16.prove(
      path("circuit.zkey"),
      path("circuit.wtns"),
    );
    const key = await zKey.exportVerificationKey(path("circuit.zkey"));
    writeFileSync(path("key.json"), JSON.stringify(key));
    writeFileSync(path("proof.json"), JSON.stringify(proof));
    writeFileSync(path("public.json"), JSON.stringify(publicSignals));
    expect(run(prover, "verify", "key.json", "public.json", "proof.json")).toBe("valid\n");
  });
});
