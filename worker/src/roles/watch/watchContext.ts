import type { Block } from "ethers";
import type { Sender } from "../../transactions/sender.ts";
import type { VerifierContext } from "../../verifier/verifierContext.ts";

/** Up to which price an account sends, and when more is at stake than a price. */
export type Senders = {
  /** below the usual ceiling */
  calm: Sender;
  /** below that for what is due soon */
  urgent: Sender;
  /** seconds before its end from which on something is due soon */
  urgentSeconds: bigint;
};

/** What every step of the roles watch and validate works with that sends something. */
export type WatchContext = VerifierContext & {
  senders: Senders;
  /** leaves of a page whose blob cannot be read that are asked for, one after another; 0: none */
  requestLeaves: number;
  /** deposits for leaves of a page that may be lost, in smallest units of OPG */
  requestBudget: bigint;
  /** for how long a blob cannot be read before that, in seconds */
  requestAfterSeconds: number;
  /** proofs of a page's leaves that are demanded at most where nothing shows that they are wrong */
  demandProofs: number;
  /** whether leaves that others ask for are shown */
  answersRequests: boolean;
};

/** A step of a role that sends something. */
export type Step = (parameters: {
  context: WatchContext;
  sender: Sender;
  head: Block;
}) => Promise<void>;

/** Until when something has to be sent, in unix seconds and not before now; undefined where there is nothing. */
export type Due = (parameters: {
  context: WatchContext;
  now: bigint;
}) => Promise<bigint | undefined>;
