import { toBytes } from "@haca/attestation/bytes";
import { generateP384Hints } from "@haca/attestation/p384/generateP384Hints";
import { halfSizeScalars } from "@haca/attestation/p384/halfSizeScalars";
import { BASE_MULTIPLES, OFFSET, OFFSET_END } from "@haca/attestation/p384/p384Base";
import {
  type AffinePoint,
  add,
  alongLine,
  chordSlope,
  double,
  GENERATOR,
  invert,
  modulo,
  multiply,
  N,
  negate,
  P,
  tangentSlope,
} from "@haca/attestation/p384/p384Curve";
import { toMontgomery } from "@haca/attestation/p384/p384Montgomery";
import { p384Program, packSlope } from "@haca/attestation/p384/p384Program";
import { expect } from "chai";
import { network } from "hardhat";
import { deployEcdsaP384, type EcdsaP384, verifyOnChain } from "../utils/ecdsaP384Fixture.ts";
import {
  hashToNumber,
  numberFrom,
  packKey,
  packPair,
  type Signed,
  signatureWithPoint,
  signFrom,
} from "../utils/p384Signatures.ts";

const connection = await network.create();
const { ethers } = connection;
const IS_DEEP = process.env.HACA_DEEP === "1";

/** Layout of the hints: library P384. */
const Y = 1;
const QUOTIENTS = 49;
const SLOPES_Q = 177;
const SLOPES_R = SLOPES_Q + 8 * 48;
const PROGRAM = SLOPES_R + 8 * 48;
const SLOPE_LENGTH = 48;
const STEP_LENGTHS = [49, 50, 50, 98, 98];
/** Numbers of points in the contract's table. */
const INDEX_G = 0;
const INDEX_Q = 128;
const INDEX_R = 136;
const TABLE_SIZE = 144;

type Step = { start: number; operation: number; length: number };

function readSteps(hints: Uint8Array): Step[] {
  const steps: Step[] = [];
  for (let start = PROGRAM; start < hints.length; ) {
    const operation = hints[start] ?? 0;
    const length = STEP_LENGTHS[operation] ?? 0;
    steps.push({ start, operation, length });
    start += length;
  }
  return steps;
}

const concat = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
const flip = (bytes: Uint8Array, position: number, bits: number): Uint8Array =>
  bytes.map((byte, i) => (i === position ? byte ^ bits : byte));

