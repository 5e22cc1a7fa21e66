import { BaseError } from "@haca/protocol/baseError";
import { getAddress, isAddress, isHexString, parseUnits } from "ethers";

/** Values from the command line. Every error (`governance.badArgument`) names the argument. */
export class Arguments {
  readonly #values: readonly string[];
  readonly #usage: string;
  #next = 0;

  constructor(parameters: { values: readonly string[]; usage: string }) {
    this.#values = parameters.values;
    this.#usage = parameters.usage;
  }

  text(name: string): string {
    const value = this.#values[this.#next];
    this.#next += 1;
    if (value === undefined || value === "") throw this.#error(name, "is missing");
    return value;
  }

  /** The next value, if there is one. */
  optional(): string | undefined {
    const value = this.#values[this.#next];
    this.#next += 1;
    return value;
  }

  /** The next value if it is one of these; otherwise it is left for what comes next. */
  oneOf<Name extends string>(names: readonly Name[]): Name | undefined {
    const found = names.find((name) => name === this.#values[this.#next]);
    if (found !== undefined) this.#next += 1;
    return found;
  }

  address(name: string): string {
    const value = this.text(name);
    if (!/^0x/.test(value) || !isAddress(value)) throw this.#error(name, `${value} is no address`);
    return getAddress(value);
  }

  integer(name: string, limits: { minimum: bigint; maximum: bigint }): bigint {
    const value = this.text(name);
    const { minimum, maximum } = limits;
    if (!/^[0-9]+$/.test(value) || BigInt(value) < minimum || BigInt(value) > maximum) {
      throw this.#error(name, `${value} is no integer from ${minimum} to ${maximum}`);
    }
    return BigInt(value);
  }

  /** An amount of OPG, in the smallest unit. */
  tokens(name: string): bigint {
    const value = this.text(name);
    if (!/^[0-9]+(\.[0-9]{1,18})?$/.test(value)) {
      throw this.#error(name, `${value} is no amount of OPG, such as 1000 or 0.5`);
    }
    return parseUnits(value, 18);
  }

  bytes(name: string, length: number): string {
    const value = this.text(name);
    if (!isHexString(value, length))
      throw this.#error(name, `must be 0x and ${2 * length} hex digits`);
    return value;
  }

  /** Refuses values that nothing asked for. */
  end(): void {
    const surplus = this.#values[this.#next];
    if (surplus !== undefined) throw this.#error(surplus, "is one argument too many");
  }

  #error(name: string, reason: string): BaseError {
    return new BaseError({
      code: "governance.badArgument",
      message: `${name} ${reason}; usage: ${this.#usage}`,
    });
  }
}
