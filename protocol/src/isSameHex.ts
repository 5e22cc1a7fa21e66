/** Whether two addresses or hashes are the same, in whatever letters they are written. */
export const isSameHex = (a: string | undefined, b: string | undefined): boolean =>
  a?.toLowerCase() === b?.toLowerCase();
