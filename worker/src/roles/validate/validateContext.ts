import type { Wallet } from "ethers";
import type { VerifierContext } from "../../verifier/verifierContext.ts";
import type { WatchContext } from "../watch/watchContext.ts";
import type { Peer } from "./peer.ts";

/** What every step of the role `validate` works with. */
export type ValidateContext = WatchContext &
  VerifierContext & {
    /** address of `ValidatorStaking` */
    staking: string;
    /** signs, and pays for nothing */
    key: Wallet;
    peers: readonly Peer[];
    /** own part of fees in smallest units of OPG, from which on pages are paid */
    payMinimum: bigint;
  };
