import { describeError, NotYetError, RefusedByEndpointError } from "../../errors.ts";
import { ANY_NUMBER, type Claims } from "../../jobs/leases.ts";
import type { SettleContext } from "./settleContext.ts";

/** Units of work that one step takes at a time. */
const LIMIT = 32;
/** How long a lease lasts that is neither renewed nor given back. */
export const LEASE_SECONDS = 120;
/** Rest of a unit that the endpoint, or the contract for the time being, refused. */
const REFUSED_SECONDS = 5;

/** What is leased, worked on and given back as one: a transaction, or jobs that go into one. */
export type Leasing<Unit> = {
  lease(parameters: { claims: Claims; limit: number; alone: boolean }): Promise<Unit[]>;
  release(unit: Unit, rest?: { error: string; delaySeconds?: number }): Promise<void>;
  /** for the log */
  fieldsOf(unit: Unit): object;
};

type Step<Unit> = {
  context: SettleContext;
  leasing: Leasing<Unit>;
  /** deaths of a process over a unit after which it comes last, and with no other */
  harm?: number;
  /** returns how many jobs it moved on */
  handle: (unit: Unit) => Promise<number>;
};

/**
 * Leases what is due, hands it to `handle` one after another, and gives every lease back. What is refused for
 * now rests, and the others go on; every other error ends the step: it is the endpoint's, or the database's, and meets the
 * next one too. Those over which a process died come last and one by one, so that one which does it again has kept
 * nobody from their turn. Returns how many jobs `handle` moved on.
 */
export async function forEachLeased<Unit>(step: Step<Unit>): Promise<number> {
  const { harm = 1, leasing } = step;
  const harmless: Claims = { from: 0, to: harm - 1 };
  const units = await leasing.lease({ claims: harmless, limit: LIMIT, alone: false });
  return (await handleAll({ step, units })) + (await handleHarmed({ step, harm }));
}

/** Those over which processes died, one by one. Returns how many jobs moved on. */
export async function handleHarmed<Unit>(parameters: {
  step: Step<Unit>;
  harm: number;
}): Promise<number> {
  const { step, harm } = parameters;
  const claims: Claims = { from: harm, to: ANY_NUMBER };
  let moved = 0;
  for (let i = 0; i < LIMIT && !step.context.signal.aborted; i++) {
    const units = await step.leasing.lease({ claims, limit: 1, alone: true });
    if (units.length === 0) break;
    moved += await handleAll({ step, units });
  }
  return moved;
}

/** Works on what is leased, and gives it back. Returns how many jobs moved on. */
export async function handleAll<Unit>(parameters: {
  step: Step<Unit>;
  units: readonly Unit[];
}): Promise<number> {
  const { context, handle, leasing } = parameters.step;
  let moved = 0;
  let failure: { error: unknown } | undefined;
  for (const unit of parameters.units) {
    if (failure !== undefined || context.signal.aborted) {
      await leasing.release(unit);
      continue;
    }
    try {
      moved += await handle(unit);
      await leasing.release(unit);
    } catch (caught) {
      const error = describeError(caught);
      if (caught instanceof RefusedByEndpointError || caught instanceof NotYetError) {
        const fields = { ...leasing.fieldsOf(unit), code: caught.code, error };
        if (caught instanceof NotYetError) context.logger.info(fields, "refused for now: later");
        else context.logger.warn(fields, "refused by the endpoint: later");
        await leasing.release(unit, { error, delaySeconds: REFUSED_SECONDS });
        continue;
      }
      failure = { error: caught };
      await leasing.release(unit, { error });
    }
  }
  if (failure !== undefined) throw failure.error;
  return moved;
}
