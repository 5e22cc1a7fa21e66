import { gasLimitFor } from "@haca/protocol/gasLimit";
import type { JsonRpcProvider } from "ethers";
import type { Call } from "./signCall.ts";

/** How much more than the last call of its kind one may need, for other bytes and other state, and count as alike. */
const ALIKE = { numerator: 21n, denominator: 20n };
/** Kinds of calls whose limits are remembered; calldata of ever other lengths must not fill the memory. */
const MOST_KINDS = 256;

/**
 * Gas limits of an account's calls. To estimate one, an endpoint runs the call a dozen times; to see that it succeeds
 * with a limit, once. So what the last call of its kind needed, the same function with as much calldata, is tried first,
 * and estimated again where that does not do: each limit has its margin above what the call needs now.
 */
export class GasLimits {
  readonly #known = new Map<string, bigint>();

  /** Simulates a call against the chain's present state, which finds one that would revert. Errors are the provider's. */
  async limitOf(parameters: {
    provider: JsonRpcProvider;
    from: string;
    call: Call;
  }): Promise<bigint> {
    const { provider, from, call } = parameters;
    const { to, data } = call;
    const kind = `${to} ${data.slice(0, 10)} ${data.length}`;
    const known = this.#known.get(kind);
    if (known !== undefined) {
      const gasLimit = (known * ALIKE.numerator) / ALIKE.denominator;
      const succeeds = await provider.call({ from, to, data, gasLimit }).then(
        () => true,
        // Whatever is wrong, the estimate says it.
        () => false,
      );
      if (succeeds) return gasLimitFor(known);
    }
    const gas = await provider.estimateGas({ from, to, data });
    if (this.#known.size >= MOST_KINDS) this.#known.clear();
    this.#known.set(kind, gas);
    return gasLimitFor(gas);
  }
}
