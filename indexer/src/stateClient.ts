import { createPublicClient, http } from "viem";
import { readSettings } from "../launch/readSettings.ts";

/**
 * Reads contracts, at the head or by a block's number. Ponder's own client keeps such answers across restarts, and a
 * reorganisation that happened in between gives the number to another block.
 */
export const stateClient = createPublicClient({
  transport: http(readSettings(process.env).rpcUrl),
});
