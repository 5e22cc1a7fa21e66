import { concat, dataLength, dataSlice, toBeHex } from "ethers";

/** Programs that a simulated contract creation runs; what a creation returns is its answer. Nothing is sent. */

const push2 = (value: number): string => `61${value.toString(16).padStart(4, "0")}`;
const push4 = (value: number): string => `63${value.toString(16).padStart(8, "0")}`;

/** Answers the number 1. */
export const CONTROL = "0x600160005260206000f3";

/** Opcodes younger than London that a compiler may use, each in a program that ends well where it is known. */
export const OPCODES: readonly { name: string; opcode: number; program: string }[] = [
  { name: "PUSH0", opcode: 0x5f, program: "0x5f5ff3" },
  { name: "MCOPY", opcode: 0x5e, program: "0x6001600060005e60006000f3" },
  { name: "TLOAD", opcode: 0x5c, program: "0x60005c5060006000f3" },
  { name: "TSTORE", opcode: 0x5d, program: "0x600160005d60006000f3" },
  { name: "CLZ", opcode: 0x1e, program: "0x60011e5060006000f3" },
];

/** Leaves a contract of so many bytes. */
export const codeOfSize = (bytes: number): string => `0x${push2(bytes)}6000f3`;

/** Calls a precompiled contract and answers whether it succeeded, what it took, how much it said and what. */
export function measurement(parameters: {
  address: number;
  input: string;
  /** room for its answer, in bytes */
  outputLength: number;
  /** gas for the call; all that there is if not given. A call that fails burns it */
  gas?: number;
}): string {
  const { address, input, outputLength, gas } = parameters;
  const length = dataLength(input);
  // Behind the input: success, gas, length of the answer, answer.
  const result = Math.ceil(length / 32) * 32;
  const program = (codeLength: number): string =>
    [
      ...[push2(length), push2(codeLength), push2(0), "39"], // CODECOPY(0, codeLength, length)
      "5a", // GAS
      ...[push2(outputLength), push2(result + 96), push2(length), push2(0)],
      ...[push2(address), gas === undefined ? "5a" : push4(gas), "fa"], // STATICCALL
      ...["5a", "90", push2(result), "52"], // GAS, success to memory
      ...["90", "03", push2(result + 32), "52"], // difference of gas to memory
      ...["3d", push2(result + 64), "52"], // RETURNDATASIZE to memory
      ...[push2(96 + outputLength), push2(result), "f3"], // RETURN
    ].join("");
  const codeLength = program(0).length / 2;
  return concat([`0x${program(codeLength)}`, input]);
}

/** What `measurement` answered; of a longer answer than there was room for, the beginning. */
export function readMeasurement(answer: string): { isDone: boolean; gas: number; output: string } {
  const number = (word: number): number =>
    Number(BigInt(dataSlice(answer, 32 * word, 32 * (word + 1))));
  const end = Math.min(96 + number(2), dataLength(answer));
  return { isDone: number(0) === 1, gas: number(1), output: dataSlice(answer, 96, end) };
}

const [PUSH1, PUSH32, INVALID] = [0x60, 0x7f, 0xfe];

/**
 * The opcodes that a program uses. The compiler ends the code that can be reached with INVALID; what follows is data,
 * or the code of contracts that it creates, which are artifacts of their own.
 */
export function opcodesOf(bytecode: string): ReadonlySet<number> {
  const bytes = Buffer.from(bytecode.slice(2), "hex");
  const used = new Set<number>();
  for (let index = 0; index < bytes.length; index += 1) {
    const opcode = bytes[index] ?? INVALID;
    if (opcode === INVALID) break;
    used.add(opcode);
    if (opcode >= PUSH1 && opcode <= PUSH32) index += opcode - PUSH1 + 1;
  }
  return used;
}

/** A program that does nothing, in a creation of so many bytes. */
export const creationOfSize = (bytes: number): string =>
  concat([CONTROL, toBeHex(0, bytes - dataLength(CONTROL))]);
