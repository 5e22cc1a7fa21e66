/** Sum of coefficient * wire; wire 0 is the constant 1. Wires are distinct. */
export type Terms = { wires: readonly number[]; coefficients: readonly number[] };

/** The same with coefficients of the field that no double holds: only rows that are read in the field alone have them. */
export type FieldTerms = { wires: readonly number[]; coefficients: readonly bigint[] };

/** The three sums of a row. */
export const SIDES = ["a", "b", "c"] as const;

/**
 * The rows of a circuit, a * b = c, in typed arrays that grow. Coefficients are doubles that hold integers exactly, up to
 * a power of two times what a double holds; wider ones, of the constant and of rows of the field, are kept apart.
 */
export class Rows {
  #starts = new Uint32Array(1024);
  #wires = new Uint32Array(4096);
  #coefficients = new Float64Array(4096);
  #sums = 0;
  #terms = 0;
  readonly #wide = new Map<number, bigint>();

  get count(): number {
    return this.#sums / SIDES.length;
  }

  get nonZeros(): number {
    return this.#terms;
  }

  /** The first term of every side, in order, and the end of the last. */
  get starts(): Uint32Array {
    return this.#starts.subarray(0, this.#sums + 1);
  }

  get wires(): Uint32Array {
    return this.#wires.subarray(0, this.#terms);
  }

  /** Where `wide` has an entry for a term, only near the coefficient. */
  get coefficients(): Float64Array {
    return this.#coefficients.subarray(0, this.#terms);
  }

  /** Coefficients that no double holds, by term. */
  get wide(): ReadonlyMap<number, bigint> {
    return this.#wide;
  }

  /** Adds the row a * b = c and returns its number. */
  add(row: { a?: Terms; b?: Terms; c?: Terms | FieldTerms }): number {
    for (const side of SIDES) this.#addSum(row[side]);
    return this.count - 1;
  }

  /** Adds 0 = terms + constant: weights stand in c alone, which costs nothing when a proof is made. */
  addLinear(terms: Terms | FieldTerms, constant: number | bigint): number {
    this.#addSum();
    this.#addSum();
    if (constant !== 0 && constant !== 0n) this.#addTerm(0, constant);
    this.#addSum(terms);
    return this.count - 1;
  }

  /** A term's coefficient, whatever its size. */
  exact(term: number): bigint {
    return this.#wide.get(term) ?? BigInt(this.#coefficients[term] as number);
  }

  /** The terms of a row's side; of coefficients that no double holds what is near them. */
  side(row: number, side: (typeof SIDES)[number]): Terms {
    const index = row * SIDES.length + SIDES.indexOf(side);
    const [start, end] = [this.#starts[index], this.#starts[index + 1]];
    return {
      wires: [...this.#wires.subarray(start, end)],
      coefficients: [...this.#coefficients.subarray(start, end)],
    };
  }

  #addSum(terms?: Terms | FieldTerms): void {
    if (terms !== undefined) {
      for (let index = 0; index < terms.wires.length; index++) {
        this.#addTerm(terms.wires[index] as number, terms.coefficients[index] as number | bigint);
      }
    }
    if (this.#sums + 2 > this.#starts.length) {
      this.#starts = doubled(this.#starts, Uint32Array);
    }
    this.#sums += 1;
    this.#starts[this.#sums] = this.#terms;
  }

  #addTerm(wire: number, coefficient: number | bigint): void {
    const near = Number(coefficient);
    if (typeof coefficient === "bigint" && BigInt(near) !== coefficient) {
      this.#wide.set(this.#terms, coefficient);
    }
    if (this.#terms === this.#wires.length) {
      this.#wires = doubled(this.#wires, Uint32Array);
      this.#coefficients = doubled(this.#coefficients, Float64Array);
    }
    this.#wires[this.#terms] = wire;
    this.#coefficients[this.#terms] = near;
    this.#terms += 1;
  }
}

/** An array of twice the length that starts with the same. */
export function doubled<T extends Uint32Array | Float64Array>(
  array: T,
  kind: new (length: number) => T,
): T {
  const larger = new kind(array.length * 2);
  larger.set(array);
  return larger;
}
