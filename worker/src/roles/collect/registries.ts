import { teeRegistryAbi } from "@haca/protocol/abi";
import { computeAddress, getAddress, Interface } from "ethers";
import { callMany, type ViewCall } from "../../chain/callMany.ts";
import { type Chain, callView, settlementInterface } from "../../chain/chain.ts";
import { answerOf, type Revert } from "../../chain/rpcErrors.ts";
import { RefusedResultError, RetryableError, StartError } from "../../errors.ts";
import { RecentVerdicts, type ResultKind, type SessionTerm } from "./recentVerdicts.ts";
import { refuseResult, type SignedResult, type VersionName } from "./signedResult.ts";

const enclaves = new Interface(teeRegistryAbi);

/** A result that the contract is to judge; a kind, where a session key can have signed it. */
type Unsure = { result: SignedResult; kind: ResultKind | undefined };

/** What the contract's refusals are about, where they are not about the result as a whole. */
const FIELDS: Readonly<Record<string, string>> = {
  InferenceSettlement_AlreadySettled: "message.requestId",
  InferenceSettlement_WrongNode: "message.requestId",
  InferenceSettlement_ResultFromFuture: "message.timestamp",
  InferenceSettlement_ResultExpired: "message.timestamp",
  InferenceSettlement_VersionUnknown: "message.modelVersion",
  InferenceSettlement_VersionDeprecated: "message.modelVersion",
  InferenceSettlement_NotInService: "message.teeId",
  InferenceSettlement_EnclaveSignatureInvalid: "signature",
};

/**
 * What the chain says of results. Kept is what can never change, who operates an enclave and what a version is called; and for
 * seconds what was found of session keys.
 */
export class Registries {
  readonly #chain: Chain;
  readonly #registry: string;
  readonly #operators: ReadonlySet<string>;
  /** operators of enclaves, where they are among those that are served */
  readonly #served = new Map<string, string>();
  readonly #names = new Map<string, VersionName>();
  readonly #verdicts: RecentVerdicts;
  readonly #renewing = new Set<string>();

  private constructor(parameters: {
    chain: Chain;
    registry: string;
    operators: ReadonlySet<string>;
    verdicts: RecentVerdicts;
  }) {
    this.#chain = parameters.chain;
    this.#registry = parameters.registry;
    this.#operators = parameters.operators;
    this.#verdicts = parameters.verdicts;
  }

  /** @throws StartError where the settlement knows no enclaves; RetryableError where the endpoint does not answer */
  static async open(parameters: {
    chain: Chain;
    /** whose enclaves' results are taken; checksummed addresses */
    operators: readonly string[];
    verdicts?: RecentVerdicts;
  }): Promise<Registries> {
    const { chain, operators, verdicts = new RecentVerdicts(parameters.chain.domain) } = parameters;
    const contract = "settlement";
    const [registry] = await callView({ chain, contract, name: "teeRegistry", values: [] });
    if (BigInt(String(registry)) === 0n) {
      throw new StartError({
        code: "collect.noTEERegistry",
        message: `HACA_ADDRESS_BOOK: InferenceSettlement at ${chain.settlement} knows no TEE registry: no enclave's result can be settled`,
      });
    }
    return new Registries({
      ...{ chain, verdicts, registry: getAddress(String(registry)) },
      operators: new Set(operators),
    });
  }

