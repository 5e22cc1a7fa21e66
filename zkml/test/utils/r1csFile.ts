/** A sum of a constraint: wires with coefficients, repetitions and zeros included. */
export type Sum = readonly (readonly [wire: number, coefficient: bigint])[];

const FIELD_ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;

/** The bytes of a circuit as circom writes them. */
export function r1csFile(circuit: {
  wires: number;
  outputs: number;
  publicInputs: number;
  constraints: readonly (readonly [Sum, Sum, Sum])[];
}): Buffer {
  const { wires, outputs, publicInputs, constraints } = circuit;
  const header = Buffer.concat([
    u32(32),
    field(FIELD_ORDER),
    ...[wires, outputs, publicInputs, wires - outputs - publicInputs - 1].map(u32),
    u64(wires),
    u32(constraints.length),
  ]);
  const rows = constraints.flatMap((sides) =>
    sides.flatMap((sum) => [
      u32(sum.length),
      ...sum.flatMap(([wire, value]) => [u32(wire), field(modulo(value))]),
    ]),
  );
  const labels = Array.from({ length: wires }, (_, wire) => u64(wire));
  return Buffer.concat([
    Buffer.from("r1cs"),
    u32(1),
    u32(3),
    ...[header, Buffer.concat(rows), Buffer.concat(labels)].flatMap((content, index) => [
      u32(index + 1),
      u64(content.length),
      content,
    ]),
  ]);
}

function modulo(value: bigint): bigint {
  return ((value % FIELD_ORDER) + FIELD_ORDER) % FIELD_ORDER;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function field(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, "0"), "hex").reverse();
}
