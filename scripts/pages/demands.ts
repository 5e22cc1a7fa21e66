/** Optimistic pages: which versions are open to them, and proofs that are demanded. */
import { readFile } from "node:fs/promises";
import { inferenceSettlementAbi } from "@haca/protocol/abi";
import { BaseError } from "@haca/protocol/baseError";
import { wordsOf } from "@haca/protocol/blobs/pageBlob";
import { encodeProof, type Groth16ProofJson } from "@haca/protocol/groth16";
import {
  contextOf,
  hashResult,
  hashWords,
  type InferenceResult,
  settlementDomain,
} from "@haca/protocol/inferenceResult";
import { MAXIMUM_DEMANDS, OPTIMISTIC } from "@haca/protocol/pageSettlement";
import { AbiCoder, Interface, isHexString, keccak256, ZeroAddress, ZeroHash } from "ethers";
import { addressOf, type ChainSession, withChainSession } from "../lib/chainSession.ts";
import { readAllLogs } from "../lib/readAllLogs.ts";
import { sendCall } from "../lib/sendCall.ts";
import { isoTime, opg } from "../lib/words.ts";
import {
  chainTime,
  type PageContext,
  placeArgument,
  readContent,
  refuse,
  resultAt,
  stateInWords,
  withPage,
} from "./page.ts";

type Options = { network: string; account: string; page: string; yes?: boolean };

const settlementInterface = new Interface(inferenceSettlementAbi);
const ZKML = 1n;

/** Opens a version to optimistic pages by a result of it. Errors: `pages.badRequest`, `pages.refused`. */
export function admitVersion(options: {
  network: string;
  account: string;
  request: string;
  yes?: boolean;
}): Promise<void> {
  const { network, request } = options;
  if (!isHexString(request, 32)) {
    throw new BaseError({
      code: "pages.badRequest",
      message: `request must be 0x and 64 hex digits, got ${JSON.stringify(request)}`,
    });
  }
  return withChainSession(network, async (session) => {
    const result = await findSettled({ session, request });
    const { modelVersion, price } = result;
    const pages = await session.contract("PageSettlement");
    const since = await pages.admittedAt(modelVersion);
    if (since !== 0n) {
      throw refuse(`version ${modelVersion} is open to optimistic pages since ${isoTime(since)}`);
    }
    const settlement = await session.contract("InferenceSettlement");
    const kept = keccak256(
      AbiCoder.defaultAbiCoder().encode(
        ["uint8", "bytes32"],
        [ZKML, hashResult({ domain: domainOf(session), result })],
      ),
    );
    if ((await settlement.digestOf(request)) !== kept) {
      throw refuse(
        price === 0n
          ? "the result has no price, and the settlement keeps nothing of it: another one"
          : "the result was not settled by a proof",
      );
    }
    const signer = await session.signer(options.account);
    console.log(`change       version ${modelVersion} is open to optimistic pages, for good`);
    const question = session.question("Open it?", options);
    await sendCall({ contract: pages, signer, name: "admitVersion", values: [result], question });
  });
}

/** Demands the proof of a result. Error: `pages.refused`. */
export function demandProof(options: Options & { index: string }): Promise<void> {
  return withPage(options, async (context) => {
    const { session, pages, page } = context;
    const index = placeArgument(options.index, page);
    requireOptimistic(context);
    const { state, words } = await stateInWords(context, page.id);
    if (state !== "Pending") throw refuse(`the page is ${words}`);
    if (((await pages.provedIn(page.id)) >> BigInt(index)) & 1n) {
      throw refuse(`the result at place ${index} was proved`);
    }
    const { requester } = await pages.demandOf(page.id, index);
    if (requester !== ZeroAddress) throw refuse(`${requester} has demanded that proof already`);
    const { open } = await pages.clockOf(page.id);
    if (open >= BigInt(MAXIMUM_DEMANDS)) {
      throw refuse(`${open} proofs of the page are demanded, and more are not taken at a time`);
    }
    const signer = await session.signer(options.account);
    const deposit = await pages.DEMAND_DEPOSIT();
    const { amount, openPages } = await pages.accountOf(signer.address);
    if (openPages > 0n) {
      throw refuse(`the account of ${signer.address} answers for ${openPages} open page(s)`);
    }
    if (amount < deposit) {
      throw refuse(
        `that takes ${opg(deposit)} and the account of ${signer.address} has ${opg(amount)}: npm run pages -- deposit`,
      );
    }
    console.log(
      `change       ${opg(deposit)} of ${signer.address} go to the proposer if the result is proved within a day; if not, they come back and the page can be rejected`,
    );
    const question = session.question(`Demand the proof of place ${index}?`, options);
    const values = [page.header, index] as const;
    await sendCall({ contract: pages, signer, name: "demandProof", values, question });
  });
}

