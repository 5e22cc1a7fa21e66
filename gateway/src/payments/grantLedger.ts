import { Journal } from "../journal/journal.ts";
import { type Grant, grantSchema, isGivenBack } from "./grant.ts";

/** Time for which an ended grant is kept. Its payment cannot be used any more by far then, and is taken for no new one. */
const KEEP_MS = 86_400_000;

/** Which payment was granted for which request: one grant for each nonce of a payer. */
export class GrantLedger extends Journal<Grant> {
  /** @throws StartError where the folder cannot be used, or its journal is not one */
  static async open(folder: string): Promise<GrantLedger> {
    const file = "payments.journal";
    const ledger = new GrantLedger(folder, { file, what: "grant", schema: grantSchema, isKept });
    await ledger.load();
    return ledger;
  }

  /**
   * The payer's grant that was named so, unless its money went back, or it is one that a restart would not find: then the name is
   * free. @param by what is noted of the name
   */
  namedBy(payer: string, by: string): Grant | undefined {
    return this.of(payer).find(
      (grant) => grant.named?.by === by && !isGivenBack(grant) && isKept(grant),
    );
  }
}

function isKept({ at, isSealed, route, state }: Grant): boolean {
  if (at >= Date.now() - KEEP_MS) return true;
  // Of a transfer that was never known to be made, whoever made it would have come again by now.
  const isOver = state === "answered" || state === "ended";
  return !isOver && isSealed === undefined && !(state === "opening" && route === "exact");
}
