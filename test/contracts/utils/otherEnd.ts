/** Hex digits with another last one. One in 256 random values ends in "00", and another end written there changes nothing. */
export const withOtherEnd = (hex: string): string =>
  hex.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
