import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { inferenceSettlementAbi, modelRegistryAbi } from "@haca/protocol/abi";
import { contextOf, settlementDomain } from "@haca/protocol/inferenceResult";
import { computeModelId, computeVersionId } from "@haca/protocol/modelIds";
import { encodeFunctionData, type Hex, sha256, zeroHash } from "viem";
import {
  makeProof,
  makeTrapdoor,
  makeVerifyingKey,
} from "../../../test/contracts/utils/groth16Simulator.ts";
import { scalarsFrom } from "../../../test/contracts/utils/randomScalars.ts";
import { everyRole, testModule } from "../../../testing/modules.ts";
import { deployOn } from "./deployOn.ts";
import { INPUT_LAYOUT, inferenceSettled, OUTPUT_LAYOUT } from "./events.ts";
import type { Chain } from "./startChain.ts";
import { addressOf, writeBook } from "./writeBook.ts";

const WEEK = 7 * 24 * 60 * 60;
const HEARTBEAT_MAX_AGE = 30 * 60;
/** One input word, one output word, context. */
const SIGNAL_COUNT = 3;

/**
 * Deploys the contracts of settlement and the TEE registry over a simulated root, writes their address book to `path`
 * and registers the model `digits`. The first account is administrator and holds every role. Proofs come from the
 * trapdoor of the verifying key, so that a test can settle whatever words it wants.
 */
export async function deployContracts(parameters: { chain: Chain; path: string }) {
  const { chain, path } = parameters;
  const owner = chain.accounts[0];
  const { timestamp } = await chain.client.getBlock();
  const { rootAuthority } = makeSimulatedChain({ now: timestamp });
  const rootCertificate = rootAuthority.certificate;
  const deployed = await deployOn(chain, (module) =>
    testModule(module, {
      settlementWindow: WEEK,
      attestation: {
        rootCertificate,
        rootFingerprint: sha256(rootCertificate),
        isDevelopmentRoot: true,
        heartbeatMaxAge: HEARTBEAT_MAX_AGE,
        attestationMaxAge: WEEK,
      },
      holders: everyRole(owner),
    }),
  );
  await writeBook({ chain, path, contracts: deployed });
  const registry = addressOf(deployed.modelRegistry);
  const settlement = addressOf(deployed.inferenceSettlement);

  const random = scalarsFrom("indexer");
  const trapdoor = makeTrapdoor({ signalCount: SIGNAL_COUNT, random });
  const verifyingKey = makeVerifyingKey(trapdoor) as Hex;
  const modelId = computeModelId({ owner, slug: "digits" }) as Hex;
  const domain = settlementDomain({
    chainId: BigInt(chain.client.chain.id),
    settlement,
  });
  const versionId = (major: number, minor: number) =>
    computeVersionId({ modelId, major, minor }) as Hex;

  const publish = (major: number, minor: number) =>
    chain.send({
      to: registry,
      data: encodeFunctionData({
        abi: modelRegistryAbi,
        functionName: "publishVersion",
        args: [
          modelId,
          {
            major,
            minor,
            modelHash: `0x${"11".repeat(32)}`,
            blobId: zeroHash,
            circuitHash: `0x${"22".repeat(32)}`,
            csHash: "0x",
            transcriptHash: zeroHash,
            verifyingKey,
            inputMode: 0,
            inputLayout: INPUT_LAYOUT,
            outputLayout: OUTPUT_LAYOUT,
          },
        ],
      }),
    });

  const deprecate = (major: number, minor: number) =>
    chain.send({
      to: registry,
      data: encodeFunctionData({
        abi: modelRegistryAbi,
        functionName: "deprecateVersion",
        args: [versionId(major, minor)],
      }),
    });

  /** A result of version 1.0, with its words and a proof. */
  const prove = (parameters: { nonce: bigint; label?: bigint; node?: Hex; strayBit?: bigint }) => {
    const { node = owner, strayBit = 0n, ...rest } = parameters;
    const {
      words,
      verification: _,
      ...event
    } = inferenceSettled({
      ...rest,
      node,
      modelVersion: versionId(1, 0),
      strayBit,
    });
    const signals = [...words, contextOf({ domain, result: event })];
    const proof = makeProof({ trapdoor, signals, a: random(), b: random() }) as Hex;
    return { event, words, proof };
  };

  /** Settles a result of version 1.0; the node is the account that sends. */
  const settle = (parameters: Parameters<typeof prove>[0]) => {
    const { node = owner } = parameters;
    const { event, words, proof } = prove(parameters);
    return chain.send({
      from: node,
      to: settlement,
      data: encodeFunctionData({
        abi: inferenceSettlementAbi,
        functionName: "settleZkml",
        args: [event, words, proof, "0x"],
      }),
    });
  };

  await chain.send({
    to: registry,
    data: encodeFunctionData({
      abi: modelRegistryAbi,
      functionName: "registerModel",
      args: ["digits"],
    }),
  });
  return {
    ...{ deployed, rootAuthority, domain, modelId, versionId },
    ...{ publish, deprecate, prove, settle },
  };
}

export type Contracts = Awaited<ReturnType<typeof deployContracts>>;