  /** Whoever else's enclaves these are: this account pays for those of its operators only. @throws RefusedResultError */
  async #requireOperators(results: readonly SignedResult[]): Promise<void> {
    const asked = new Map(results.map((result) => [result.message.teeId, result]));
    const strangers = [...asked].filter(([teeId]) => !this.#served.has(teeId));
    const answers = await this.#call(
      strangers.map(([teeId]) => ({
        to: this.#registry,
        data: enclaves.encodeFunctionData("nodeOf", [teeId]),
      })),
    );
    for (const [index, [teeId, result]] of strangers.entries()) {
      const answer = answers[index];
      if (typeof answer !== "string") {
        refuseResult(
          result,
          "unknownEnclave",
          "message.teeId",
          "is no enclave of the TEE registry",
        );
      }
      const [node] = enclaves.decodeFunctionResult("nodeOf", answer) as unknown as [
        { operator: string },
      ];
      const operator = getAddress(node.operator);
      if (!this.#operators.has(operator)) {
        const reason = `is an enclave of ${operator}, whose results are not settled here`;
        refuseResult(result, "otherOperator", "message.teeId", reason);
      }
      this.#served.set(teeId, operator);
    }
  }

  /** Who operates an enclave that `requireGood` has let pass. */
  operatorOf = ({ message }: SignedResult): string | undefined => this.#served.get(message.teeId);

  /**
   * The contract's own word, in one question for each: it settles these now, as far as they are concerned; and they are of
   * enclaves whose results are settled here. Where it has said so of another one of their kind a moment ago, that is its word.
   * @throws RefusedResultError
   */
  async requireGood(results: readonly SignedResult[]): Promise<void> {
    await this.#requireOperators(results);
    const unsure: Unsure[] = [];
    for (const result of results) {
      const kind = this.#verdicts.kindOf(result);
      if (kind === undefined || !this.#verdicts.covers(kind, result.message.timestamp)) {
        unsure.push({ result, kind });
      } else if (this.#verdicts.isAging(kind)) {
        void this.#renew({ result, kind });
      }
    }
    await this.#ask(unsure);
  }

  /** Asks about a kind anew, once at a time, while nobody waits for it. */
  async #renew({ kind, result }: Unsure & { kind: ResultKind }): Promise<void> {
    if (this.#renewing.has(kind.key)) return;
    this.#renewing.add(kind.key);
    try {
      await this.#ask([{ result, kind }]);
    } catch (error) {
      // Whoever comes next is told it; of an endpoint that is away, once the verdict is old.
      if (error instanceof RefusedResultError) this.#verdicts.forget(kind);
    } finally {
      this.#renewing.delete(kind.key);
    }
  }

  /** Asks about each, and besides for the terms of session keys. @throws RefusedResultError */
  async #ask(unsure: readonly Unsure[]): Promise<void> {
    // Of one kind the youngest speaks for those that come next.
    const youngest = new Map<string, Unsure & { kind: ResultKind }>();
    for (const { kind, result } of unsure) {
      if (kind === undefined) continue;
      const other = youngest.get(kind.key)?.result.message.timestamp ?? -1n;
      if (result.message.timestamp > other) youngest.set(kind.key, { kind, result });
    }
    const askedAt = this.#verdicts.now();
    const answers = await this.#call([
      ...unsure.map(({ result: { message, signature } }) => ({
        to: this.#chain.settlement,
        data: settlementInterface.encodeFunctionData("settleTee", [message, signature]),
      })),
      ...[...youngest.values()].map(({ kind, result: { message } }) => ({
        to: this.#registry,
        data: enclaves.encodeFunctionData("sessionKey", [
          message.teeId,
          computeAddress(kind.sessionKey),
        ]),
      })),
    ]);
    for (const [index, { result }] of unsure.entries()) {
      const answer = answers[index];
      if (typeof answer !== "string") refuseBy(result, answer);
    }
    const terms = answers.slice(unsure.length);
    for (const [index, { kind, result }] of [...youngest.values()].entries()) {
      const term = termIn(terms[index]);
      const { timestamp } = result.message;
      if (term !== undefined) this.#verdicts.keep(kind, { askedAt, timestamp, term });
    }
  }

  /** What the result's version is called: model and number. */
  async nameOf({ message }: SignedResult): Promise<VersionName> {
    const { modelVersion } = message;
    const known = this.#names.get(modelVersion);
    if (known !== undefined) return known;
    const read = async (name: string, value: string): Promise<unknown> => {
      const view = { chain: this.#chain, contract: "modelRegistry", name } as const;
      return (await answerOf(callView({ ...view, values: [value] })))[0];
    };
    const version = (await read("getVersion", modelVersion)) as {
      modelId: string;
      major: bigint;
      minor: bigint;
    };
    const { slug } = (await read("getModel", version.modelId)) as { slug: string };
    const found = { model: slug, version: `${version.major}.${version.minor}` };
    this.#names.set(modelVersion, found);
    return found;
  }

  /** An endpoint that lacks the contract's state agrees to everything: the first question shows that it does not. */
  async #call(calls: readonly ViewCall[]): Promise<(string | Revert | undefined)[]> {
    if (calls.length === 0) return [];
    const { provider, settlement } = this.#chain;
    const data = settlementInterface.encodeFunctionData("teeRegistry");
    const [registry, ...answers] = await callMany({
      provider,
      calls: [{ to: settlement, data }, ...calls],
    });
    const expected = this.#registry.slice(2).toLowerCase();
    if (typeof registry === "string" && registry.endsWith(expected)) return answers;
    throw new RetryableError({
      code: "rpc.emptyAnswer",
      message: "HACA_RPC_URL: the endpoint lacks the state of the settlement contract",
    });
  }
}

/** A session key's term; undefined where the endpoint did not say it, which is no reason to refuse a result. */
function termIn(answer: string | Revert | undefined): SessionTerm | undefined {
  if (typeof answer !== "string") return undefined;
  try {
    return enclaves.decodeFunctionResult("sessionKey", answer)[0] as SessionTerm;
  } catch {
    return undefined;
  }
}

/** The contract's refusal, in the words of whoever sent the result. */
function refuseBy(result: SignedResult, revert: Revert | undefined): never {
  const name = revert?.name ?? "unknown";
  const short = name.slice(name.indexOf("_") + 1);
  const code = `${short.slice(0, 1).toLowerCase()}${short.slice(1)}`;
  refuseResult(result, code, FIELDS[name] ?? "message", revert?.message ?? "refused");
}
