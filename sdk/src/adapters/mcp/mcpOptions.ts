import type { Haca } from "../../client/createHaca.ts";
import type { Policy } from "../../isVerified.ts";
import type { Pins } from "../../pins.ts";
import type { Receipt } from "../../receipt/receipt.ts";

export type McpOptions = {
  /** what is asked; pays nothing unless it was made to */
  haca: Haca;
  /** with what receipts are checked that come from elsewhere */
  pins: Pins;
  rpcs?: readonly string[];
  /** of a client whose requests are oblivious: leaves out the tool `infer`, which it would refuse */
  isOblivious?: boolean;
  policy?: Policy;
  /** told of each answer's receipt before the answer is given; where it throws, the answer is not */
  keep?: ((receipt: Receipt) => void | Promise<void>) | undefined;
  /** told of what failed, in words that may be a stranger's: callers get its code */
  onError?: ((error: unknown) => void) | undefined;
};
