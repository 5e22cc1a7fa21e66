import { poseidon, poseidonSponge } from "@noble/curves/abstract/poseidon";
import { bn254 } from "@noble/curves/bn254";
import { describe, expect, it } from "vitest";
import { commitInput, drawSalt, inputSponge, parseSalt, saltText } from "../src/inputCommitment.ts";
import {
  FULL_ROUNDS,
  poseidonConstants,
  poseidonPermutation,
  powersOf,
  WIDTHS,
} from "../src/poseidon.ts";
import { SIGNAL_LIMIT } from "../src/scalarField.ts";

const { Fr } = bn254.fields;

/** First element after the permutation of 0, 1, 2, ..., n: `poseidon([1, ..., n])` of circomlib, for n from 1 to 16. */
const OF_COUNTING = [
  18586133768512220936620570745912940619677854269274689475585506675881198879027n,
  7853200120776062878684798364095072458815029376092732009249414926327459813530n,
  6542985608222806190361240322586112750744169038454362455181422643027100751666n,
  18821383157269793795438455681495246036402687001665670618754263018637548127333n,
  6183221330272524995739186171720101788151706631170188140075976616310159254464n,
  20400040500897583745843009878988256314335038853985262692600694741116813247201n,
  12748163991115452309045839028154629052133952896122405799815156419278439301912n,
  18604317144381847857886385684060986177838410221561136253933256952257712543953n,
  13589767895268936107593642967621470491511464502761040466226072462545218539640n,
  3657500514307717306974218405144578736633140001277925127187636780142269815841n,
  3572015662710076994097916907865950486270383304442561406230608893458731714472n,
  2501997477381648492950318384533644783248002172679259592360114615426357826485n,
  7041832639553862712666971417715061873827921493498355005117622707743491651590n,
  8354478399926161176778659061636406690034081872658507739535256090879947077494n,
  4203130618016961831408770638653325366880478848856764494148034853759773445968n,
  9989051620750914585850546081941653841776809718687451684622678807385399211877n,
];

/** The paper's own, of its reference code: poseidonperm_x5_254_3 and the first of poseidonperm_x5_254_5. */
const REFERENCE = [
  0x115cc0f5e7d690413df64c6b9662e9cf2a3617f2743245519e19607a4417189an,
  0x0fca49b798923ab0239de1c9e7a4a9a2210312b6a2f616d18b5a87f9b628ae29n,
  0x0e7ae82e40091e63cbd4f16a6d16310b3729d4b6e138fcf54110e2867045a30cn,
];

/** Of the others the constants take a second to find. */
const WIDTHS_BY_DEFAULT = [2, 3, 4, 15];
const isDeep = process.env.HACA_DEEP !== undefined;

const counting = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => BigInt(from + index));

describe("poseidonPermutation", () => {
  it("is the reference's", () => {
    expect(poseidonPermutation([0n, 1n, 2n])).toEqual(REFERENCE);
  });

  it("is circomlib's at every width", () => {
    for (const [index, expected] of OF_COUNTING.entries()) {
      const width = index + 2;
      if (!isDeep && !WIDTHS_BY_DEFAULT.includes(width)) continue;
      expect(poseidonPermutation(counting(0, width))[0], `width ${width}`).toBe(expected);
    }
    expect(WIDTHS).toEqual({ minimum: 2, maximum: OF_COUNTING.length + 1 });
    expect(() => poseidonPermutation(counting(0, 18))).toThrow("width 18 has no parameters");
  });

  it("shows every round what goes into its powers", () => {
    const rounds: number[] = [];
    poseidonPermutation([5n, 6n], (round, elements) => rounds.push(round * elements.length));
    expect(rounds).toHaveLength(FULL_ROUNDS + poseidonConstants(2).partialRounds);
  });
});

