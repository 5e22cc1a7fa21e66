import { keccakText } from "../bytes.ts";
import { isActive, teeRegistryOf, wasInService } from "../chain/contractReads.ts";
import type { Chain, openChain } from "../chain/openChain.ts";
import { asked, guarded, opened, wordsOf } from "../checks/judged.ts";
import { checkAttestation } from "../checks/ofEvidence.ts";
import { checkHash, checkKey, checkTime, ofSignature } from "../checks/ofMessage.ts";
import { type Check, type Line, lineOf } from "../line.ts";
import type { Pins } from "../pins.ts";
import { isSignedByKey } from "../signatures.ts";
import {
  type LegacyCore,
  type LegacyReceipt,
  legacyDigest,
  parseLegacyReceipt,
  readLegacyReceipt,
  type Source,
} from "./legacyReceipt.ts";

type Known = { pins?: Pins; rpcs?: readonly string[] };

const NOT_NAMED = "what is signed in the profile legacy names";
const COVERED =
  "signed are the hashes of request and answer, and the time. Of the request: model's name, messages, temperature, max_tokens, " +
  "stop, tools, response_format. Of the answer: its text, or its tool calls. Not covered are chain, contract, request, price and payer; " +
  "the model's version; other parameters; the bytes of attachments; finish_reason, usage and whatever else stands in the answer";

/** The lines of a receipt of the profile `legacy`: those of others, where it has them, and what its signature does not cover. */
export async function verifyLegacy(
  source: Source,
  options: Known & { now: bigint; model?: string },
  open: typeof openChain,
): Promise<readonly Line[]> {
  const { model, now, pins = {} } = options;
  let receipt: LegacyReceipt;
  try {
    const isWritten = typeof source === "string" || source instanceof Uint8Array;
    receipt = isWritten ? parseLegacyReceipt(source) : readLegacyReceipt(source);
  } catch (error) {
    return [lineOf("form", "refuted", wordsOf(error))];
  }
  const { core, evidence } = receipt;
  const { inputHash, outputHash } = core.message;
  const lines = [lineOf("form", "asserted", "a receipt of the form haca-legacy-receipt/1")];
  const judge = async (check: Check, look: () => Line | Promise<Line>): Promise<void> =>
    void lines.push(await guarded(check, look));

  lines.push(lineOf("contract", "unknown", `${NOT_NAMED} neither chain nor contract`));
  await judge("time", () => checkTime(core, now));
  lines.push(
    lineOf("request", "unknown", `${NOT_NAMED} no request: it answers each that is the same`),
    model === undefined
      ? lineOf("model", "unknown", `${NOT_NAMED} no version of a model`)
      : lineOf("model", "refuted", `${NOT_NAMED} no version of a model, and not ${model}`),
    lineOf("coverage", "asserted", COVERED),
  );
  const hashed = (content: LegacyCore["input"]): string =>
    content === null ? "" : keccakText(content.text);
  await judge("input", () => checkHash("input", core.input, hashed(core.input), inputHash));
  await judge("output", () => checkHash("output", core.output, hashed(core.output), outputHash));
  await judge("key", () => checkKey(core));
  await judge("signature", async () => {
    const { key, signature } = core;
    const isSigned = await isSignedByKey({ key, message: legacyDigest(core), signature });
    return ofSignature(isSigned, "the enclave's key");
  });
  await judge("attestation", () => checkAttestation({ core, documents: evidence }, { pins, now }));
  const registry = await openRegistry(options, open);
  const { teeId, timestamp } = core.message;
  lines.push(
    await askRegistry("validWhenAnswered", registry, async (chain, contract) => {
      const time = BigInt(timestamp) < chain.block.time ? BigInt(timestamp) : chain.block.time;
      return (await wasInService(chain, contract, { teeId, time }))
        ? ["asserted", "the enclave was in service"]
        : ["refuted", "the enclave was not in service, or is excluded now"];
    }),
    await askRegistry("inGoodStanding", registry, async (chain, contract) =>
      (await isActive(chain, contract, teeId))
        ? ["asserted", "the enclave is active"]
        : ["refuted", "the enclave is not active"],
    ),
    lineOf("settled", "unknown", `${NOT_NAMED} no chain on which it could be settled`),
  );
  return lines;
}

type Registry = { chain: Chain; settlement: string };

/** The chain of the one settlement that is pinned, or why none is asked: the receipt names none. */
async function openRegistry(
  { pins = {}, rpcs = [] }: Known,
  open: typeof openChain,
): Promise<Registry | string> {
  if (rpcs.length === 0) return "no RPC was given";
  const [only, another] = pins.settlements ?? [];
  if (only === undefined) return "no settlement is pinned whose registry could be asked";
  if (another !== undefined) return "several settlements are pinned, and the receipt names none";
  const chain = await opened(open, { rpcs, chainId: only.chainId });
  return typeof chain === "string" ? chain : { chain, settlement: only.settlement };
}

const askRegistry = (
  check: Check,
  registry: Registry | string,
  look: (chain: Chain, contract: string) => Promise<["asserted" | "refuted", string]>,
): Promise<Line> =>
  asked(check, typeof registry === "string" ? registry : registry.chain, async (chain) => {
    const { settlement = "" } = typeof registry === "string" ? {} : registry;
    const said = await look(chain, await teeRegistryOf(chain, settlement));
    return lineOf(check, ...said, { source: chain.source, asOf: chain.asOf });
  });
