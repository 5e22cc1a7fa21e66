import { openDevelopmentRoot } from "@haca/enclave-simulator/developmentRoot";
import { measurementsOf, pcrHashOf } from "@haca/enclave-simulator/measurementsOf";
import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { type Measurements, SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { startSimulatedEnclave } from "@haca/enclave-simulator/startSimulatedEnclave";
import { getBytes, hexlify } from "ethers";
import { openAttestedKey } from "./openAttestedKey.ts";
import { openTlsFiles } from "./openTlsFiles.ts";
import { badOption, integerOption } from "./options.ts";

const KINDS = ["rsa", "p256", "secp256k1"] as const;
const MAXIMUM_PORT = 65_535;

/** AWS's authorities below the root live for a day at least; these outlive a long run of the command. */
const EXTRA_VALIDITY = 30n * 24n * 60n * 60n;

/** Runs a simulated enclave until a signal stops it. */
export async function simulate(options: {
  port: string;
  publicPort: string;
  image: string;
  pcrs?: string;
  key: string;
  attestedKey?: string;
  tlsCertificate?: string;
  tlsKey?: string;
  resultKeys: boolean;
}): Promise<void> {
  const kind = KINDS.find((known) => known === options.key);
  if (kind === undefined) throw badOption(`--key must be ${KINDS.join(", ")}, got ${options.key}`);
  const portOf = (name: string, text: string) =>
    integerOption({ name, text, minimum: 0, maximum: MAXIMUM_PORT });
  const port = portOf("port", options.port);
  const publicPort = portOf("public-port", options.publicPort);
  const measurements =
    options.pcrs === undefined ? measurementsOf(options.image) : parsePcrs(options.pcrs);
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });

  const now = BigInt(Math.floor(Date.now() / 1000));
  const chain = makeSimulatedChain({
    ...{ now, root: openDevelopmentRoot(), extraValidity: EXTRA_VALIDITY },
  });
  const tls = openTlsFiles(options, now);
  const enclave = new SimulatedEnclave({
    ...{ chain, measurements, kind, now },
    ...(tls && { tls }),
    ...(options.attestedKey === undefined
      ? {}
      : { keys: openAttestedKey(options.attestedKey, kind) }),
  });
  const running = await startSimulatedEnclave({
    ...{ enclave, port, publicPort, certifiesResultKeys: options.resultKeys },
  });
  console.log(`SIMULATED enclave: it isolates nothing, for development only
  operator's side  ${running.operatorUrl}
  public side      ${running.publicUrl}
  teeId            ${enclave.teeId}  (${kind}; ${
    options.attestedKey === undefined
      ? "a restart makes a new key, and so a new node"
      : "its key lies in a file"
  })
  pcrHash          ${pcrHashOf(measurements)}
${measurements.map((pcr, index) => `  PCR${index}             ${hexlify(pcr)}`).join("\n")}
Ctrl-C ends it`);
  await stopped;
  await running.close();
  console.log("stopped");
}

function parsePcrs(text: string): Measurements {
  const [pcr0, pcr1, pcr2, ...more] = text.split(",").map((part) => {
    if (/^(0x)?[0-9a-fA-F]{96}$/.test(part)) return getBytes(`0x${part.replace(/^0x/, "")}`);
    throw badOption(`--pcrs must be three times 48 bytes of hex, got ${part}`);
  });
  if (pcr0 === undefined || pcr1 === undefined || pcr2 === undefined || more.length > 0) {
    throw badOption("--pcrs must be three times 48 bytes of hex, separated by commas");
  }
  return [pcr0, pcr1, pcr2];
}
