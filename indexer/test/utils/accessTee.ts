import { createHash } from "node:crypto";
import { bindingNonce } from "@haca/attestation/nitro/bindingNonce";
import { documentHints } from "@haca/attestation/nitro/documentHints";
import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import {
  type Measurements,
  type SigningKeyKind,
  SimulatedEnclave,
} from "@haca/enclave-simulator/simulatedEnclave";
import { certificateStoreAbi, teeRegistryAbi, teeRegistryLensAbi } from "@haca/protocol/abi";
import { ATTESTATION_VENDORS } from "@haca/protocol/attestationVendors";
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
import type { Contracts } from "./deployContracts.ts";
import { deployOne } from "./deployOn.ts";
import type { Chain } from "./startChain.ts";
import { addressOf } from "./writeBook.ts";

export const ENDPOINT = "https://node.example:443";

type Restricted = ContractFunctionName<typeof teeRegistryAbi, "nonpayable">;

/** What can be done with the TEE registry of `contracts`. */
export function accessTee(parameters: { chain: Chain; contracts: Contracts }) {
  const { chain } = parameters;
  const { deployed, rootAuthority } = parameters.contracts;
  const deployVerifier = () =>
    deployOne({
      ...{ chain, name: deployed.verifier.name },
      arguments: [addressOf(deployed.certificateStore), addressOf(deployed.ecdsaP384)],
    });
  const registry = getContract({
    address: addressOf(deployed.teeRegistry),
    abi: teeRegistryAbi,
    client: chain.client,
  });
  const lens = getContract({
    address: addressOf(deployed.teeRegistryLens),
    abi: teeRegistryLensAbi,
    client: chain.client,
  });
  const store = getContract({
    address: addressOf(deployed.certificateStore),
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
      verifierId = ATTESTATION_VENDORS.nitro.verifierId,
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

  return {
    ...{ registry, lens, store, call, revokeUnseen, revoke, makeEnclave, registrationOf },
    ...{ verifier: addressOf(deployed.verifier), deployVerifier },
  };
}
export type Tee = ReturnType<typeof accessTee>;

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
