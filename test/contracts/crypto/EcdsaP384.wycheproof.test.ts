import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { generateP384Hints } from "@haca/attestation/p384/generateP384Hints";
import { expect } from "chai";
import { network } from "hardhat";
import { deployEcdsaP384, verifyOnChain } from "../utils/ecdsaP384Fixture.ts";
import { FIXTURES_FOLDER } from "../utils/fixturesFolder.ts";
import { signFrom } from "../utils/p384Signatures.ts";

const VECTORS = join(FIXTURES_FOLDER, "wycheproof", "ecdsa_secp384r1_sha384_p1363_test.json");

/** Of the file, what is used here (schema ecdsa_p1363_verify_schema_v1.json). */
type Vectors = {
  numberOfTests: number;
  testGroups: {
    publicKey: { uncompressed: string };
    tests: {
      tcId: number;
      comment: string;
      flags: string[];
      msg: string;
      sig: string;
      result: string;
    }[];
  }[];
};

const isDeep = process.env.HACA_DEEP === "1";
/** By default so many vectors of each kind, spread over them; in the deep run all. */
const OF_A_KIND = 8;

/** Vectors are of a kind where they have the same flags and the same result. */
function sampled({ testGroups }: Vectors): Set<number> {
  const kinds = new Map<string, number[]>();
  for (const { tcId, flags, result } of testGroups.flatMap(({ tests }) => tests)) {
    const kind = [result, ...flags].join();
    kinds.set(kind, [...(kinds.get(kind) ?? []), tcId]);
  }
  const picked = [...kinds.values()].flatMap((ids) => {
    const step = isDeep ? 1 : Math.ceil(ids.length / OF_A_KIND);
    return ids.filter((_, index) => index % step === 0);
  });
  return new Set(picked);
}

const connection = await network.create();

describe("EcdsaP384 (Wycheproof)", () => {
  it("test_VectorsOfEveryKind", async function () {
    this.timeout(0);
    if (!existsSync(VECTORS)) {
      console.log(`      skipped: ${VECTORS} is missing (HACA_FIXTURES names its folder)`);
      this.skip();
    }
    const vectors: Vectors = JSON.parse(readFileSync(VECTORS, "utf8"));
    const ids = sampled(vectors);
    const ecdsa = await deployEcdsaP384(connection);
    const otherHints = generateP384Hints(signFrom("wycheproof"));
    const counts = { valid: 0, invalid: 0, acceptable: 0 };
    for (const { publicKey, tests } of vectors.testGroups) {
      for (const { tcId, comment, msg, sig, result } of tests) {
        if (!ids.has(tcId)) continue;
        const name = `${tcId} (${comment})`;
        const signed = {
          message: Buffer.from(msg, "hex"),
          publicKey: Buffer.from(publicKey.uncompressed.slice(2), "hex"),
          signature: Buffer.from(sig, "hex"),
        };
        if (result === "valid") {
          counts.valid++;
          await verifyOnChain({ ecdsa, signed }).catch((error) => {
            throw new Error(`${name} is refused`, { cause: error });
          });
        } else {
          // `acceptable` vectors are for lenient encodings. There is one encoding here: they are refused.
          expect(["invalid", "acceptable"], name).to.include(result);
          counts[result === "invalid" ? "invalid" : "acceptable"]++;
          expect(() => generateP384Hints(signed), name).to.throw();
          await expect(verifyOnChain({ ecdsa, signed, hints: otherHints }), name).to.be.revert(
            connection.ethers,
          );
        }
      }
    }
    expect(counts.valid + counts.invalid + counts.acceptable).to.equal(ids.size);
    if (isDeep) expect(ids.size).to.equal(vectors.numberOfTests);
    else expect(ids.size).to.be.greaterThan(80);
    // The file of this name has no `acceptable` vector; if that changes, somebody has to look.
    expect(counts.acceptable).to.equal(0);
    expect(counts.valid).to.be.greaterThan(0);
  });
});
