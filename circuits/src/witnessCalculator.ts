import { BaseError } from "@haca/protocol/baseError";

/** Order of the scalar field of BN254: what signals are computed modulo. */
export const FIELD_ORDER =
  21888242871839275222246405745257275088548364400416034343698204186575808495617n;

/** The representative of `value` in [0, FIELD_ORDER). */
export function toField(value: bigint): bigint {
  const rest = value % FIELD_ORDER;
  return rest < 0n ? rest + FIELD_ORDER : rest;
}

/** The representative of a field element in (-FIELD_ORDER / 2, FIELD_ORDER / 2). */
export function toSigned(element: bigint): bigint {
  return element > FIELD_ORDER / 2n ? element - FIELD_ORDER : element;
}

/** Values of input signals by name; nested arrays are flattened. */
export type SignalValues = Readonly<Record<string, bigint | readonly bigint[]>>;

export type WitnessCalculator = {
  /**
   * Computes every wire. Throws `witness.unsatisfiable` where an assertion or a constraint fails, with the
   * circuit's own trace in the message, and `witness.inputInvalid` for a signal that is unknown, missing or of
   * the wrong length.
   */
  calculate: (signals: SignalValues) => bigint[];
};

/** The exports of a program that circom 2 generates. */
type CircuitExports = {
  init: (sanityCheck: number) => void;
  getFieldNumLen32: () => number;
  getWitnessSize: () => number;
  getInputSize: () => number;
  getInputSignalSize: (hashHigh: number, hashLow: number) => number;
  setInputSignal: (hashHigh: number, hashLow: number, index: number) => void;
  writeSharedRWMemory: (index: number, word: number) => void;
  readSharedRWMemory: (index: number) => number;
  getWitness: (wire: number) => void;
  getMessageChar: () => number;
};

/** Why the program stopped, by the code it passes to `exceptionHandler`. */
const EXCEPTIONS = new Map([
  [1, "signal not found"],
  [2, "too many signals set"],
  [3, "signal already set"],
  [4, "a constraint or assertion fails"],
  [5, "not enough memory"],
  [6, "input array index out of range"],
]);
const ASSERT_FAILED = 4;

/** Loads the witness program (`.wasm`) of a circuit; `calculate` may be called any number of times. */
export async function createWitnessCalculator(wasm: Uint8Array): Promise<WitnessCalculator> {
  const module = await WebAssembly.compile(wasm);
  let messages = "";
  const readMessage = (): string => {
    let text = "";
    for (let char = circuit.getMessageChar(); char !== 0; char = circuit.getMessageChar()) {
      text += String.fromCharCode(char);
    }
    return text;
  };
  const instance = await WebAssembly.instantiate(module, {
    runtime: {
      exceptionHandler: (code: number) => {
        throw new BaseError({
          code: code === ASSERT_FAILED ? "witness.unsatisfiable" : "witness.inputInvalid",
          message: `${EXCEPTIONS.get(code) ?? `error ${code}`}${messages === "" ? "" : `: ${messages.trim()}`}`,
        });
      },
      printErrorMessage: () => {
        messages += `${readMessage()} `;
      },
      writeBufferMessage: readMessage,
      showSharedRWMemory: () => {},
    },
  });
  const circuit = instance.exports as unknown as CircuitExports;
  const words = circuit.getFieldNumLen32();

  const set = (name: string, values: readonly bigint[]): void => {
    const [high, low] = signalHash(name);
    const size = circuit.getInputSignalSize(high, low);
    if (size !== values.length) {
      throw new BaseError({
        code: "witness.inputInvalid",
        message:
          size < 0
            ? `the circuit has no input signal ${name}`
            : `${name} has ${size} elements, got ${values.length}`,
      });
    }
    for (const [index, value] of values.entries()) {
      let rest = toField(value);
      for (let i = 0; i < words; i++) {
        circuit.writeSharedRWMemory(i, Number(rest & 0xffff_ffffn));
        rest >>= 32n;
      }
      circuit.setInputSignal(high, low, index);
    }
  };
  const read = (wire: number): bigint => {
    circuit.getWitness(wire);
    let value = 0n;
    for (let i = words - 1; i >= 0; i--) {
      value = (value << 32n) | BigInt(circuit.readSharedRWMemory(i) >>> 0);
    }
    return value;
  };
  return {
    calculate: (signals) => {
      messages = "";
      circuit.init(0);
      const given = Object.entries(signals).map(
        ([name, value]) => [name, typeof value === "bigint" ? [value] : value] as const,
      );
      const count = given.reduce((sum, [, values]) => sum + values.length, 0);
      const expected = circuit.getInputSize();
      if (count !== expected) {
        throw new BaseError({
          code: "witness.inputInvalid",
          message: `the circuit has ${expected} input elements, got ${count}`,
        });
      }
      for (const [name, values] of given) {
        set(name, values);
      }
      return Array.from({ length: circuit.getWitnessSize() }, (_, wire) => read(wire));
    },
  };
}

/** 64-bit FNV-1a of a signal's name, as two 32-bit halves: how the program names its inputs. */
function signalHash(name: string): [high: number, low: number] {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(name, "utf8")) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return [Number(hash >> 32n), Number(hash & 0xffff_ffffn)];
}
