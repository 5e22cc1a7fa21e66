import { BaseError } from "@haca/protocol/baseError";
import type { Report } from "../../lib/progress.ts";
import type { ChainReader, Log } from "./chainReader.ts";
import { RpcError } from "./rpc.ts";

const NO_SUCH_METHOD = -32601;
const WIDENING = 2;

/**
 * All logs of some contracts from one block to another, whatever range the endpoint allows in one request: a refused
 * range is halved, an answered one doubled. Endpoints word their limits as they like, so that any refusal counts as
 * one until a single block is refused; then the error, `chain.noLogs`, says how the endpoint put it.
 */
export async function readLogs(parameters: {
  reader: ChainReader;
  address: string | readonly string[];
  topics?: readonly (string | readonly string[] | null)[];
  from: number;
  to: number;
  report?: Report;
}): Promise<Log[]> {
  const { reader, from, to, report, ...filter } = parameters;
  const logs: Log[] = [];
  let start = from;
  let width = to - from + 1;
  while (start <= to) {
    const end = Math.min(start + width - 1, to);
    try {
      logs.push(...(await reader.logs({ ...filter, from: start, to: end })));
    } catch (error) {
      width = narrowed(error, end - start + 1, start);
      continue;
    }
    report?.(`events up to block ${end} of ${to}`);
    start = end + 1;
    width *= WIDENING;
  }
  return logs;
}

/** Half the width of a refused range. Throws what is no refusal of its width. */
function narrowed(error: unknown, width: number, start: number): number {
  const isStatus = error instanceof BaseError && error.code === "chain.httpStatus";
  if (!(error instanceof RpcError) && !isStatus) throw error;
  const isMissing = error instanceof RpcError && error.rpcCode === NO_SUCH_METHOD;
  if (isMissing || width <= 1) {
    throw new BaseError({
      code: "chain.noLogs",
      message: `the endpoint gives no events, not even of block ${start} alone: ${error.message}`,
      cause: error,
    });
  }
  return Math.floor(width / 2);
}
