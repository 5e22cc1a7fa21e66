import { hashResult } from "@haca/protocol/inferenceResult";
import { recoverKey } from "@haca/protocol/secp256k1";
import type { TypedDataDomain } from "ethers";
import type { SignedResult } from "./signedResult.ts";

/** For how long a verdict is taken for that of others like it; a chain's block may take longer to show what has changed. */
export const FRESH_MS = 10_000;
/** Age from which it is asked for anew, while it still holds. */
const AGING_MS = FRESH_MS / 2;
/** Seconds between a result's time and this machine's for which the verdict on it says something of what is answered now. */
const NOW_SECONDS = 10;
/** By how much clocks that count whole seconds can differ over one length of time. */
const CLOCK_SLACK = 1n;
/** Of 65 bytes, as hex: longer and shorter ones are an attested key's. */
const SIGNATURE_LENGTH = 2 + 2 * 65;

/** A session key's term in the registry, in unix seconds. */
export type SessionTerm = { signsResults: boolean; from: bigint; until: bigint };

/** Enclave, session key and version: all that the contract's verdict depends on but for signature, time and request id. */
export type ResultKind = { key: string; sessionKey: string };

type Verdict = { askedAt: number; timestamp: bigint; until: bigint };

/** `elapsed`: milliseconds, of a clock that nobody sets; `wall`: of the time of day. */
type Clocks = { elapsed: () => number; wall: () => number };

/**
 * What the contract said lately of results of one session key and one version that were made just then. Another one that the key
 * has signed, and that is as young as the time since then allows, would be told the same, unless enclave, key or version have
 * changed in between; or its request is settled already, which is found when its turn comes. A node that answers all the time
 * would ask for each answer otherwise, and each answer would wait for the endpoint.
 */
export class RecentVerdicts {
  readonly #domain: TypedDataDomain;
  readonly #clocks: Clocks;
  readonly #verdicts = new Map<string, Verdict>();

  constructor(
    domain: TypedDataDomain,
    clocks: Clocks = { elapsed: () => performance.now(), wall: () => Date.now() },
  ) {
    this.#domain = domain;
    this.#clocks = clocks;
  }

  now = (): number => this.#clocks.elapsed();

  /** What a result is, where its signature has the form of a session key's. Of which key it is, the registry has to say. */
  kindOf({
    message,
    signature,
  }: Pick<SignedResult, "message" | "signature">): ResultKind | undefined {
    if (signature.length !== SIGNATURE_LENGTH) return undefined;
    const { modelVersion, teeId } = message;
    const digest = hashResult({ domain: this.#domain, result: message });
    const sessionKey = recoverKey(digest, signature);
    if (sessionKey === undefined) return undefined;
    return { sessionKey, key: `${teeId}${sessionKey}${modelVersion}`.toLowerCase() };
  }

  /** Whether one of this kind with this time was found good so lately that the contract would say the same of it. */
  covers(kind: ResultKind, timestamp: bigint): boolean {
    const verdict = this.#verdicts.get(kind.key);
    if (verdict === undefined) return false;
    const age = this.now() - verdict.askedAt;
    const passed = BigInt(Math.ceil(age / 1_000)) + CLOCK_SLACK;
    return (
      age < FRESH_MS &&
      timestamp >= verdict.timestamp &&
      timestamp <= verdict.timestamp + passed &&
      timestamp < verdict.until
    );
  }

  /** Whether it is time to ask anew about this kind. */
  isAging({ key }: ResultKind): boolean {
    const verdict = this.#verdicts.get(key);
    return verdict === undefined || this.now() - verdict.askedAt >= AGING_MS;
  }

  /**
   * Keeps that the contract took one, where it was for its session key, and is of now: what ended an enclave's service long ago,
   * a moment after an old result, the contract has not been asked about. An attested key has no term.
   */
  keep(kind: ResultKind, found: { timestamp: bigint; term: SessionTerm; askedAt: number }): void {
    const { askedAt, term, timestamp } = found;
    for (const [key, verdict] of this.#verdicts) {
      if (askedAt - verdict.askedAt >= FRESH_MS) this.#verdicts.delete(key);
    }
    const isOfNow = Math.abs(this.#clocks.wall() / 1_000 - Number(timestamp)) <= NOW_SECONDS;
    if (!isOfNow || !term.signsResults || timestamp < term.from) return;
    this.#verdicts.set(kind.key, { askedAt, timestamp, until: term.until });
  }

  /** Has the next one of this kind asked about. */
  forget({ key }: ResultKind): void {
    this.#verdicts.delete(key);
  }
}
