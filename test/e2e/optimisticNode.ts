import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readAddressBook } from "@haca/protocol/addressBook";
import { blobIdToWord } from "@haca/protocol/blobs/blobId";
import { checkPage, encodePageBlob } from "@haca/protocol/blobs/pageBlob";
import {
  contextOf,
  hashResult,
  hashWords,
  type InferenceResult,
  settlementDomain,
} from "@haca/protocol/inferenceResult";
import { computeModelId, computeVersionId } from "@haca/protocol/modelIds";
import { OPTIMISTIC } from "@haca/protocol/pageSettlement";
import { encodeRequestId, ledgerPageOf } from "@haca/protocol/requestId";
import {
  concat,
  dataSlice,
  type Interface,
  id,
  type JsonRpcProvider,
  toBeHex,
  Wallet,
  ZeroAddress,
  ZeroHash,
} from "ethers";
import { CHAIN_ID, developmentKey } from "../../scripts/demo/localChain.ts";
import { contractAt } from "../../scripts/lib/contracts.ts";
import {
  makeProof,
  makeTrapdoor,
  makeVerifyingKey,
  type Trapdoor,
} from "../contracts/utils/groth16Simulator.ts";
import { scalarsFrom } from "../contracts/utils/randomScalars.ts";
import { BOOK } from "./localDeployment.ts";

const SLUG = "optimistic";
const INPUT_WORDS = 2;
const OUTPUT_WORDS = 1;
/** A word for each element. */
const layoutOf = (count: number) => [{ count, bits: 248, isSigned: false, scaleExponent: 0 }];

type Inference = { result: InferenceResult; words: bigint[]; proof: string };

/** A node without an enclave, with a version that it can prove by a trapdoor in place of a proving key. */
export class OptimisticNode {
  readonly #folder = mkdtempSync(join(tmpdir(), "haca-optimistic-"));
  readonly #provider: JsonRpcProvider;
  readonly #wallet: Wallet;
  readonly #trapdoor: Trapdoor;
  readonly #versionId: string;

  private constructor(parameters: {
    provider: JsonRpcProvider;
    wallet: Wallet;
    trapdoor: Trapdoor;
    versionId: string;
  }) {
    this.#provider = parameters.provider;
    this.#wallet = parameters.wallet;
    this.#trapdoor = parameters.trapdoor;
    this.#versionId = parameters.versionId;
  }

  /** Publishes the version. */
  static async start(parameters: {
    provider: JsonRpcProvider;
    /** number of the development account */
    signer: string;
  }): Promise<OptimisticNode> {
    const { provider } = parameters;
    const wallet = new Wallet(developmentKey(Number(parameters.signer)), provider);
    const trapdoor = makeTrapdoor({
      signalCount: INPUT_WORDS + OUTPUT_WORDS + 1,
      random: scalarsFrom(SLUG),
    });
    const models = contractAt({
      name: "ModelRegistry",
      address: addressOf("ModelRegistry"),
      runner: await provider.getSigner(wallet.address),
    });
    const modelId = computeModelId({ owner: wallet.address, slug: SLUG });
    await (await models.registerModel(SLUG)).wait();
    const published = await models.publishVersion(modelId, {
      ...{
        major: 1,
        minor: 0,
        modelHash: id("model"),
        blobId: ZeroHash,
        circuitHash: id("circuit"),
      },
      ...{ csHash: "0x", transcriptHash: ZeroHash },
      verifyingKey: makeVerifyingKey(trapdoor),
      inputMode: 0,
      inputLayout: layoutOf(INPUT_WORDS),
      outputLayout: layoutOf(OUTPUT_WORDS),
    });
    await published.wait();
    const versionId = computeVersionId({ modelId, major: 1, minor: 0 });
    return new OptimisticNode({ provider, wallet, trapdoor, versionId });
  }

  /** Settles a result by its proof. Returns its request. */
  async settle({ nonce, price }: { nonce: bigint; price: bigint }): Promise<string> {
    const { result, words, proof } = await this.#infer(nonce, { price });
    const settlement = contractAt({
      name: "InferenceSettlement",
      address: addressOf("InferenceSettlement"),
      runner: await this.#provider.getSigner(this.#wallet.address),
    });
    await (await settlement.settleZkml(result, words, proof, "0x")).wait();
    return result.requestId;
  }

