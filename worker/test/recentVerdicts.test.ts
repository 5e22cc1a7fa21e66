import { hashResult, type InferenceResult, settlementDomain } from "@haca/protocol/inferenceResult";
import { id, Signature, SigningKey, ZeroAddress } from "ethers";
import { describe, expect, it } from "vitest";
import { FRESH_MS, RecentVerdicts, type ResultKind } from "../src/roles/collect/recentVerdicts.ts";

const domain = settlementDomain({ chainId: 31337n, settlement: id("settlement").slice(0, 42) });
const SESSION = new SigningKey(id("session"));
const TIME = 1_800_000_000n;
const TERM = { signsResults: true, from: TIME - 100n, until: TIME + 100n };
const RESULT: InferenceResult = {
  ...{ modelVersion: id("version"), inputHash: id("question"), outputHash: id("answer") },
  ...{ requester: ZeroAddress, requestId: id("request"), price: 0n, timestamp: TIME },
  teeId: id("enclave"),
};

type Changes = { result?: Partial<InferenceResult>; signer?: SigningKey; digest?: string };
function signed({ digest, result, signer = SESSION }: Changes = {}) {
  const message = { ...RESULT, ...result };
  const signature = signer.sign(digest ?? hashResult({ domain, result: message })).serialized;
  return { message, signature };
}

/** Verdicts at a time that stands still until it is set. */
function verdicts() {
  const clock = { ms: 5_000, wall: Number(TIME) };
  const recent = new RecentVerdicts(domain, {
    elapsed: () => clock.ms,
    wall: () => clock.wall * 1_000,
  });
  const kindOf = (changes: Changes = {}): ResultKind => {
    const kind = recent.kindOf(signed(changes));
    if (kind === undefined) throw new Error("it has no kind");
    return kind;
  };
  const keep = (found: { timestamp?: bigint; term?: Partial<typeof TERM> } = {}) =>
    recent.keep(kindOf(), {
      ...{ askedAt: clock.ms, timestamp: found.timestamp ?? TIME },
      term: { ...TERM, ...found.term },
    });
  return {
    clock,
    covers: (time = TIME, kind = kindOf()) => recent.covers(kind, time),
    keep,
    kindOf,
    recent,
  };
}

describe("the kind of a result", () => {
  it("is another one for another enclave, version or key, and for what was not signed", () => {
    const { kindOf } = verdicts();
    const others: Changes[] = [
      { result: { teeId: id("another") } },
      { result: { modelVersion: id("another") } },
      { signer: new SigningKey(id("another")) },
      { digest: id("another result") },
    ];
    const keys = [{}, ...others].map((changes) => kindOf(changes).key);
    expect(new Set(keys).size).toBe(keys.length);
    const same = [{ inputHash: id("another") }, { price: 5n }, { timestamp: TIME + 9n }];
    for (const result of same) expect(kindOf({ result }).key).toBe(kindOf().key);
  });

  it("is none where no session key can have signed", () => {
    const { recent } = verdicts();
    const { message, signature } = signed();
    for (const text of [
      `${signature.slice(0, -2)}00`,
      Signature.from(signature).compactSerialized,
      "0x",
    ]) {
      expect(recent.kindOf({ message, signature: text })).toBe(undefined);
    }
  });
});

describe("a verdict", () => {
  it("is that of the next ones, for ten seconds from when it was asked for", () => {
    const { clock, covers, keep } = verdicts();
    expect(covers()).toBe(false);
    keep();
    expect(covers()).toBe(true);
    clock.ms += FRESH_MS - 1;
    expect(covers()).toBe(true);
    clock.ms += 1;
    expect(covers()).toBe(false);
  });

  it("is of no other enclave, version or key", () => {
    const { covers, keep, kindOf } = verdicts();
    keep();
    expect(covers(TIME, kindOf({ result: { price: 7n } }))).toBe(true);
    expect(covers(TIME, kindOf({ result: { teeId: id("another") } }))).toBe(false);
    expect(covers(TIME, kindOf({ result: { modelVersion: id("another") } }))).toBe(false);
    expect(covers(TIME, kindOf({ signer: new SigningKey(id("another")) }))).toBe(false);
    expect(covers(TIME, kindOf({ digest: id("another result") }))).toBe(false);
  });

  it("is of none that is older, or younger than the time since then allows", () => {
    const { clock, covers, keep } = verdicts();
    keep();
    expect(covers(TIME - 1n)).toBe(false);
    expect(covers(TIME + 1n)).toBe(true);
    expect(covers(TIME + 2n)).toBe(false);
    clock.ms += 2_500;
    expect(covers(TIME + 4n)).toBe(true);
    expect(covers(TIME + 5n)).toBe(false);
  });

  it("ends with the session", () => {
    const { clock, covers, keep } = verdicts();
    keep({ term: { until: TIME + 3n } });
    clock.ms += 5_000;
    expect(covers(TIME + 2n)).toBe(true);
    expect(covers(TIME + 3n)).toBe(false);
  });

  it("is kept of no key but a session's for results, within its term", () => {
    const terms = [
      { signsResults: false },
      { from: TIME + 1n },
      { until: TIME },
      // Nobody's: an attested key of the same kind has signed.
      { signsResults: false, from: 0n, until: 0n },
    ];
    for (const term of terms) {
      const { covers, keep } = verdicts();
      keep({ term });
      expect(covers()).toBe(false);
    }
  });

  it("is kept of no result that was not made just then: what came after it the contract was not asked about", () => {
    for (const [seconds, isKept] of [
      [-11, false],
      [-10, true],
      [10, true],
      [11, false],
      [86_400, false],
    ] as const) {
      const { clock, covers, keep } = verdicts();
      clock.wall += seconds;
      keep();
      expect({ seconds, isKept: covers() }).toEqual({ seconds, isKept });
    }
    const { clock, covers, keep } = verdicts();
    keep();
    clock.wall += 300;
    keep({ timestamp: TIME });
    expect(covers()).toBe(true);
  });

  it("is asked for anew from its half on, and is over where the contract refuses one then", () => {
    const { clock, covers, keep, kindOf, recent } = verdicts();
    expect(recent.isAging(kindOf())).toBe(true);
    keep();
    clock.ms += FRESH_MS / 2 - 1;
    expect(recent.isAging(kindOf())).toBe(false);
    clock.ms += 1;
    expect(recent.isAging(kindOf())).toBe(true);
    expect(covers()).toBe(true);
    recent.forget(kindOf());
    expect(covers()).toBe(false);
  });

  it("is forgotten when its time is over", () => {
    const { clock, covers, keep, kindOf, recent } = verdicts();
    keep();
    const other = kindOf({ result: { modelVersion: id("another") } });
    clock.ms += FRESH_MS;
    recent.keep(other, { askedAt: clock.ms, timestamp: TIME, term: TERM });
    clock.ms -= 1;
    expect(covers()).toBe(false);
    expect(covers(TIME, other)).toBe(true);
  });
});
