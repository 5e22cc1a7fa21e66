import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { documentHints } from "@haca/attestation/nitro/documentHints";
import { parseDocument } from "@haca/attestation/nitro/parseDocument";
import { generateP384Hints } from "@haca/attestation/p384/generateP384Hints";
import { parseCertificate, toRawSignature } from "@haca/attestation/x509/parseCertificate";
import { expect } from "chai";
import { hexlify } from "ethers";
import { network } from "hardhat";
import { deployVerifier } from "../utils/attestationFixture.ts";
import { FIXTURES_FOLDER } from "../utils/fixturesFolder.ts";
import { GAS } from "../utils/transactionGas.ts";

/** SHA-256 of the DER of AWS's root for Nitro enclaves, as AWS publishes it. */
const AWS_ROOT_FINGERPRINT = "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b";
/** A document made under the same leaf certificate as the one before it. */
const WARM = "43ba368b";

/** A document of somebody else's root, and in debug mode too. */
const STRANGER = "d8032479";

type Verdict = { error?: string; pcrHash?: string };
/** Verdicts by the hash in a file's name. */
const VERDICTS: Readonly<Record<string, Verdict>> = {
  "46591b92": { error: "NitroDocument_DebugMode" },
  "7df2cdc0": { error: "EcdsaP384_HintInvalid" },
  "2cc69c53": {},
  "43ba368b": {},
  "72ffd835": {},
  d8032479: { error: "NitroDocument_DebugMode" },
  "5e983e0b": {},
  "65ce3118": { pcrHash: "0x8082af22571613eabd5dad9c7e857c4f16154ded3d387386d8193b53906f6a24" },
};

const folder = join(FIXTURES_FOLDER, "nitro");

describe("real documents under AWS's root", () => {
  before(function () {
    if (!existsSync(folder)) {
      console.log(`      skipped: ${folder} is missing (HACA_FIXTURES names its parent)`);
      this.skip();
    }
  });

  it("test_RealDocumentsGetTheirVerdictsAtTheirOwnTime", async () => {
    const files = readdirSync(folder)
      .filter((name) => name.endsWith(".bin"))
      .sort();
    expect(files.map(hashOf)).to.have.members(Object.keys(VERDICTS));
    const documents = files.map((name) => ({
      name,
      document: new Uint8Array(readFileSync(join(folder, name))),
    }));
    const [first] = documents;
    const root = parseDocument(first?.document ?? new Uint8Array()).cabundle[0] ?? new Uint8Array();
    expect(createHash("sha256").update(root).digest("hex")).to.equal(AWS_ROOT_FINGERPRINT);

    const connection = await network.create({
      override: { initialDate: new Date("2022-01-01T00:00:00Z") },
    });
    const { verifier, store, ecdsa } = await deployVerifier({ connection, root });
    expect(await store.rootFingerprint()).to.equal(`0x${AWS_ROOT_FINGERPRINT}`);
    const errors = await connection.ethers.getContractAt(
      "IAttestationErrors",
      await verifier.getAddress(),
    );

    for (const { name, document } of documents) {
      const verdict = VERDICTS[hashOf(name)] ?? {};
      const time = parseDocument(document).timestamp / 1000n;
      const hints = await hintsOrForgeries(document, (id) => store.isStored(id));
      await connection.networkHelpers.time.setNextBlockTimestamp(time);
      const sending = verifier.verify(document, hints, GAS);
      if (verdict.error !== undefined) {
        const contract = verdict.error.startsWith("Ecdsa") ? ecdsa : errors;
        await expect(sending, name).to.be.revertedWithCustomError(contract, verdict.error);
        if (hashOf(name) === STRANGER) {
          const { cabundle, certificate } = parseDocument(document);
          await expect(
            store.verifyChain([...cabundle, certificate], hints),
          ).to.be.revertedWithCustomError(store, "CertificateStore_RootMismatch");
        }
        continue;
      }
      const receipt = await (await sending).wait();
      const [log] = receipt?.logs.slice(-1) ?? [];
      const event = log && verifier.interface.parseLog(log);
      if (verdict.pcrHash !== undefined) expect(event?.args.measurement).to.equal(verdict.pcrHash);
      const isWarm = hashOf(name) === WARM;
      expect(hints.filter((hint) => hint !== "0x")).to.have.length(isWarm ? 1 : 5);
      console.log(
        `      ${name}: ${receipt?.gasUsed.toLocaleString("en")} gas, ${document.length} bytes`,
      );
    }
    await connection.close();
  });
});

function hashOf(name: string): string {
  return /_([0-9a-f]{8})\.bin$/.exec(name)?.[1] ?? name;
}

/**
 * Hints for every signature. There are none for a signature that is not valid: it gets those of another one, which is
 * the best that somebody can do who wants it accepted. A chain with a certificate that cannot be read gets empty ones.
 */
async function hintsOrForgeries(
  document: Uint8Array,
  isStored: (id: string) => Promise<boolean>,
): Promise<string[]> {
  try {
    return (await documentHints({ document, isStored })).map((hint) => hexlify(hint));
  } catch {
    const { cabundle, certificate } = parseDocument(document);
    const ders = [...cabundle, certificate];
    const chain = ders.flatMap((der) => readable(der) ?? []);
    if (chain.length < ders.length) return ders.map(() => "0x");
    const hints = chain.slice(1).map(({ tbs: message, signature: der }, i) => {
      const signature = toRawSignature(der);
      const publicKey = chain[i]?.publicKey ?? new Uint8Array();
      return hexlify(generateP384Hints({ message, publicKey, signature }));
    });
    return [...hints, hints.at(-1) ?? "0x"];
  }
}

function readable(der: Uint8Array): ReturnType<typeof parseCertificate> | undefined {
  try {
    return parseCertificate(der);
  } catch {
    return undefined;
  }
}
