import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDevelopmentRoot } from "@haca/enclave-simulator/developmentRoot";
import { measurementsOf } from "@haca/enclave-simulator/measurementsOf";
import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { hexlify } from "ethers";

/** An enclave under the root that this machine's deployments pin, and its files. */
export function makeNode(folder: string) {
  const now = BigInt(Math.floor(Date.now() / 1000));
  const chain = makeSimulatedChain({ now: now - 3_600n, root: openDevelopmentRoot() });
  const measurements = measurementsOf("registrar");
  const make = () => new SimulatedEnclave({ chain, measurements, kind: "p256", now: now - 3_600n });
  const enclave = make();
  const file = (name: string, content: Uint8Array | string): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const attest = (at: bigint): Buffer =>
    Buffer.from(enclave.attest({ now: at, nonce: new Uint8Array(20).fill(7) }));
  const pem = `-----BEGIN PUBLIC KEY-----\n${Buffer.from(enclave.signingKey).toString("base64")}\n-----END PUBLIC KEY-----\n`;
  return {
    teeId: enclave.teeId,
    pcrs: measurements.map((pcr) => hexlify(pcr)),
    /** a document that is not yet old, however long the test took so far; by the chain's clock where that is ahead */
    fresh: (time = Math.floor(Date.now() / 1000)) =>
      file("document", attest(BigInt(time)).toString("base64")),
    oldDocument: file("old", attest(now - 400n)),
    key: file("key.json", JSON.stringify({ public_key: pem })),
    otherKey: file("other.der", make().signingKey),
    strangeKey: file(
      "strange.der",
      generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "der" }),
    ),
    certificate: file("tls.der", enclave.tlsCertificate),
    nothing: file("nothing", "nothing"),
  };
}
