import { LogSlices } from "@haca/protocol/logSlices";
import { type HttpTransport, http, numberToHex } from "viem";

type Filter = { fromBlock?: string; toBlock?: string };

/**
 * JSON-RPC over HTTP that splits what is too much for the endpoint's `eth_getLogs`. Ponder does that too, for the
 * wordings of the limit that it knows.
 */
export function slicingTransport(url: string): HttpTransport {
  const plain = http(url);
  const slices = new LogSlices();
  return (options) => {
    const transport = plain(options);
    const request = (async (body: { method: string; params?: unknown }) => {
      const [filter] = (body.params ?? []) as [Filter?];
      if (body.method !== "eth_getLogs" || !isRange(filter)) return transport.request(body);
      return slices.read({
        from: Number(filter.fromBlock),
        to: Number(filter.toBlock),
        readSlice: (from, to) => {
          const slice = { ...filter, fromBlock: numberToHex(from), toBlock: numberToHex(to) };
          return transport.request({ ...body, params: [slice] }) as Promise<unknown[]>;
        },
      });
    }) as typeof transport.request;
    return { ...transport, request };
  };
}

/** Not one block by its hash, nor up to a tag. */
function isRange(filter: Filter | undefined): filter is Required<Filter> {
  return [filter?.fromBlock, filter?.toBlock].every((end) => end?.startsWith("0x") === true);
}