describe("commitInput", () => {
  const salt = (1n << 247n) + 11n;

  /** The same by the library's own permutation and sponge. */
  function byLibrary(parameters: { width: number; tag: bigint; elements: bigint[] }): bigint {
    const { elements, tag, width } = parameters;
    const { matrix, partialRounds, roundConstants } = poseidonConstants(width);
    const options = {
      ...{ Fp: Fr, sboxPower: 5, roundsFull: FULL_ROUNDS, roundsPartial: partialRounds },
      mds: matrix.map((row) => [...row]),
      roundConstants: roundConstants.map((row) => [...row]),
    };
    if (elements.length < width) {
      const state = [tag, ...elements, ...new Array<bigint>(width - 1 - elements.length).fill(0n)];
      return poseidon({ ...options, t: width })(state)[1] as bigint;
    }
    const sponge = poseidonSponge({ ...options, rate: width - 1, capacity: 1 })();
    Object.assign(sponge, { state: [tag, ...new Array<bigint>(width - 1).fill(0n)] });
    sponge.absorb(elements);
    return sponge.squeeze(1)[0] as bigint;
  }

  it.each([1, 2, 26])("is a sponge of %i words", (count) => {
    const words = counting(1, count).map((word) => (1n << 248n) - word);
    for (const mode of ["committed", "salted"] as const) {
      const { tag, width } = inputSponge({ mode, words: count });
      const salts = mode === "salted" ? [salt] : [];
      expect(commitInput({ mode, words, salt: salts[0] })).toBe(
        byLibrary({ width, tag, elements: [...salts, ...words] }),
      );
    }
  });

  it("takes the fewest powers: two permutations of width 15 for 26 words, salted or not", () => {
    for (const mode of ["committed", "salted"] as const) {
      const { permutations, width } = inputSponge({ mode, words: 26 });
      expect([width, permutations, 3 * permutations * powersOf(width)]).toEqual([15, 2, 1080]);
    }
    expect(inputSponge({ mode: "committed", words: 1 }).width).toBe(2);
  });

  it("differs with mode, number of words, salt, and every word", () => {
    // the width that these and one more have has room for 14
    const words = counting(7, 12);
    const shifted = [...words, 0n];
    const others = [
      commitInput({ mode: "committed", words }),
      commitInput({ mode: "committed", words: shifted }),
      commitInput({ mode: "committed", words: [...shifted, 0n] }),
      commitInput({ mode: "committed", words: [salt, ...words] }),
      commitInput({ mode: "salted", words: shifted, salt }),
      commitInput({ mode: "salted", words, salt }),
      commitInput({ mode: "salted", words, salt: salt + 1n }),
      ...words.map((word, index) =>
        commitInput({ mode: "committed", words: words.with(index, word + 1n) }),
      ),
    ];
    expect(new Set(others).size).toBe(others.length);
  });

  it("refuses salts that are missing, not asked for or no salts, and words that are none", () => {
    const code = (value: string) => expect.objectContaining({ code: value });
    const commit = (input: Partial<Parameters<typeof commitInput>[0]>) => () =>
      commitInput({ mode: "salted", words: [1n], salt, ...input });
    expect(commit({ salt: undefined })).toThrow(code("salt.missing"));
    expect(commit({ mode: "committed" })).toThrow(code("salt.unexpected"));
    expect(commit({ salt: Fr.ORDER })).toThrow(code("salt.invalid"));
    expect(commit({ salt: 1n })).toThrow(code("salt.invalid"));
    expect(commit({ words: [1n << 248n] })).toThrow(code("commitment.wordOutOfRange"));
    expect(commit({ words: [-1n] })).toThrow(code("commitment.wordOutOfRange"));
    expect(commit({ words: [] })).toThrow(code("commitment.tooManyWords"));
    for (const text of ["0x12", "12", `0x${"f".repeat(64)}`, `0x${"0".repeat(64)}`]) {
      expect(() => parseSalt(text)).toThrow(code("salt.invalid"));
    }
  });

  it("has salts that are new every time, and survive as text", () => {
    const [one, other] = [drawSalt(), drawSalt()];
    expect(one).not.toBe(other);
    expect(parseSalt(saltText(one))).toBe(one);
    expect(saltText(one)).toHaveLength(66);
  });
});

describe("the order of the scalar field", () => {
  it("is the curve's", () => {
    expect(SIGNAL_LIMIT).toBe(Fr.ORDER);
  });
});
