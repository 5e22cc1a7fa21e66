import { inferenceSettlementAbi, modelRegistryAbi } from "@haca/protocol/abi";
import { writeAddressBook } from "@haca/protocol/addressBook";
import { contextOf, settlementDomain } from "@haca/protocol/inferenceResult";
import { computeModelId, computeVersionId } from "@haca/protocol/modelIds";
import { encodeFunctionData, type Hex, zeroHash } from "viem";
import {
  makeProof,
  makeTrapdoor,
  makeVerifyingKey,
} from "../../../test/contracts/utils/groth16Simulator.ts";
import { scalarsFrom } from "../../../test/contracts/utils/randomScalars.ts";
import { addressBookOf, addressOf, type Creations } from "./addressBookOf.ts";
import { ACCESS_MANAGER, deployArtifact } from "./deployArtifact.ts";
import { INPUT_LAYOUT, inferenceSettled, OUTPUT_LAYOUT } from "./events.ts";
import type { Chain } from "./startChain.ts";

const WEEK = 7n * 24n * 60n * 60n;
/** One input word, one output word, context. */
const SIGNAL_COUNT = 3;

/**
 * Deploys the contracts, writes their address book to `path` and registers the model `digits`. Proofs come
 * from the trapdoor of the verifying key, so that a test can settle whatever words it wants.
 */
export async function deployContracts(parameters: { chain: Chain; path: string }) {
  const { chain, path } = parameters;
  const owner = chain.accounts[0];
  const deploy = (artifact: string, args: readonly unknown[] = []) =>
    deployArtifact({ chain, artifact, arguments: args });
  const accessManager = await deploy(ACCESS_MANAGER, [owner]);
  const registry = await deploy("contracts/models/ModelRegistry.sol/ModelRegistry.json");
  const settlement = await deploy(
    "contracts/settlement/InferenceSettlement.sol/InferenceSettlement.json",
    [addressOf(accessManager), addressOf(registry), WEEK],
  );
  const creations: Creations = {
    AccessManager: accessManager,
    ModelRegistry: registry,
    InferenceSettlement: settlement,
  };
  writeAddressBook({ path, book: await addressBookOf({ chain, creations }) });

  const random = scalarsFrom("indexer");
  const trapdoor = makeTrapdoor({ signalCount: SIGNAL_COUNT, random });
  const verifyingKey = makeVerifyingKey(trapdoor) as Hex;
  const modelId = computeModelId({ owner, slug: "digits" }) as Hex;
  const domain = settlementDomain({
    chainId: BigInt(chain.client.chain.id),
    settlement: addressOf(settlement),
  });
  const versionId = (major: number, minor: number) =>
    computeVersionId({ modelId, major, minor }) as Hex;

  const publish = (major: number, minor: number) =>
    chain.send({
      to: addressOf(registry),
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
            verifyingKey,
            inputLayout: INPUT_LAYOUT,
            outputLayout: OUTPUT_LAYOUT,
          },
        ],
      }),
    });

  const deprecate = (major: number, minor: number) =>
    chain.send({
      to: addressOf(registry),
      data: encodeFunctionData({
        abi: modelRegistryAbi,
        functionName: "deprecateVersion",
        args: [versionId(major, minor)],
      }),
    });

  /** Settles a result of version 1.0; the node is the account that sends. */
  const settle = (parameters: { nonce: bigint; label?: bigint; node?: Hex; strayBit?: bigint }) => {
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
    return chain.send({
      from: node,
      to: addressOf(settlement),
      data: encodeFunctionData({
        abi: inferenceSettlementAbi,
        functionName: "settleZkml",
        args: [event, words, proof, "0x"],
      }),
    });
  };

  await chain.send({
    to: addressOf(registry),
    data: encodeFunctionData({
      abi: modelRegistryAbi,
      functionName: "registerModel",
      args: ["digits"],
    }),
  });
  return { creations, modelId, versionId, publish, deprecate, settle };
}

export type Contracts = Awaited<ReturnType<typeof deployContracts>>;