describe("EcdsaP384 (hints)", () => {
  const signed = signFrom("hints");
  const hints = generateP384Hints(signed);
  const steps = readSteps(hints);
  let ecdsa: EcdsaP384;

  before(async () => {
    ecdsa = await deployEcdsaP384(connection);
    await verifyOnChain({ ecdsa, signed, hints });
  });

  const expectRefused = (changed: Uint8Array, name: string, target: Signed = signed) =>
    expect(verifyOnChain({ ecdsa, signed: target, hints: changed }), name).to.be.revert(ethers);
  const expectHintInvalid = (changed: Uint8Array, offset: number, target: Signed = signed) =>
    expect(verifyOnChain({ ecdsa, signed: target, hints: changed }))
      .to.be.revertedWithCustomError(ecdsa, "EcdsaP384_HintInvalid")
      .withArgs(offset);
  const expectLengthInvalid = (changed: Uint8Array, target: Signed = signed) =>
    expect(verifyOnChain({ ecdsa, signed: target, hints: changed })).to.be.revertedWithCustomError(
      ecdsa,
      "EcdsaP384_HintsLengthInvalid",
    );

  const stepOf = (operations: number[]): Step => {
    const step = steps.find(({ operation }) => operations.includes(operation));
    if (step === undefined) throw new Error(`the program has no operation ${operations}`);
    return step;
  };

  it("test_RevertWhen_AByteIsFlipped", async function () {
    this.timeout(0);
    const classes = [
      ...[0, Y, Y + 16, Y + 47],
      ...[QUOTIENTS, QUOTIENTS + 31, QUOTIENTS + 63, QUOTIENTS + 64, QUOTIENTS + 127],
      ...[SLOPES_Q, SLOPES_Q + 47, SLOPES_Q + 48, SLOPES_R - 1, SLOPES_R, PROGRAM - 1],
      ...[stepOf([0]), stepOf([3]), stepOf([4])].flatMap(({ start, length }) =>
        [0, 1, 2, 20, 49, 50, length - 1].filter((i) => i < length).map((i) => start + i),
      ),
      ...steps
        .filter(({ operation }) => operation === 1 || operation === 2)
        .slice(0, 2)
        .flatMap(({ start, length }) => [start, start + 1, start + 2, start + length - 1]),
      hints.length - 1,
    ];
    for (const position of classes) {
      await expectRefused(flip(hints, position, 0x01), `byte ${position} ^ 1`);
      await expectRefused(flip(hints, position, 0x80), `byte ${position} ^ 128`);
    }
    for (const position of IS_DEEP ? hints.keys() : []) {
      const bits = 1 << (position % 8);
      await expectRefused(flip(hints, position, bits), `byte ${position} ^ ${bits}`);
    }
  });

  it("test_RevertWhen_ASlopeIsWrong", async () => {
    // refused where it is used, before anything is computed with it
    for (const { start, operation, length } of [stepOf([0]), stepOf([1, 2]), stepOf([3, 4])]) {
      const slopes = start + (operation === 0 ? 1 : 2);
      for (let slope = slopes; slope < start + length; slope += SLOPE_LENGTH) {
        for (const position of [slope, slope + 15, slope + 16, slope + SLOPE_LENGTH - 1]) {
          await expectHintInvalid(flip(hints, position, 0x04), start);
        }
      }
      // the slope of another line
      const other = concat(
        hints.subarray(0, slopes),
        hints.subarray(SLOPES_Q, SLOPES_Q + SLOPE_LENGTH),
        hints.subarray(slopes + SLOPE_LENGTH),
      );
      await expectHintInvalid(other, start);
    }
    for (let slope = SLOPES_Q; slope < PROGRAM; slope += SLOPE_LENGTH) {
      await expectHintInvalid(flip(hints, slope + SLOPE_LENGTH - 1, 0x01), slope);
    }
  });

  it("test_RevertWhen_Truncated", async function () {
    this.timeout(0);
    const last = steps[steps.length - 1];
    if (last === undefined) throw new Error("no steps");
    for (const end of [0, 1, Y + 48, QUOTIENTS + 64, SLOPES_R, PROGRAM - 1, PROGRAM]) {
      await expectLengthInvalid(hints.subarray(0, end));
    }
    // Without the last step, the sum is another. Within a step, what is behind the hints takes the place of what is
    // missing.
    for (const end of [last.start, PROGRAM + 1, PROGRAM + 20, last.start + 1, hints.length - 1]) {
      await expectRefused(hints.subarray(0, end), `${end} bytes`);
    }
    for (const { start, length } of IS_DEEP ? steps : []) {
      for (const end of [start, start + 1, start + length - 1]) {
        await expectRefused(hints.subarray(0, end), `${end} bytes`);
      }
    }
  });

  it("test_RevertWhen_Extended", async () => {
    const last = steps[steps.length - 1];
    if (last === undefined) throw new Error("no steps");
    const end = hints.length;
    await expectHintInvalid(concat(hints, new Uint8Array(1)), end);
    await expectHintInvalid(concat(hints, new Uint8Array(49)), end);
    await expectHintInvalid(concat(hints, hints.subarray(last.start)), end);
    // the 193rd doubling, with the right slope
    const sum = p384Program({ terms: [] })?.end;
    if (sum === undefined) throw new Error("no program");
    const doubling = concat(Uint8Array.of(0), packSlope(tangentSlope(sum)));
    await expectLengthInvalid(concat(hints, doubling));
    // the same step, cut
    await expectRefused(concat(hints, doubling.subarray(0, 48)), "cut");
  });

  it("test_RevertWhen_StepsAreDroppedSwappedOrRepeated", async () => {
    for (const { start, length } of [stepOf([0]), stepOf([3, 4]), steps[10], steps[150]].filter(
      (step) => step !== undefined,
    )) {
      await expectRefused(
        concat(hints.subarray(0, start), hints.subarray(start + length)),
        "dropped",
      );
      await expectRefused(
        concat(hints.subarray(0, start + length), hints.subarray(start)),
        "repeated",
      );
    }
  });

  it("test_RevertWhen_OperationOrPointIsUnknown", async () => {
    const { start } = stepOf([3, 4]);
    for (const operation of [5, 6, 7, 128, 255]) {
      const changed = Uint8Array.from(hints);
      changed[start] = operation;
      await expectHintInvalid(changed, start);
    }
    for (const index of [TABLE_SIZE, TABLE_SIZE + 1, 255]) {
      const changed = Uint8Array.from(hints);
      changed[start + 1] = index;
      await expectHintInvalid(changed, start);
    }
  });

  it("test_RevertWhen_PointBehindTheTableIsUsed", async () => {
    // 2 R is kept behind the table: number 144, with the right slope, would not be counted as what it is
    const r = pointOfSignature(hints, signed);
    const slope = chordSlope(OFFSET, double(r));
    if (slope === undefined) throw new Error("no slope");
    await expectHintInvalid(
      concat(hints.subarray(0, PROGRAM), Uint8Array.of(1, TABLE_SIZE), packSlope(slope)),
      PROGRAM,
    );
  });

  it("test_RevertWhen_HintsAreOfAnotherSignature", async () => {
    for (const other of [
      { ...signed, message: new TextEncoder().encode("another message") },
      signFrom("hints of another"),
      { ...signed, signature: signFrom("hints of another").signature },
      { ...signed, publicKey: signFrom("hints of another").publicKey },
    ]) {
      await expectRefused(hints, "another", other);
    }
    // only z differs: everything holds but the first congruence
    await expectHintInvalid(hints, QUOTIENTS, {
      ...signed,
      message: new TextEncoder().encode("another message"),
    });
    // only s differs: the point R, its program and the key stay right
    const r = BigInt(`0x${Buffer.from(signed.signature.subarray(0, 48)).toString("hex")}`);
    for (const s of [1n, N - 1n, numberFrom("another s") % N]) {
      await expectHintInvalid(hints, QUOTIENTS, { ...signed, signature: packPair(r, s) });
    }
  });

  it("test_RevertWhen_RIsMadeOfTheKey", async () => {
    // Forgery under any key, with no secret, against a check that forgets one of the congruences:
    // R = alpha G + beta Q, with s = z / alpha (the first holds) or s = r / beta (the second holds).
    const key = readPoint(signed.publicKey);
    const [alpha, beta] = [numberFrom("alpha") % N, 7n];
    const alphaG = multiply(GENERATOR, alpha);
    const point = add(alphaG, multiply(key, beta));
    if (point === undefined) throw new Error("no point");
    const message = new TextEncoder().encode("forged");
    const z = hashToNumber(message);
    const r = point.x % N;
    const half = 2n ** 192n;
    const [base = [], highBase = []] = BASE_MULTIPLES;
    const program = p384Program({
      terms: [
        { scalar: alpha % half, first: INDEX_G, multiples: base },
        { scalar: alpha / half, first: INDEX_G + base.length, multiples: highBase },
        { scalar: beta, first: INDEX_Q, multiples: oddMultiplesOf(key) },
        { scalar: -1n, first: INDEX_R, multiples: oddMultiplesOf(point) },
      ],
    });
    const [inverseAlpha, inverseBeta] = [invert(alpha, N), invert(beta, N)];
    if (program === undefined || inverseAlpha === undefined || inverseBeta === undefined) {
      throw new Error("no program");
    }
    for (const s of [modulo(z * inverseAlpha, N), modulo(r * inverseBeta, N)]) {
      const forged = { message, publicKey: signed.publicKey, signature: packPair(r, s) };
      const quotients = [(alpha * s - z) / N, (beta * s - r) / N];
      expect(
        [modulo(alpha * s - z, N), modulo(beta * s - r, N)].filter((a) => a === 0n),
      ).to.have.length(1);
      const changed = concat(
        prefixOf(forged, point).subarray(0, QUOTIENTS),
        ...quotients.map((quotient) => toBytes(BigInt.asUintN(512, quotient), 64)),
        prefixOf(forged, point).subarray(SLOPES_Q),
        program.bytes,
      );
      await expectHintInvalid(changed, QUOTIENTS, forged);
    }
  });

  it("test_RevertWhen_TheSumIsEmpty", async () => {
    // Nothing but doublings: sum and congruences hold, for any message. t = 0 is what is wrong.
    const program = p384Program({ terms: [] });
    if (program === undefined) throw new Error("no program");
    const changed = concat(
      hints.subarray(0, QUOTIENTS),
      new Uint8Array(128),
      hints.subarray(SLOPES_Q, PROGRAM),
      program.bytes,
    );
    await expectHintInvalid(changed, QUOTIENTS);
    await expectHintInvalid(changed, QUOTIENTS, { ...signed, message: new Uint8Array() });
  });

  it("test_RevertWhen_TIsZeroAfterCancelling", async () => {
    // R is added and subtracted again, with right slopes
    const r = pointOfSignature(hints, signed);
    const first = chordSlope(OFFSET, r);
    if (first === undefined) throw new Error("no slope");
    const sum = alongLine(OFFSET, r.x, first);
    const second = chordSlope(sum, negate(r));
    const program = p384Program({ terms: [] });
    if (second === undefined || program === undefined) throw new Error("no program");
    const changed = concat(
      hints.subarray(0, QUOTIENTS),
      new Uint8Array(128),
      hints.subarray(SLOPES_Q, PROGRAM),
      Uint8Array.of(1, INDEX_R),
      packSlope(first),
      Uint8Array.of(2, INDEX_R),
      packSlope(second),
      program.bytes,
    );
    await expectHintInvalid(changed, QUOTIENTS);
  });

  it("test_RevertWhen_DoublingsAreLeftOut", async () => {
    // F itself is where no step leads to; neither the count nor the end is right
    await expectLengthInvalid(hints.subarray(0, PROGRAM));
    const program = p384Program({ terms: [] });
    if (program === undefined) throw new Error("no program");
    await expectLengthInvalid(
      concat(hints.subarray(0, PROGRAM), program.bytes.subarray(0, 191 * (1 + SLOPE_LENGTH))),
    );
  });

  it("test_RevertWhen_EqualOrOppositePointsAreAdded", async () => {
    // A forger takes R = F or -F. Adding F to F by the formula for different points would accept every slope, and
    // with it lead anywhere.
    const message = new TextEncoder().encode("forged");
    for (const point of [OFFSET, negate(OFFSET)]) {
      const forged = signatureWithPoint({ message, point, s: numberFrom("forged") % N });
      const prefix = prefixOf(forged, point);
      for (const slope of [0n, 1n, tangentSlope(point), numberFrom("slope") % P]) {
        for (const operation of [1, 2]) {
          await expectHintInvalid(
            concat(prefix, Uint8Array.of(operation, INDEX_R), packSlope(slope)),
            PROGRAM,
            forged,
          );
        }
        for (const operation of [3, 4]) {
          await expectHintInvalid(
            concat(prefix, Uint8Array.of(operation, INDEX_R), packSlope(slope), packSlope(1n)),
            PROGRAM,
            forged,
          );
        }
      }
    }
  });

  it("test_RevertWhen_DoubleAndAddPassesThroughTheSameX", async () => {
    // With T = -2 F, F + T is -F, of the same x as F: 2 F + T is zero, and has no second slope.
    const message = new TextEncoder().encode("through the same x");
    const point = negate(double(OFFSET));
    const forged = signatureWithPoint({ message, point, s: numberFrom("same x") % N });
    const first = chordSlope(OFFSET, point);
    if (first === undefined) throw new Error("no slope");
    for (const second of [0n, 1n, first, modulo(-first, P), numberFrom("slope") % P]) {
      await expectHintInvalid(
        concat(
          prefixOf(forged, point),
          Uint8Array.of(3, INDEX_R),
          packSlope(first),
          packSlope(second),
        ),
        PROGRAM,
        forged,
      );
    }
    // and with R = 2 F, subtracted
    const doubled = signatureWithPoint({
      message,
      point: double(OFFSET),
      s: numberFrom("same x") % N,
    });
    await expectHintInvalid(
      concat(
        prefixOf(doubled, double(OFFSET)),
        Uint8Array.of(4, INDEX_R),
        packSlope(first),
        packSlope(1n),
      ),
      PROGRAM,
      doubled,
    );
  });

  it("test_OtherProgramsAreFoundWhereOneIsImpossible", async () => {
    // R = F and R = 2 F are where the first addition of some programs meets the sum: others are taken.
    const message = new TextEncoder().encode("near the offset");
    for (const point of [OFFSET, negate(OFFSET), double(OFFSET), negate(double(OFFSET))]) {
      const near = signatureWithPoint({ message, point, s: numberFrom("near") % N });
      await verifyOnChain({ ecdsa, signed: near });
    }
  });

  it("test_RevertWhen_RIsNotOnTheCurve", async () => {
    const changed = (y: Uint8Array) => concat(hints.subarray(0, Y), y, hints.subarray(Y + 48));
    for (const y of [0n, 1n, numberFrom("y") % P, P, 2n ** 384n - 1n]) {
      await expectHintInvalid(changed(toBytes(y, 48)), Y);
    }
    // -R is on the curve: its multiples have other slopes
    const opposite = negate(pointOfSignature(hints, signed));
    await expectHintInvalid(changed(toBytes(toMontgomery(opposite.y), 48)), SLOPES_R);
  });

  it("test_RevertWhen_RIsReplacedByItsOpposite", async () => {
    // All of the hints are for -R: right slopes, and a sum that does not come out
    const point = pointOfSignature(hints, signed);
    const prefix = prefixOf(signed, negate(point));
    const { operation, start, length } = stepOf([0]);
    expect(operation).to.equal(0);
    await expectRefused(concat(prefix, hints.subarray(PROGRAM)), "opposite");
    await expectRefused(concat(prefix, hints.subarray(start, start + length)), "opposite, cut");
  });

  it("test_RevertWhen_TheSumIsTheOppositeOfItsEnd", async () => {
    // Forgery against a check that looks at the end's x alone: every congruence and slope is right, and the key is
    // chosen, without its logarithm, so that the sum is -2^192 F.
    const message = new TextEncoder().encode("forged");
    const point = multipleOfG(numberFrom("end") % N);
    const [r, s] = [point.x % N, numberFrom("s of end") % N];
    const inverse = invert(s, N);
    if (inverse === undefined) throw new Error("no inverse");
    const [u1, u2] = [modulo(hashToNumber(message) * inverse, N), modulo(r * inverse, N)];
    const half = 2n ** 192n;
    const [base = [], highBase = []] = BASE_MULTIPLES;
    for (const { q, t } of halfSizeScalars(u2)) {
      const g = modulo(-t * u1, N);
      const inverseQ = invert(modulo(q, N), N);
      const others = add(
        multiply(OFFSET_END, 2n),
        add(multiply(GENERATOR, g), multiply(point, modulo(t, N))),
      );
      if (inverseQ === undefined || others === undefined) continue;
      const key = multiply(negate(others), inverseQ);
      if (key === undefined) continue;
      const program = p384Program({
        terms: [
          { scalar: g % half, first: INDEX_G, multiples: base },
          { scalar: g / half, first: INDEX_G + base.length, multiples: highBase },
          { scalar: q, first: INDEX_Q, multiples: oddMultiplesOf(key) },
          { scalar: t, first: INDEX_R, multiples: oddMultiplesOf(point) },
        ],
      });
      if (program === undefined) continue;
      expect(program.end).to.deep.equal(negate(OFFSET_END));
      const forged = { message, publicKey: packKey(key), signature: packPair(r, s) };
      const prefix = prefixOf(forged, point);
      const quotients = [g * s + t * hashToNumber(message), q * s + t * r].map(
        (value) => value / N,
      );
      const changed = concat(
        prefix.subarray(0, QUOTIENTS),
        ...quotients.map((quotient) => toBytes(BigInt.asUintN(512, quotient), 64)),
        prefix.subarray(SLOPES_Q),
        program.bytes,
      );
      await expectHintInvalid(changed, changed.length, forged);
      return;
    }
    throw new Error("no program");
  });

  it("test_RevertWhen_OnlyKeyAndGeneratorAreUsed", async () => {
    // g G + q Q = 0 with t = 0 needs the key's logarithm, which a key's owner has: R must take part.
    const key = 5n;
    const publicKey = multipleOfG(key);
    const own = { ...signed, publicKey: packPair(publicKey.x, publicKey.y) };
    const program = p384Program({
      terms: [
        { scalar: -5n, first: INDEX_G, multiples: oddMultiplesOf(GENERATOR) },
        { scalar: 1n, first: INDEX_Q, multiples: oddMultiplesOf(publicKey) },
      ],
    });
    if (program === undefined) throw new Error("no program");
    const r = BigInt(`0x${Buffer.from(signed.signature.subarray(0, 48)).toString("hex")}`);
    const s = BigInt(`0x${Buffer.from(signed.signature.subarray(48)).toString("hex")}`);
    expect(modulo(s * 5n + r, N)).to.not.equal(0n);
    await expectHintInvalid(
      concat(prefixOf(own, pointOfSignature(hints, signed)), program.bytes),
      QUOTIENTS,
      own,
    );
  });
});

