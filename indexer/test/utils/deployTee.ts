import { createHash } from "node:crypto";
import { bindingNonce } from "@haca/attestation/nitro/bindingNonce";
import { documentHints } from "@haca/attestation/nitro/documentHints";
import { p384BaseTable } from "@haca/attestation/p384/p384Base";
import { certificateStoreAbi, teeRegistryAbi, teeRegistryLensAbi } from "@haca/protocol/abi";
import { VERIFIER_IDS } from "@haca/protocol/attestationVendors";
import { makeSimulatedChain } from "@haca/worker/enclave/simulatedChain";
import {
  type Measurements,
  type SigningKeyKind,
  SimulatedEnclave,
} from "@haca/worker/enclave/simulatedEnclave";
import {
  type ContractFunctionArgs,
  type ContractFunctionName,
  encodeFunctionData,
  getContract,
  type Hex,
  hexToBytes,
  keccak256,
  toHex,
} from "viem";
import { addressOf, type Creation } from "./addressBookOf.ts";
import { deployArtifact } from "./deployArtifact.ts";
import type { Chain } from "./startChain.ts";

export const HEARTBEAT_MAX_AGE = 30n * 60n;
export const ATTESTATION_MAX_AGE = 7n * 24n * 60n * 60n;
export const ENDPOINT = "https://node.example:443";

type Restricted = ContractFunctionName<typeof teeRegistryAbi, "nonpayable">;

/**
 * The TEE registry over a simulated root, with two node types. The manager's administrator, the first account, holds
 * every role: none is given to anybody else.
 */
export async function deployTee(parameters: { chain: Chain; accessManager: Creation }) {
  const { chain } = parameters;
  const manager = addressOf(parameters.accessManager);
  const deploy = (artifact: string, args: readonly unknown[] = []) =>
    deployArtifact({ chain, artifact: `contracts/${artifact}`, arguments: args });
  const { timestamp } = await chain.client.getBlock();
  const { rootAuthority } = makeSimulatedChain({ now: timestamp });

  const ecdsa = await deploy("crypto/EcdsaP384.sol/EcdsaP384.json", [toHex(p384BaseTable())]);
  const certificates = await deploy("attestation/x509/CertificateStore.sol/CertificateStore.json", [
    ...[manager, addressOf(ecdsa), toHex(rootAuthority.certificate)],
  ]);
  const deployVerifier = () =>
    deploy("attestation/nitro/NitroAttestationVerifier.sol/NitroAttestationVerifier.json", [
      ...[addressOf(certificates), addressOf(ecdsa)],
    ]);
  const verifier = await deployVerifier();
  const signingKeys = await deploy("crypto/SigningKeys.sol/SigningKeys.json");
  const creation = await deploy("tee/TEERegistry.sol/TEERegistry.json", [
    ...[manager, addressOf(signingKeys), addressOf(verifier)],
    ...[HEARTBEAT_MAX_AGE, ATTESTATION_MAX_AGE],
  ]);
  const registry = getContract({
    address: addressOf(creation),
    abi: teeRegistryAbi,
    client: chain.client,
  });
  const lensCreation = await deploy("tee/TEERegistryLens.sol/TEERegistryLens.json", [
    addressOf(creation),
  ]);
  const lens = getContract({
    address: addressOf(lensCreation),
    abi: teeRegistryLensAbi,
    client: chain.client,
  });
  const store = getContract({
    address: addressOf(certificates),
    abi: certificateStoreAbi,
    client: chain.client,
  });

  /** Calls a function of the registry, by default as administrator and relayer. */
  const call = <name extends Restricted>(
    functionName: name,
    args: ContractFunctionArgs<typeof teeRegistryAbi, "nonpayable", name>,
    from?: Hex,
  ) =>
    chain.send({
      to: registry.address,
      data: encodeFunctionData({ abi: teeRegistryAbi, functionName, args } as never),
      ...(from === undefined ? {} : { from }),
    });

  /** Revokes by issuer and serial, whether it was seen or not. */
  const revokeUnseen = (issuer: Uint8Array, serial: bigint) =>
    chain.send({
      to: store.address,
      data: encodeFunctionData({
        abi: certificateStoreAbi,
        functionName: "revokeUnseen",
        args: [toHex(issuer), serial],
      }),
    });
  const revoke = (functionName: "revokeCertificate" | "revokeKey", certificateId: Hex) =>
    chain.send({
      to: store.address,
      data: encodeFunctionData({ abi: certificateStoreAbi, functionName, args: [certificateId] }),
    });

  /** An enclave under a fresh chain of the root. */
  const makeEnclave = async (options: { measurements: Measurements; kind?: SigningKeyKind }) => {
    const { timestamp: now } = await chain.client.getBlock();
    return new SimulatedEnclave({
      chain: makeSimulatedChain({ now, root: rootAuthority }),
      measurements: options.measurements,
      kind: options.kind ?? "secp256k1",
      now,
    });
  };

  /** A registration with fresh evidence that is bound to `operator`. */
  const registrationOf = async (options: {
    enclave: SimulatedEnclave;
    operator: Hex;
    teeType: number;
    endpoint?: string;
    verifierId?: number;
  }) => {
    const {
      enclave,
      operator,
      teeType,
      endpoint = ENDPOINT,
      verifierId = VERIFIER_IDS.nitro,
    } = options;
    const { timestamp: now } = await chain.client.getBlock();
    const bound = { operator, paymentAddress: operator, endpoint, teeType };
    const nonce = bindingNonce({
      ...bound,
      chainId: BigInt(chain.client.chain.id),
      registry: registry.address,
    });
    const document = enclave.attest({ now, nonce: hexToBytes(nonce as Hex) });
    const hints = await documentHints({
      document,
      isStored: (id) => store.read.isStored([id as Hex]),
    });
    return {
      verifierId,
      evidence: toHex(document),
      hints: hints.map((hint) => toHex(hint)),
      signingKey: toHex(enclave.signingKey),
      tlsCertificate: toHex(enclave.tlsCertificate),
      ...{ paymentAddress: operator, endpoint, teeType },
    };
  };

  for (const [type, name] of ["LLMProxy", "Validator"].entries()) {
    await call("addTEEType", [type, name]);
  }
  const creations = {
    EcdsaP384: ecdsa,
    CertificateStore: certificates,
    NitroAttestationVerifier: verifier,
    SigningKeys: signingKeys,
    TEERegistry: creation,
    TEERegistryLens: lensCreation,
  };
  return {
    ...{
      creations,
      registry,
      lens,
      store,
      call,
      revokeUnseen,
      revoke,
      makeEnclave,
      registrationOf,
    },
    ...{ verifier: addressOf(verifier), deployVerifier },
  };
}
export type Tee = Awaited<ReturnType<typeof deployTee>>;

/** Measurements that are different for every name. */
export function measurementsOf(name: string): Measurements {
  const pcr = (index: number) =>
    new Uint8Array(createHash("sha384").update(`${name} ${index}`).digest());
  return [pcr(0), pcr(1), pcr(2)];
}

export const pcrsOf = ([pcr0, pcr1, pcr2]: Measurements) => ({
  pcr0: toHex(pcr0),
  pcr1: toHex(pcr1),
  pcr2: toHex(pcr2),
});

export const pcrHashOf = (measurements: Measurements): Hex =>
  keccak256(Buffer.concat([...measurements]));

export const teeIdOf = (enclave: SimulatedEnclave): Hex => enclave.teeId as Hex;
