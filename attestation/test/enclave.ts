import { measurementsOf } from "@haca/enclave-simulator/measurementsOf";
import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { sha256 } from "ethers";

/** Time at which the chain and the enclave were made, unix seconds. */
export const NOW = 1_900_000_000n;

export const chain = makeSimulatedChain({ now: NOW });
export const rootFingerprint = sha256(chain.root);

/** An enclave under `chain`. */
export const enclave = new SimulatedEnclave({
  ...{ chain, measurements: measurementsOf("image"), kind: "p256", now: NOW },
});

/** A document of the enclave with a nonce of 20 bytes, changed where asked. */
export const documentOf = (
  options: Partial<Parameters<SimulatedEnclave["attest"]>[0]> = {},
): Uint8Array => enclave.attest({ now: NOW, nonce: new Uint8Array(20).fill(7), ...options });
