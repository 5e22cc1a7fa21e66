import type { JsonRpcProvider } from "ethers";
import type { Call } from "./signCall.ts";

/** Room above the estimate: the state may have changed a little when the transaction is mined. */
const GAS_MARGIN = { numerator: 12n, denominator: 10n };
/** Kinds of calls whose limits are remembered; calldata of ever other lengths must not fill the memory. */
const MOST_KINDS = 256;

/**
 * Gas limits of an account's calls. To estimate one, an endpoint runs the call a dozen times; to see that it succeeds
 * with a limit, once. So what the last call of its kind was given, the same function with as much calldata, is tried
 * first, and estimated again where that does not do.
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
      const succeeds = await provider.call({ from, to, data, gasLimit: known }).then(
        () => true,
        // Whatever is wrong, the estimate says it.
        () => false,
      );
      if (succeeds) return known;
    }
    const gas = await provider.estimateGas({ from, to, data });
    const limit = (gas * GAS_MARGIN.numerator) / GAS_MARGIN.denominator;
    if (this.#known.size >= MOST_KINDS) this.#known.clear();
    this.#known.set(kind, limit);
    return limit;
  }
}
