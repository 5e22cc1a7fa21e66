import { teeRegistryAbi } from "@haca/protocol/abi";
import { hashResult } from "@haca/protocol/inferenceResult";
import type { PageLeaf } from "@haca/protocol/pageSettlement";
import { recoverSigner } from "@haca/protocol/verdicts/signatures";
import type { EnclaveState, SessionState } from "@haca/protocol/verdicts/verdict";
import { Interface } from "ethers";
import { callMany } from "../chain/callMany.ts";
import type { Chain } from "../chain/chain.ts";
import { RetryableError } from "../errors.ts";

const registry = new Interface(teeRegistryAbi);
const NODE_UNKNOWN = "TEERegistry_NodeUnknown";

/** Keys of enclaves, as the registry has them. An enclave's own key never changes, and is kept. */
export class KeyRing {
  readonly #chain: Chain;
  readonly #registry: string;
  readonly #signingKeys = new Map<string, string>();

  constructor(parameters: { chain: Chain; registry: string }) {
    this.#chain = parameters.chain;
    this.#registry = parameters.registry;
  }

  /**
   * The keys that an enclave's leaves can be signed with, as far as these leaves need them: its own and the session keys
   * that made signatures of theirs. When it was in service is not looked at. Undefined where there is no such enclave.
   */
  async enclaveOf(parameters: {
    teeId: string;
    leaves: readonly PageLeaf[];
  }): Promise<EnclaveState | undefined> {
    const { leaves, teeId } = parameters;
    const signingKey = await this.#signingKeyOf(teeId);
    if (signingKey === undefined) return undefined;
    const { domain } = this.#chain;
    const signers = new Set(
      leaves.flatMap(({ result, signature }) => {
        const digest = hashResult({ domain, result });
        return recoverSigner({ digest, signature }) ?? [];
      }),
    );
    const sessions = await this.#sessionsOf(teeId, [...signers]);
    return { signingKey, sessions, service: [{ from: 0n }] };
  }

  async #signingKeyOf(teeId: string): Promise<string | undefined> {
    const known = this.#signingKeys.get(teeId);
    if (known !== undefined) return known;
    const [answer] = await this.#ask("getTEE", [[teeId]]);
    if (answer === undefined) return undefined;
    const [{ publicKey }] = registry.decodeFunctionResult("getTEE", answer) as unknown as [
      { publicKey: string },
    ];
    this.#signingKeys.set(teeId, publicKey);
    return publicKey;
  }

  async #sessionsOf(teeId: string, keys: readonly string[]): Promise<Map<string, SessionState>> {
    const sessions = new Map<string, SessionState>();
    const answers = await this.#ask(
      "sessionKey",
      keys.map((key) => [teeId, key]),
    );
    for (const [place, key] of keys.entries()) {
      const answer = answers[place];
      if (answer === undefined) continue;
      const [session] = registry.decodeFunctionResult("sessionKey", answer) as unknown as [
        SessionState,
      ];
      const { from, signsResults, until } = session;
      if (until > 0n) sessions.set(key, { from, until, signsResults });
    }
    return sessions;
  }

  /** Answers of a view; undefined where the registry knows no such enclave. */
  async #ask(name: string, values: readonly unknown[][]): Promise<(string | undefined)[]> {
    const answers = await callMany({
      provider: this.#chain.provider,
      calls: values.map((one) => ({
        to: this.#registry,
        data: registry.encodeFunctionData(name, one),
      })),
    });
    return answers.map((answer) => {
      if (typeof answer === "string" && answer !== "0x") return answer;
      if (typeof answer === "object" && answer.message.includes(nodeUnknown)) return undefined;
      const words = typeof answer === "object" ? answer.message : "nothing";
      throw new RetryableError({
        code: "rpc.emptyAnswer",
        message: `HACA_RPC_URL: asked for ${name} of an enclave, the endpoint answers ${words}`,
      });
    });
  }
}

/** The registry's errors are decoded by nobody else here. */
const nodeUnknown = registry.getError(NODE_UNKNOWN)?.selector ?? NODE_UNKNOWN;
