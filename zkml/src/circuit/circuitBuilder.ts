import { STEP } from "@haca/model-runtime/witness/witnessPlan";
import { PlanBuilder } from "./planBuilder.ts";
import { Rows } from "./rows.ts";
import { constantDifference, constantSum, digitSum, exactly, type Sum, wireSum } from "./sum.ts";

/** The one-hot choice of a greatest sum: what `certifyDeterminism` takes as one step, after a look at every row. */
export type Choice = {
  winners: readonly number[];
  greatest: number;
  /** sum of the winners is 1 */
  sumRow: number;
  /** per sum: its difference to the greatest, in digits; and that the winner's is 0 */
  differenceRows: readonly number[];
  choiceRows: readonly number[];
};

/** The interval in which a sum is, one-hot but for the first: what `certifyDeterminism` takes as one step, as a choice. */
export type Rank = {
  places: readonly number[];
  /** digits of the distance to the start of the interval, and to its end */
  above: readonly number[];
  short: readonly number[];
  totalRow: number;
  aboveRow: number;
  shortRow: number;
};

/** A wire that is a sum and has a row for that, which goes where the sum is read in the wire's place. */
export type Substitutable = { name: string; wire: number; terms: number };

/** What rows have pinned of a sum: it is least + gate * (sum of 2^i digits[i]), the gate 0 or 1, or 1 where there is none. */
export type Decomposition = { digits: readonly number[]; gate?: number; least: number };

/** A product of two sums. */
export type Product = { a: Sum; b: Sum };

/** Consecutive wires of one name. */
export type WireBlock = { name: string; first: number; count: number; isArray: boolean };

/**
 * Rows and witness plan of a circuit, added together: a gadget is a method, and says what it pins. Every wire is
 * introduced with the rows that determine it; `certify/` looks at the rows again when all are there.
 */
export class CircuitBuilder {
  readonly rows = new Rows();
  readonly plan = new PlanBuilder();
  readonly choices: Choice[] = [];
  readonly ranks: Rank[] = [];
  /** rows that determine as many wires together: what `certifyDeterminism` takes as one step, after a look at their matrix */
  readonly systems: (readonly number[])[] = [];
  /** wires that are any element of the field: rows that read them hold there, and say nothing of integers */
  readonly fieldWires = new Set<number>();
  readonly blocks: WireBlock[] = [];
  /** what `wireOrSum` gave a wire */
  readonly substitutables: Substitutable[] = [];
  readonly #substituted: ReadonlySet<string>;
  /** wires of the sums that stand in the place of a wire */
  readonly #copied = new Set<number>();
  /** by a sum's number of wires, the first and the last of them */
  readonly #decompositions = new Map<string, { sum: Sum; parts: Decomposition }[]>();
  /** wires whose range the gadget that reads them enforces */
  readonly #unranged = new Set<number>();
  /** sums that lack a product, by which whoever takes it adds it to them */
  readonly #open = new Map<Sum, Product>();
  #wires = 1;

  /** Names of the wires that sums stand in the place of. */
  constructor(substituted: ReadonlySet<string> = new Set()) {
    this.#substituted = substituted;
  }

  get wireCount(): number {
    return this.#wires;
  }

  /** Takes the next wires. In files it has an index where there are several. */
  take(name: string, count: number, isArray = true): number[] {
    const first = this.#wires;
    this.blocks.push({ name, first, count, isArray });
    this.#wires += count;
    return Array.from({ length: count }, (_, index) => first + index);
  }

  /** Takes wires that are any element of the field. */
  takeField(name: string, count: number, isArray = true): number[] {
    const wires = this.take(name, count, isArray);
    for (const wire of wires) this.fieldWires.add(wire);
    return wires;
  }

  /** A wire that is a sum: one linear row. */
  wireOf(name: string, sum: Sum): number {
    const [wire = 0] = this.take(name, 1, false);
    this.requireZero(
      exactly([
        [1, sum],
        [-1, wireSum(wire)],
      ]),
    );
    this.plan.addStep(STEP.sum, [wire, this.plan.addSums(sum)]);
    return wire;
  }

