import { readKey, refuseProof } from "@haca/protocol/verdicts/refuseProof";
import { describe, expect, it } from "vitest";
import { G1_GENERATOR, P, pointOutsideG2, R } from "../../test/contracts/utils/bn254.ts";
import {
  encodeG1,
  encodeG2,
  makeProof,
  makeTrapdoor,
  makeVerifyingKey,
} from "../../test/contracts/utils/groth16Simulator.ts";
import { withOtherEnd } from "../../test/contracts/utils/otherEnd.ts";
import { addToCoordinate, replaceInProof } from "../../test/contracts/utils/proofParts.ts";
import { scalarsFrom } from "../../test/contracts/utils/randomScalars.ts";
import { isProof } from "../src/groth16.ts";

const IS_DEEP = process.env.HACA_DEEP === "1";
const random = scalarsFrom("sdk");
const trapdoor = makeTrapdoor({ signalCount: 3, random });
const verifyingKey = makeVerifyingKey(trapdoor);
const SIGNALS = [5n, 0n, R - 1n];
const proof = makeProof({ trapdoor, signals: SIGNALS, a: random(), b: random() });

const here = (changed: string, signals = SIGNALS): boolean => {
  try {
    return isProof({ verifyingKey, proof: changed, signals });
  } catch {
    return false;
  }
};
const there = (changed: string, signals = SIGNALS): boolean =>
  refuseProof({ key: readKey(verifyingKey), proof: changed, signals }) === undefined;

const CHANGES: Record<string, string> = {
  none: proof,
  aZero: replaceInProof(proof, { a: encodeG1("zero") }),
  bZero: replaceInProof(proof, { b: encodeG2("zero") }),
  cZero: replaceInProof(proof, { c: encodeG1("zero") }),
  bOutsideSubgroup: replaceInProof(proof, { b: encodeG2(pointOutsideG2()) }),
  cOther: replaceInProof(proof, { c: encodeG1(G1_GENERATOR) }),
  aliasOfX: addToCoordinate({ data: proof, index: 0, amount: P }),
  aliasOfB: addToCoordinate({ data: proof, index: 2, amount: P }),
  notOnCurve: addToCoordinate({ data: proof, index: 1, amount: 1n }),
  bNotOnCurve: addToCoordinate({ data: proof, index: 4, amount: 1n }),
  short: proof.slice(0, -2),
  long: `${proof}00`,
};

describe("a proof", () => {
  it.each(Object.entries(CHANGES))(
    "holds where the contracts' verdict takes it: %s",
    (name, changed) => {
      expect(here(changed)).toBe(there(changed));
      expect(here(changed)).toBe(name === "none");
    },
  );

  it.each(["aliasOfX", "aliasOfB", "notOnCurve", "bNotOnCurve", "bOutsideSubgroup"])(
    "has points that are some, or is looked at no further: %s",
    (name) => {
      const changed = CHANGES[name] ?? "";
      expect(() => isProof({ verifyingKey, proof: changed, signals: SIGNALS })).toThrow();
    },
  );

  it("holds for no other signals, of which each is below the group's order and none missing", () => {
    for (const signals of [
      [6n, 0n, R - 1n],
      [5n + R, 0n, R - 1n],
      [-1n, 0n, 0n],
      [5n, 0n],
    ]) {
      expect(here(proof, signals)).toBe(false);
    }
    expect(() => isProof({ verifyingKey, proof, signals: [5n + R, 0n, R - 1n] })).toThrow("order");
    expect(() => isProof({ verifyingKey, proof, signals: [5n, 0n] })).toThrow("3 signals");
    const aZero = CHANGES.aZero ?? "";
    expect(() => isProof({ verifyingKey, proof: aZero, signals: SIGNALS })).toThrow("A is zero");
  });

  it("is taken by no key of another length, or with a point that is none", () => {
    for (const key of [
      `${verifyingKey}00`,
      verifyingKey.slice(0, -2 * 64 - 2),
      withOtherEnd(verifyingKey),
    ]) {
      expect(() => isProof({ verifyingKey: key, proof, signals: SIGNALS })).toThrow();
    }
  });

  it("is judged as the contracts' verdict does, whatever bit is flipped", () => {
    const step = IS_DEEP ? 1 : 16;
    for (let at = 0; at < 256; at += step) {
      const byte = Number.parseInt(proof.slice(2 + 2 * at, 4 + 2 * at), 16) ^ (1 << (at % 8));
      const changed = `${proof.slice(0, 2 + 2 * at)}${byte.toString(16).padStart(2, "0")}${proof.slice(4 + 2 * at)}`;
      expect([at, here(changed)]).toEqual([at, there(changed)]);
    }
  });
});
