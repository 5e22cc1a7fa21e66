/** Text from a chain, for a terminal: nothing in it can move the cursor, begin a line or hide characters. */
export const printable = (text: string): string => text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "?");