  /** Proposes results at places of the node's page 0, its blob with words. Returns its id, and proofs as snarkjs writes them. */
  async propose(parameters: {
    places: readonly number[];
    /** address of the blob store */
    store: string;
  }): Promise<{ id: string; files: (index: number) => [string, string] }> {
    const { places, store } = parameters;
    const made = new Map<number, Inference>();
    for (const index of places) made.set(index, await this.#infer(BigInt(index)));
    const results = [...made].map(([index, { result, words }]) => {
      const { requestId: _, ...rest } = result;
      const digest = hashResult({ domain: domainNow(), result });
      const signature = this.#wallet.signingKey.sign(digest).serialized;
      return { ...rest, index, signature, words: concat(words.map((one) => toBeHex(one, 32))) };
    });
    const node = this.#wallet.address.toLowerCase();
    const content = { node, page: 0n, results };
    const { root, bitmap } = checkPage({ page: content, domain: domainNow() });
    const stored = await fetch(`${store}/v1/blobs?epochs=1`, {
      ...{ method: "PUT", body: encodePageBlob(content) },
    });
    const { newlyCreated } = (await stored.json()) as {
      newlyCreated: { blobObject: { blobId: string } };
    };
    const contract = contractAt({
      name: "PageSettlement",
      address: addressOf("PageSettlement"),
      runner: await this.#provider.getSigner(this.#wallet.address),
    });
    const proposal = {
      ...{ kind: OPTIMISTIC, teeId: ZeroHash, root, bitmap, fee: 0n, deadline: 0n },
      ledgerPage: ledgerPageOf({ node, index: 0n }),
      blobId: blobIdToWord(newlyCreated.blobObject.blobId),
    };
    const receipt = await (await contract.proposePage(proposal, "0x")).wait();
    const abi = contract.interface as unknown as Interface;
    const found = (receipt?.logs ?? [])
      .map((log) => abi.parseLog(log))
      .find((log) => log?.name === "PageProposed");
    return {
      id: String(found?.args.pageId),
      files: (index) => this.#write(index, made.get(index)),
    };
  }

  async #infer(nonce: bigint, overrides: Partial<InferenceResult> = {}): Promise<Inference> {
    const block = await this.#provider.getBlock("latest");
    const random = scalarsFrom(`${SLUG} ${nonce}`);
    const words = Array.from({ length: INPUT_WORDS + OUTPUT_WORDS }, () => random() >> 8n);
    const result: InferenceResult = {
      modelVersion: this.#versionId,
      inputHash: hashWords(words.slice(0, INPUT_WORDS)),
      outputHash: hashWords(words.slice(INPUT_WORDS)),
      requester: ZeroAddress,
      requestId: encodeRequestId({ node: this.#wallet.address, nonce }),
      ...{ price: 0n, timestamp: BigInt(block?.timestamp ?? 0) - 1n, teeId: ZeroHash },
      ...overrides,
    };
    const signals = [...words, contextOf({ domain: domainNow(), result })];
    const proof = makeProof({ trapdoor: this.#trapdoor, signals, a: random(), b: random() });
    return { result, words, proof };
  }

  /** `proof.json` and `public.json` of a result. */
  #write(index: number, inference: Inference | undefined): [string, string] {
    if (inference === undefined) throw new Error(`no result at ${index}`);
    const { proof, result, words } = inference;
    const number = (place: number): string =>
      BigInt(dataSlice(proof, 32 * place, 32 * place + 32)).toString();
    const json = {
      pi_a: [number(0), number(1), "1"],
      pi_b: [
        [number(3), number(2)],
        [number(5), number(4)],
        ["1", "0"],
      ],
      pi_c: [number(6), number(7), "1"],
    };
    const signals = [...words, contextOf({ domain: domainNow(), result })].map(String);
    const names = [`proof${index}.json`, `public${index}.json`] as const;
    const [proofFile, signalsFile] = names.map((name) => join(this.#folder, name));
    writeFileSync(proofFile as string, JSON.stringify(json));
    writeFileSync(signalsFile as string, JSON.stringify(signals));
    return [proofFile as string, signalsFile as string];
  }
}

const addressOf = (name: string): string =>
  readAddressBook(BOOK).contracts[name as "InferenceSettlement"]?.address ?? "";

const domainNow = () =>
  settlementDomain({ chainId: BigInt(CHAIN_ID), settlement: addressOf("InferenceSettlement") });
