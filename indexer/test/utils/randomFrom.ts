import { scalarsFrom } from "../../../test/contracts/utils/randomScalars.ts";

const NOTHING_TO_PICK = "nothing to pick from";

/** A source of choices, the same ones for the same seed. */
export function randomFrom(seed: string) {
  const next = scalarsFrom(seed);
  const below = (limit: number) => Number(next() % BigInt(limit));
  const pick = <T>(items: readonly T[]): T => {
    if (items.length === 0) {
      throw new RangeError(NOTHING_TO_PICK);
    }
    return items[below(items.length)] as T;
  };
  return { below, pick };
}
export type Random = ReturnType<typeof randomFrom>;

/** Runs an operation; false if a contract refused it or there was nothing to do it with. Other errors are thrown. */
export async function isAccepted(operation: () => Promise<unknown>): Promise<boolean> {
  try {
    await operation();
    return true;
  } catch (error) {
    const { message } = error as Error;
    if (message === NOTHING_TO_PICK || message.endsWith(" reverted")) {
      return false;
    }
    throw error;
  }
}
