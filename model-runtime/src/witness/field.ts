/** Order of the scalar field of BN254: what circuits compute modulo. */
export const FIELD_ORDER =
  21888242871839275222246405745257275088548364400416034343698204186575808495617n;

/** Bytes of an element in the files of circuits and witnesses. */
export const ELEMENT_BYTES = 32;

const ORDER_WORDS = Array.from({ length: ELEMENT_BYTES / 4 }, (_, index) =>
  Number((FIELD_ORDER >> BigInt(32 * index)) & 0xffff_ffffn),
);

/**
 * Writes an integer of any size and sign as an element of the field, little-endian, at a word of a file that holds
 * zeros there. A double must be an exact integer.
 */
export function writeElement(words: Uint32Array, at: number, value: number | bigint): void {
  if (typeof value === "bigint") {
    writeWide(words, at, value);
  } else if (!Number.isSafeInteger(value)) {
    writeWide(words, at, BigInt(value));
  } else if (value >= 0) {
    words[at] = value;
    words[at + 1] = value / 0x1_0000_0000;
  } else {
    const high = Math.floor(-value / 0x1_0000_0000);
    let borrow = 0;
    for (let index = 0; index < ORDER_WORDS.length; index++) {
      const taken = index === 0 ? -value - high * 0x1_0000_0000 : index === 1 ? high : 0;
      const rest = (ORDER_WORDS[index] as number) - taken - borrow;
      borrow = rest < 0 ? 1 : 0;
      words[at + index] = rest + borrow * 0x1_0000_0000;
    }
  }
}

function writeWide(words: Uint32Array, at: number, value: bigint): void {
  let rest = ((value % FIELD_ORDER) + FIELD_ORDER) % FIELD_ORDER;
  for (let index = 0; index < ELEMENT_BYTES / 4; index++) {
    words[at + index] = Number(rest & 0xffff_ffffn);
    rest >>= 32n;
  }
}
