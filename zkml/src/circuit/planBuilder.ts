import { type STEP, STEP_LENGTH, type WitnessPlan } from "@haca/model-runtime/witness/witnessPlan";
import { doubled } from "./rows.ts";
import type { Sum } from "./sum.ts";

/** Collects the steps by which a witness is computed, in typed arrays that grow. */
export class PlanBuilder {
  readonly #starts: number[] = [0];
  readonly #constants: number[] = [];
  readonly #steps: number[] = [];
  readonly #limits: number[] = [];
  #slots = new Uint32Array(4096);
  #coefficients = new Float64Array(4096);
  #terms = 0;

  /** Adds sums, and returns the number of the first. */
  addSums(...sums: readonly Sum[]): number {
    const first = this.#constants.length;
    for (const { wires, coefficients, constant } of sums) {
      while (this.#terms + wires.length > this.#slots.length) {
        this.#slots = doubled(this.#slots, Uint32Array);
        this.#coefficients = doubled(this.#coefficients, Float64Array);
      }
      this.#slots.set(wires, this.#terms);
      this.#coefficients.set(coefficients, this.#terms);
      this.#terms += wires.length;
      this.#starts.push(this.#terms);
      this.#constants.push(constant);
    }
    return first;
  }

  addStep(kind: (typeof STEP)[keyof typeof STEP], operands: readonly number[], limit = 0): void {
    const padding = new Array<number>(STEP_LENGTH - 1 - operands.length).fill(0);
    this.#steps.push(kind, ...operands, ...padding);
    this.#limits.push(limit);
  }

  /** `elementSlot` is what stood for the first element of the input; it becomes the first slot after the wires. */
  finish(
    frame: Omit<
      WitnessPlan,
      "starts" | "slots" | "coefficients" | "constants" | "steps" | "limits"
    > & { elementSlot: number },
  ): WitnessPlan {
    const { elementSlot, ...rest } = frame;
    const slots = this.#slots
      .slice(0, this.#terms)
      .map((slot) => (slot >= elementSlot ? slot - elementSlot + frame.wireCount : slot));
    return {
      ...rest,
      starts: Uint32Array.from(this.#starts),
      slots,
      coefficients: this.#coefficients.slice(0, this.#terms),
      constants: Float64Array.from(this.#constants),
      steps: Uint32Array.from(this.#steps),
      limits: Float64Array.from(this.#limits),
    };
  }
}
