import { BaseError } from "@haca/protocol/baseError";
import { LogSlices } from "@haca/protocol/logSlices";
import type { Report } from "../../lib/progress.ts";
import type { ChainReader, Log } from "./chainReader.ts";
import { RpcError } from "./rpc.ts";

const NO_SUCH_METHOD = -32601;

/**
 * All logs of some contracts from one block to another, whatever range the endpoint allows in one request. Endpoints
 * word their limits as they like, so that any refusal counts as one until a single block is refused; then the error,
 * `chain.noLogs`, says how the endpoint put it.
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
  let last = from;
  try {
    return await new LogSlices(isAboutRange).read({
      ...{ from, to },
      readSlice: async (start, end) => {
        last = start;
        const logs = await reader.logs({ ...filter, from: start, to: end });
        report?.(`events up to block ${end} of ${to}`);
        return logs;
      },
    });
  } catch (error) {
    if (!isRefusal(error)) throw error;
    throw new BaseError({
      code: "chain.noLogs",
      message: `the endpoint gives no events, not even of block ${last} alone: ${error.message}`,
      cause: error,
    });
  }
}

const isRefusal = (error: unknown): error is BaseError =>
  error instanceof RpcError || (error instanceof BaseError && error.code === "chain.httpStatus");

const isAboutRange = (error: unknown): boolean =>
  isRefusal(error) && !(error instanceof RpcError && error.rpcCode === NO_SUCH_METHOD);
