import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileCircuit } from "../src/compileCircuit.ts";
import { FIELD_ORDER } from "../src/field.ts";
import { readR1cs } from "../src/readR1cs.ts";

describe("readR1cs", () => {
  const folder = mkdtempSync(join(tmpdir(), "haca-r1cs-"));
  let bytes: Uint8Array;
  beforeAll(async () => {
    const source = join(folder, "product.circom");
    writeFileSync(
      source,
      `pragma circom 2.2.0;
       template Product() { signal input a; signal input b; signal output c; c <== (a + 3) * b; }
       component main {public [a]} = Product();`,
    );
    const { r1cs } = await compileCircuit({ source, outFolder: folder });
    bytes = readFileSync(r1cs);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("reads counts and coefficients", () => {
    const r1cs = readR1cs(bytes);
    expect(r1cs).toMatchObject({
      fieldOrder: FIELD_ORDER,
      wireCount: 4,
      publicOutputCount: 1,
      publicInputCount: 1,
      privateInputCount: 1,
      constraintCount: 1,
    });
    // wires: 0 constant, 1 c, 2 a, 3 b
    const [constraint] = r1cs.constraints;
    expect([...(constraint?.a.wires ?? []), ...(constraint?.b.wires ?? [])].sort()).toEqual([
      0, 2, 3,
    ]);
    expect([...(constraint?.c.wires ?? [])]).toEqual([1]);
  });

  it("refuses what is not an r1cs file, another version, and a file cut anywhere", () => {
    const malformed = expect.objectContaining({ code: "r1cs.malformed" });
    expect(() => readR1cs(new TextEncoder().encode("zkey0000"))).toThrow(malformed);
    expect(() => readR1cs(Uint8Array.from(bytes).fill(2, 4, 5))).toThrow(malformed);
    for (let length = 0; length < bytes.length; length += 7) {
      const cut = bytes.subarray(0, length);
      // only the last section, labels, can be missing
      try {
        expect(readR1cs(cut).constraints).toHaveLength(1);
      } catch (error) {
        expect(error).toEqual(malformed);
      }
    }
  });
});
