import { BaseError } from "@haca/protocol/baseError";
import { parseSalt } from "@haca/protocol/inputCommitment";
import { InvalidArgumentError } from "commander";
import type { InputRange } from "../quantise/options.ts";
import { findNativeProver } from "../setup/nativeProver.ts";

/** Makes keys where it is built; snarkjs otherwise. */
export function nativeProver(): { prover?: string } {
  const prover = findNativeProver({ setting: process.env.HACA_PROVER });
  return prover === undefined ? {} : { prover };
}

export function integer(text: string): number {
  if (!/^\d+$/.test(text)) {
    throw new InvalidArgumentError("must be an integer");
  }
  return Number(text);
}

export function share(text: string): number {
  const value = Number(text);
  if (!/^\d*\.?\d+$/.test(text) || !(value > 0)) {
    throw new InvalidArgumentError("must be a number above 0, 0.01 is one percent");
  }
  return value;
}

export function inputRange(text: string): InputRange {
  const match = /^(-?\d+),(-?\d+),(-?\d+)$/.exec(text);
  if (match === null) {
    throw new InvalidArgumentError("must be minimum,maximum,exponent, for example 0,16,0");
  }
  const [minimum, maximum, scaleExponent] = match.slice(1).map(Number) as [number, number, number];
  return { minimum, maximum, scaleExponent };
}

/** What a proof is bound to: a decimal number, or hex after 0x. */
export function context(text: string): bigint {
  if (!/^(\d{1,78}|0x[0-9a-fA-F]{1,64})$/.test(text)) {
    throw new InvalidArgumentError("must be a number, decimal or hex after 0x");
  }
  return BigInt(text);
}

/** What an input is committed with: 0x and 64 hex digits. */
export function salt(text: string): bigint {
  try {
    return parseSalt(text);
  } catch (cause) {
    if (cause instanceof BaseError) throw new InvalidArgumentError(cause.message);
    throw cause;
  }
}

export function address(text: string): string {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) {
    throw new InvalidArgumentError("must be an address, 0x and 40 hex digits");
  }
  return text;
}

export function versionId(text: string): string {
  if (!/^0x[0-9a-fA-F]{64}$/.test(text)) {
    throw new InvalidArgumentError("must be 0x and 64 hex digits");
  }
  return text.toLowerCase();
}

/** What a person asked for. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** What was done on the way, beside an answer that programs read. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** What was asked for in a wrong way: its exit code is that of a wrong option. */
export function usage(message: string): BaseError {
  return new BaseError({ code: "cli.usage", message });
}