/** Gives a proof, as snarkjs has written it. Errors: `pages.badFile`, `pages.refused`. */
export function proveLeaf(
  options: Options & { index: string; proof: string; signals: string },
): Promise<void> {
  return withPage(options, async (context) => {
    const { session, pages, page } = context;
    const index = placeArgument(options.index, page);
    requireOptimistic(context);
    const { state, words: became } = await stateInWords(context, page.id);
    const { requester, deadline } = await pages.demandOf(page.id, index);
    const isDemanded = requester !== ZeroAddress;
    if (state === "Final" || state === "Disproved") throw refuse(`the page is ${became}`);
    if (state === "Pending" && !isDemanded) throw refuse(`nobody demands the proof of ${index}`);
    if (state === "Pending" && (await chainTime(session)) > deadline) {
      throw refuse(`the proof was to be given until ${isoTime(deadline)}`);
    }
    const leaf = resultAt(await readContent(context), index);
    const words = await readWords({ session, result: leaf.result, file: options.signals });
    const proof = await readProof(options.proof);
    const signer = await session.signer(options.account);
    const { proposer } = page.header;
    const paid = opg(await pages.DEMAND_DEPOSIT());
    const pay = state === "Pending" ? `; ${paid} go to the account of ${proposer}` : "";
    console.log(
      `change       request ${leaf.result.requestId} is settled as ZKML, alone and for good${pay}`,
    );
    const question = session.question("Settle it?", options);
    const values = [page.header, leaf, words, proof] as const;
    await sendCall({ contract: pages, signer, name: "proveLeaf", values, question });
  });
}

/** Says what a page's blob has of the words of its results. */
export async function wordsInWords(context: PageContext): Promise<string> {
  const { results } = await readContent(context);
  const missing = results.filter((result) => wordsOf(result) === undefined).length;
  return missing === 0
    ? "of all results: the model can be run again"
    : `missing or wrong for ${missing} of ${results.length} results: only a proof shows what is true`;
}

function requireOptimistic({ page }: PageContext): void {
  if (page.header.kind !== OPTIMISTIC) {
    throw refuse("the page is of an enclave's results, of which nothing is proved");
  }
}

const domainOf = ({ book, chainId }: ChainSession) =>
  settlementDomain({
    chainId: BigInt(chainId),
    settlement: addressOf(book, "InferenceSettlement"),
  });

/** A result that was settled with a proof, from its event. Error: `pages.refused`. */
async function findSettled(parameters: {
  session: ChainSession;
  request: string;
}): Promise<InferenceResult> {
  const { request, session } = parameters;
  for (const name of ["InferenceSettled", "ZkmlBatchItemSettled"]) {
    const [log] = await readAllLogs({
      provider: session.provider,
      address: addressOf(session.book, "InferenceSettlement"),
      topics: [settlementInterface.getEvent(name)?.topicHash ?? "", request.toLowerCase()],
      fromBlock: 0,
    });
    const args = log === undefined ? undefined : settlementInterface.parseLog(log)?.args;
    if (args === undefined) continue;
    const { requestId, modelVersion, requester, inputHash, outputHash, price, timestamp } = args;
    const result = { requestId, modelVersion, requester, inputHash, outputHash, price, timestamp };
    return { ...result, teeId: args.toObject().teeId ?? ZeroHash };
  }
  throw refuse(`no request ${request} was settled on this chain`);
}

/** The words among the public signals of a proof. Errors: `pages.badFile`, `pages.refused`. */
async function readWords(parameters: {
  session: ChainSession;
  result: InferenceResult;
  file: string;
}): Promise<bigint[]> {
  const { file, result, session } = parameters;
  const signals = await readJson(file);
  if (!Array.isArray(signals) || !signals.every((one) => /^\d{1,77}$/.test(String(one)))) {
    throw badFile(file, "must be a list of decimal numbers, as snarkjs writes public.json");
  }
  const values = signals.map((one) => BigInt(String(one)));
  const words = values.slice(0, -1);
  const split = words.findIndex(
    (_, i) =>
      i > 0 &&
      hashWords(words.slice(0, i)) === result.inputHash &&
      hashWords(words.slice(i)) === result.outputHash,
  );
  if (split === -1) throw refuse(`${file} has other words than the result`);
  if (values.at(-1) !== contextOf({ domain: domainOf(session), result })) {
    throw refuse(`${file} is for another result than this one: its context differs`);
  }
  return words;
}

async function readProof(file: string): Promise<string> {
  const proof = (await readJson(file)) as Partial<Groth16ProofJson> | null;
  const points = [proof?.pi_a, proof?.pi_b, proof?.pi_c];
  if (!points.every(Array.isArray)) throw badFile(file, "is no proof.json of snarkjs");
  return encodeProof(proof as Groth16ProofJson);
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    throw badFile(file, error instanceof Error ? error.message : String(error));
  }
}

const badFile = (file: string, reason: string): BaseError =>
  new BaseError({ code: "pages.badFile", message: `${file}: ${reason}` });
