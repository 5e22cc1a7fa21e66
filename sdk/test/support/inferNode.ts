import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { contextOf, hashResult, settlementDomain } from "@haca/protocol/inferenceResult";
import { packWords, type TensorLayout } from "@haca/protocol/packedWords";
import { encodeRequestId } from "@haca/protocol/requestId";
import { concat, id, keccak256, Wallet, ZeroAddress } from "ethers";
import {
  makeProof,
  makeTrapdoor,
  makeVerifyingKey,
} from "../../../test/contracts/utils/groth16Simulator.ts";
import { scalarsFrom } from "../../../test/contracts/utils/randomScalars.ts";
import { receiptView } from "../../../worker/src/api/views.ts";
import { type NewJob, resultOf } from "../../../worker/src/jobs/job.ts";
import { versionIdOf } from "../../src/chain/registeredModel.ts";
import { HONEST, REGISTRY } from "./chains.ts";
import { type Contracts, SETTLEMENT } from "./fakeChain.ts";

/** A model of four numbers, and a node that answers by it and proves by its key's trapdoor. */

export const OWNER = `0x${"a1".repeat(20)}`;
export const VERSION = versionIdOf({ owner: OWNER, slug: "four", major: 1, minor: 2 });
export const INPUT_LAYOUT: TensorLayout = {
  ...{ count: 4, bits: 8, isSigned: true, scaleExponent: -1 },
};
export const OUTPUT_LAYOUT: readonly TensorLayout[] = [
  { count: 3, bits: 16, isSigned: true, scaleExponent: -4 },
  { count: 1, bits: 2, isSigned: false, scaleExponent: 0 },
];
export const INPUT = [0.5, [-1, 2.25], 3] as const;
const INTEGERS = [1n, -2n, 5n, 6n];
export const INPUT_WORDS = packWords({ layouts: [INPUT_LAYOUT], integers: INTEGERS });
const OUTPUTS = [-16n, 32n, 8n, 1n];
/** What these outputs are as numbers. */
export const ANSWER = [[-1, 2, 0.5], [1]];

const random = scalarsFrom("a model of four numbers");
const trapdoor = makeTrapdoor({ signalCount: 3, random });
export const VERIFYING_KEY = makeVerifyingKey(trapdoor);
export const PINNED_MODEL = {
  ...{ version: VERSION, verifyingKeyHash: keccak256(VERIFYING_KEY), inputWords: 1 },
};
const otherTrapdoor = makeTrapdoor({ signalCount: 3, random });
const node = new Wallet(id("a node of a test"));
const domain = settlementDomain({ chainId: 31337n, settlement: SETTLEMENT });

export const CS_HASH = concat([id("circuit"), id("powers of tau")]);
const view = {
  ...{ modelId: id("model"), major: 1, minor: 2, status: 1, publishedAt: 1, deprecatedAt: 0 },
  ...{ modelHash: id("file"), blobId: id("blob"), circuitHash: id("circuit") },
  ...{ csHash: CS_HASH, transcriptHash: id("transcript") },
  ...{ inputMode: 0, inputWords: 1, outputWords: 1 },
  ...{ inputLayout: [INPUT_LAYOUT], outputLayout: OUTPUT_LAYOUT },
};

/** The chain's contracts as they have this model. */
export const WITH_MODEL: Contracts = {
  ...HONEST,
  settlementData: (version) =>
    version === VERSION ? [1, REGISTRY, 1, 1, 0] : [0, ZeroAddress, 0, 0, 0],
  getVersion: () => [view],
  getModel: () => [{ owner: OWNER, slug: "four", createdAt: 1, versionCount: 2 }],
  getVerifyingKey: () => [VERIFYING_KEY],
};

/** The same, but for its input word, which is a commitment. */
export const WITH_HIDING_MODEL: Contracts = {
  ...WITH_MODEL,
  getVersion: () => [{ ...view, inputMode: 1 }],
};

/** Where a node lies, and how. */
export type Lies = {
  /** signed by it */
  job?: Partial<NewJob>;
  domain?: typeof domain;
  /** what it shows in place of the signed receipt's fields */
  receipt?: object;
  /** what it shows beside the receipt */
  beside?: object;
  /** what is proved in place of the job, and by whom */
  proof?: Partial<NewJob> | string;
  hasOtherKey?: boolean;
  /** what it says of the request when it is asked how it stands */
  status?: object;
  /** the page that it shows; none if left out */
  page?: object;
  /** in place of all of it */
  answer?: (request: IncomingMessage, response: ServerResponse) => void;
};

export type InferNode = { url: string; asked: unknown[]; close: () => void };

/** A worker's HTTP, in this process: the proof is there when it is asked for a second time. */
export async function serveInferNode(lies: Lies = {}): Promise<InferNode> {
  const asked: unknown[] = [];
  let [job, looks] = [jobOf(ZeroAddress, lies), 0];
  const server = createServer(async (request, response) => {
    if (lies.answer !== undefined) return lies.answer(request, response);
    let body = "";
    for await (const chunk of request) body += chunk;
    response.setHeader("content-type", "application/json");
    if (request.method === "POST") {
      const { requester, ...rest } = JSON.parse(body);
      asked.push({ requester, ...rest });
      job = jobOf(requester, lies);
      const receipt = { ...receiptView({ job, domain: lies.domain ?? domain }), ...lies.receipt };
      return response.end(JSON.stringify({ requestId: job.requestId, receipt, ...lies.beside }));
    }
    asked.push(request.url);
    if (request.url?.endsWith("/page")) {
      return response.writeHead(lies.page ? 200 : 404).end(JSON.stringify(lies.page ?? {}));
    }
    looks += 1;
    const proof = looks > 1 ? proofOf(job, lies) : null;
    const state = proof === null ? "accepted" : "proven";
    return response.end(JSON.stringify({ state, failure: null, proof, ...lies.status }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${port}`, asked, close };
}

function jobOf(requester: string, lies: Lies): NewJob {
  const unsigned: NewJob = {
    requestId: encodeRequestId({ node: node.address, nonce: 7n }),
    ...{ nonce: 7n, model: "four", version: "1.2", versionId: VERSION, requester, price: 0n },
    timestamp: BigInt(Math.floor(Date.now() / 1000)),
    inputWords: INPUT_WORDS,
    outputWords: packWords({ layouts: OUTPUT_LAYOUT, integers: OUTPUTS }),
    signature: "",
    ...lies.job,
  };
  const digest = hashResult({ domain: lies.domain ?? domain, result: resultOf(unsigned) });
  return { ...unsigned, signature: node.signingKey.sign(digest).serialized };
}

function proofOf(job: NewJob, { hasOtherKey, proof }: Lies): string {
  if (typeof proof === "string") return proof;
  const proved = { ...job, ...proof };
  const context = contextOf({ domain, result: resultOf(proved) });
  const signals = [...proved.inputWords, ...proved.outputWords, context];
  const made = makeProof({
    ...{ trapdoor: hasOtherKey ? otherTrapdoor : trapdoor, signals },
    ...{ a: random(), b: random() },
  });
  return made;
}