  /** A wire that is a sum, or the sum itself where the wire is one to be substituted. Only linear rows may read it. */
  wireOrSum(name: string, sum: Sum): Sum {
    if (this.#substituted.has(name)) {
      for (const wire of sum.wires) this.#copied.add(wire);
      return sum;
    }
    const wire = this.wireOf(name, sum);
    this.substitutables.push({ name, wire, terms: sum.wires.length });
    const parts = this.decompositionOf(sum);
    if (parts !== undefined) this.keepDecomposition(wireSum(wire), parts);
    return wireSum(wire);
  }

  /** A wire that is a sum of the witness's slots alone: whoever reads it enforces its range (`rank`). */
  unrangedWire(name: string, slots: Sum): number {
    const [wire = 0] = this.take(name, 1, false);
    this.plan.addStep(STEP.sum, [wire, this.plan.addSums(slots)]);
    this.#unranged.add(wire);
    return wire;
  }

  /** Whether no row has bounded the wire of a sum, so that it must be ranked. */
  lacksRange(sum: Sum): boolean {
    return sum.wires.some((wire) => this.#unranged.has(wire));
  }

  /** Keeps what rows that are there have pinned of a sum, for whoever needs its digits again. */
  keepDecomposition(sum: Sum, parts: Decomposition): void {
    if (sum.wires.length === 0) return;
    const kept = this.#decompositions.get(ends(sum)) ?? [];
    this.#decompositions.set(ends(sum), [{ sum, parts }, ...kept]);
  }

  /** The digits of a sum that rows have pinned already. */
  decompositionOf(sum: Sum): Decomposition | undefined {
    for (const kept of this.#decompositions.get(ends(sum)) ?? []) {
      const rest = constantDifference(sum, kept.sum);
      if (rest !== undefined) return { ...kept.parts, least: kept.parts.least + rest };
    }
    return undefined;
  }

  /**
   * A sum and a product of two others without a wire for what they are: `takeProduct` gives the product to the one gadget that
   * reads the sum, and that adds it.
   */
  openProduct(sum: Sum, product: Product): Sum {
    const open = { ...sum };
    this.#open.set(open, product);
    return open;
  }

  /** What a sum lacks, where `openProduct` made it; it counts as added then. */
  takeProduct(sum: Sum): Product | undefined {
    const product = this.#open.get(sum);
    this.#open.delete(sum);
    return product;
  }

  /** Refuses a circuit in which a sum lacks a product that nobody added, or a wire a range. */
  requireClosed(): void {
    if (this.#open.size > 0) throw new RangeError("a sum is read without its product");
    if (this.#unranged.size > 0) throw new RangeError("a wire has no range");
  }

  /** Whether a sum stands in the place of wires, so that it gets no wire again. */
  isCopied(sum: Sum): boolean {
    return sum.wires.every((wire) => this.#copied.has(wire));
  }

  /** 0 = sum: one linear row. */
  requireZero(sum: Sum): number {
    return this.rows.addLinear(sum, sum.constant);
  }

  /** A wire that is 0 or 1: one row. */
  requireBoolean(wire: number): void {
    const one = { wires: [wire], coefficients: [1] };
    this.rows.add({ a: one, b: { wires: [0, wire], coefficients: [-1, 1] } });
  }

  /** a * b as a wire, or sum + a * b: one row. Sums with weights have no place in a and b. */
  product(name: string, a: Sum, b: Sum, sum: Sum = constantSum(0)): number {
    const [wire = 0] = this.take(name, 1, false);
    const rest = exactly([
      [-1, sum],
      [1, wireSum(wire)],
    ]);
    this.rows.add({ ...sidesOf({ a, b }), c: withConstant(rest) });
    this.#addProductStep(wire, { a, b });
    if (sum.wires.length > 0 || sum.constant !== 0) {
      const whole = exactly([
        [1, sum],
        [1, wireSum(wire)],
      ]);
      this.plan.addStep(STEP.sum, [wire, this.plan.addSums(whole)]);
    }
    return wire;
  }

  /**
   * Binary digits of a sum, or of sum + a * b, least significant first: `width` + 1 rows. They exist for a number in
   * [0, 2^width) only, and are the only ones: 2^width is far below the field's order.
   */
  digits(name: string, sum: Sum, width: number, product?: Product): number[] {
    const digits = this.#hintDigits({ name, sum, width, limit: 2 ** width - 1, product });
    for (const digit of digits) this.requireBoolean(digit);
    const sign = product === undefined ? 1 : -1;
    const rest = exactly([
      [sign, sum],
      [-sign, digitSum(digits)],
    ]);
    if (product === undefined) this.requireZero(rest);
    else this.rows.add({ ...sidesOf(product), c: withConstant(rest) });
    return digits;
  }

  /**
   * Binary digits of a sum in [0, maximum]: one row a digit, and one for every digit 1 of the maximum after the first
   * that has a 0 below it. The sum itself is pinned by whoever reads the digits, which is why it has no row here.
   *
   * The digits are read from the top. `tight` is 1 while every digit so far that is 1 in the maximum is 1 in the number as
   * well: the number is then at its limit, and a digit that is 0 in the maximum must be 0. `digit * (1 - tight - digit) = 0`
   * says both things at once: with tight = 0 the digit is 0 or 1, with tight = 1 it is 0.
   */
  limitedDigits(name: string, sum: Sum, maximum: number): number[] {
    const width = maximum.toString(2).length;
    const isSet = (digit: number) => Math.floor(maximum / 2 ** digit) % 2 === 1;
    const digits = this.#hintDigits({ name, sum, width, limit: maximum });
    let trailingOnes = 0;
    while (isSet(trailingOnes)) trailingOnes += 1;
    // 1 while every digit so far that is 1 in the maximum is 1 in the number as well
    let tight: number | undefined;
    for (let index = width - 1; index >= 0; index--) {
      const digit = digits[index] as number;
      if (isSet(index)) {
        this.requireBoolean(digit);
        if (tight === undefined) {
          tight = digit;
        } else if (index >= trailingOnes) {
          tight = this.product(`${name}Tight${index}`, wireSum(tight), wireSum(digit));
        }
      } else {
        const rest = exactly(
          [
            [-1, wireSum(tight as number)],
            [-1, wireSum(digit)],
          ],
          1,
        );
        this.rows.add({ a: wireSum(digit), b: withConstant(rest) });
      }
    }
    return digits;
  }

  /**
   * The index of the greatest of some sums, of the first where several are equal: n * (width + 2) + 1 rows, for
   * differences in [0, 2^width). For every j, greatest - sum[j] is shown to be at least 0, or at least 1 where j comes
   * before the winner, by its digits d; `winner * (1 - winner - k * d) = 0` with k > n then makes the winners one-hot:
   * each is 0 or 1 - k * d, and m of them, m <= n, add up to m - k * (sum of d) = 1 only where m = 1 and d = 0.
   */
  choice(name: string, sums: readonly Sum[], width: number): Sum {
    const count = sums.length;
    const winners = this.take(`${name}Winner`, count);
    const [greatest = 0] = this.take(`${name}Greatest`, 1, false);
    this.plan.addStep(STEP.choice, [
      winners[0] as number,
      greatest,
      this.plan.addSums(...sums),
      count,
    ]);
    const factor = 2 ** Math.ceil(Math.log2(count + 1));
    const differenceRows: number[] = [];
    const choiceRows: number[] = [];
    for (const [index, sum] of sums.entries()) {
      // 1 for an index before the winner, else 0
      const isBefore = exactly(
        winners.slice(0, index + 1).map((winner) => [-1, wireSum(winner)] as const),
        1,
      );
      const difference = exactly([
        [1, wireSum(greatest)],
        [-1, sum],
        [-1, isBefore],
      ]);
      const digits = this.digits(`${name}Difference${index}`, difference, width);
      differenceRows.push(this.rows.count - 1);
      const winner = winners[index] as number;
      const rest = exactly(
        [
          [-1, wireSum(winner)],
          [-factor, digitSum(digits)],
        ],
        1,
      );
      choiceRows.push(this.rows.add({ a: wireSum(winner), b: withConstant(rest) }));
    }
    const all = exactly(
      winners.map((winner) => [1, wireSum(winner)] as const),
      -1,
    );
    const sumRow = this.requireZero(all);
    this.choices.push({ winners, greatest, sumRow, differenceRows, choiceRows });
    return exactly(winners.map((winner, index) => [index, wireSum(winner)] as const));
  }

  /**
   * For each of some numbers in order, whether a sum in [minimum, maximum] is at least that number: a row for each, one
   * for all, and two sets of digits as long as the longest interval between them. `readRank` says why the place is pinned.
   */
  rank(
    name: string,
    sum: Sum,
    starts: readonly number[],
    range: { minimum: number; maximum: number },
  ): Sum[] {
    const { minimum, maximum } = range;
    const places = this.take(`${name}Place`, starts.length);
    const distances = starts.map((start) => exactly([[1, sum]], -start));
    this.plan.addStep(STEP.place, [
      places[0] as number,
      this.plan.addSums(...distances),
      starts.length,
    ]);
    for (const place of places) this.requireBoolean(place);
    const total = exactly(places.map((place) => [1, wireSum(place)] as const));
    const rest = withConstant({ ...total, constant: -1 });
    const totalRow = this.rows.add({ a: withConstant(total), b: rest });
    const lows = [minimum, ...starts];
    const highs = [...starts.map((start) => start - 1), maximum];
    const longest = lows.reduce((most, low, at) => Math.max(most, (highs[at] ?? 0) - low), 1);
    const width = longest.toString(2).length;
    const chosen = (ends: readonly number[]): Sum =>
      exactly(
        places.map(
          (place, at) => [(ends[at + 1] as number) - (ends[0] as number), wireSum(place)] as const,
        ),
        ends[0],
      );
    const distance = (sign: 1 | -1, ends: readonly number[]): Sum =>
      exactly([
        [sign, sum],
        [-sign, chosen(ends)],
      ]);
    const above = this.digits(`${name}Above`, distance(1, lows), width);
    const aboveRow = this.rows.count - 1;
    const short = this.digits(`${name}Short`, distance(-1, highs), width);
    const shortRow = this.rows.count - 1;
    this.ranks.push({ places, above, short, totalRow, aboveRow, shortRow });
    for (const wire of sum.wires) this.#unranged.delete(wire);
    return starts.map((_, at) =>
      exactly(places.slice(at).map((place) => [1, wireSum(place)] as const)),
    );
  }

  #hintDigits(parameters: {
    name: string;
    sum: Sum;
    width: number;
    limit: number;
    product?: Product | undefined;
  }): number[] {
    const { name, sum, width, limit, product } = parameters;
    const digits = this.take(name, width);
    const [first = 0] = digits;
    let whole = sum;
    if (product !== undefined) {
      // the first digit's wire holds the product until the digits are written
      this.#addProductStep(first, product);
      whole = exactly([
        [1, sum],
        [1, wireSum(first)],
      ]);
    }
    this.plan.addStep(STEP.digits, [first, width, this.plan.addSums(whole)], limit);
    return digits;
  }

  #addProductStep(wire: number, { a, b }: Product): void {
    this.plan.addStep(STEP.product, [wire, ...[a, b].map((sum) => this.plan.addSums(sum))]);
  }
}

const sidesOf = ({ a, b }: Product) => ({ a: withConstant(a), b: withConstant(b) });

/** Where a decomposition is kept: few sums have the same. */
const ends = ({ wires }: Sum): string => `${wires.length} ${wires[0]} ${wires.at(-1)}`;

/** A sum with its constant as the coefficient of wire 0. */
function withConstant(sum: Sum): { wires: number[]; coefficients: number[] } {
  const { wires, coefficients, constant } = sum;
  return constant === 0
    ? { wires: [...wires], coefficients: [...coefficients] }
    : { wires: [0, ...wires], coefficients: [constant, ...coefficients] };
}
