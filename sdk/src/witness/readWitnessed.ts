import { isOfEnclave } from "../checks/ofMessage.ts";
import type { ReceiptCore } from "../receipt/receipt.ts";
import { type Admission, readAdmission } from "./readAdmission.ts";
import { readFate, type WitnessedFate } from "./readFate.ts";
import type { State } from "./state.ts";
import type { StorageLayout } from "./storageLayout.ts";

/** What a state shows of a receipt; of a node without an enclave there is no admission. */
export type Witnessed = { fate: WitnessedFate; admission: Admission | undefined };

/** Whoever makes a witness reads the same as who checks it, so that it has all that is asked of it, and nothing else. */
export async function readWitnessed(
  state: State,
  question: { core: ReceiptCore; layout: StorageLayout },
): Promise<Witnessed> {
  const fate = await readFate(state, question);
  const admission = isOfEnclave(question.core) ? await readAdmission(state, question) : undefined;
  return { fate, admission };
}