function readPoint(publicKey: Uint8Array): AffinePoint {
  const coordinate = (start: number): bigint =>
    BigInt(`0x${Buffer.from(publicKey.subarray(start, start + 48)).toString("hex")}`);
  return { x: coordinate(0), y: coordinate(48) };
}

/** The part of the hints before the program, with quotients of zero. */
function prefixOf(signed: Signed, point: AffinePoint): Uint8Array {
  const r = BigInt(`0x${Buffer.from(signed.signature.subarray(0, 48)).toString("hex")}`);
  return concat(
    Uint8Array.of(point.x === r ? 0 : 1),
    toBytes(toMontgomery(point.y), 48),
    new Uint8Array(128),
    multipleSlopes(readPoint(signed.publicKey)),
    multipleSlopes(point),
  );
}

function multipleSlopes(point: AffinePoint): Uint8Array {
  const twice = double(point);
  const slopes = oddMultiplesOf(point).map((multiple) => chordSlope(multiple, twice));
  return concat(
    packSlope(tangentSlope(point)),
    ...slopes.slice(0, -1).map((slope) => packSlope(slope ?? 0n)),
  );
}

function oddMultiplesOf(point: AffinePoint): AffinePoint[] {
  const twice = double(point);
  const multiples = [point];
  for (let previous = point; multiples.length < 8; multiples.push(previous)) {
    const slope = chordSlope(previous, twice);
    if (slope === undefined) throw new Error("no slope");
    previous = alongLine(previous, twice.x, slope);
  }
  return multiples;
}

function multipleOfG(scalar: bigint): AffinePoint {
  const multiple = multiply(GENERATOR, scalar);
  if (multiple === undefined) throw new Error("no point");
  return multiple;
}

/** R, from the hints. */
function pointOfSignature(hints: Uint8Array, { signature }: Signed): AffinePoint {
  const radix = invert(2n ** 256n, P);
  if (radix === undefined) throw new Error("no inverse");
  const y = BigInt(`0x${Buffer.from(hints.subarray(1, 49)).toString("hex")}`);
  const x = BigInt(`0x${Buffer.from(signature.subarray(0, 48)).toString("hex")}`);
  return { x, y: modulo(y * radix, P) };
}
