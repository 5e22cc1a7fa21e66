import type { Explanations } from "./explain.ts";

/** The compiler's panics that a person may meet, by their numbers. */
const PANICS: Readonly<Record<string, string>> = {
  "1": "an assertion failed",
  "17": "arithmetic overflow",
  "18": "division by zero",
  "50": "an index is out of range",
};

/** Of the compiler, and of the libraries that contracts are made of. */
export const COMMON_ERRORS: Explanations = {
  Error: ([reason]) => String(reason),
  Panic: ([code]) => PANICS[String(code)] ?? `panic ${code}`,
  AccessManagedUnauthorized: ([caller]) =>
    `${caller} does not hold the role that this needs (docs/access-control.md)`,
  AccessManagedRequiredDelay: ([caller, delay]) =>
    `${caller} has to schedule this ${delay} seconds ahead`,
  AccessManagedInvalidAuthority: ([authority]) => `${authority} is no access manager`,
  SafeCastOverflowedUintDowncast: ([bits, value]) => `${value} does not fit ${bits} bits`,
  SafeERC20FailedOperation: ([token]) => `token ${token} refuses the transfer`,
  ReentrancyGuardReentrantCall: () => "the contract was called again while it was at work",
  AddressEmptyCode: ([account]) => `there is no contract at ${account}`,
  CloneArgumentsTooLong: () => "what a clone is made with is too long",
  Create2EmptyBytecode: () => "a contract was to be created without code",
  FailedCall: () => "a call of another contract failed without a reason",
  FailedDeployment: () => "a contract that this needs could not be created",
  InsufficientBalance: ([balance, needed]) => `${needed} are needed, and ${balance} are there`,
  InvalidShortString: () => "a text of the contract cannot be read",
  StringTooLong: ([text]) => `text ${JSON.stringify(text)} is longer than 31 bytes`,
};
