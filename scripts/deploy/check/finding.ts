/** One comparison of the address book with the chain. */
export type Finding = {
  /** what was compared, in words */
  subject: string;
  expected: string;
  actual: string;
};

export const isMatch = ({ expected, actual }: Finding): boolean => expected === actual;

/** Values as text: addresses and hashes without regard to case. */
export const finding = (subject: string, expected: unknown, actual: unknown): Finding => ({
  subject,
  expected: String(expected).toLowerCase(),
  actual: String(actual).toLowerCase(),
});
