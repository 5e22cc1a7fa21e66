import { isEndpoint } from "../chain/jsonRpc.ts";
import type { Deployment } from "../deployment.ts";
import { type PaymentPins, pinsOfDeployment } from "../pay/paymentPins.ts";
import type { Pins } from "../pins.ts";
import { readDeployment } from "../readDeployment.ts";
import { readPins } from "../readPins.ts";
import { readInput, UsageError } from "./readInput.ts";

/** Arguments that several commands take. */

const FILE_LIMIT = 1024 * 1024;

/** The pins of `--pins`. @throws UsageError */
export const pinsIn = (path: string): Promise<Pins> => readFileBy(readPins, path);

/** The deployment file of `--deployment`. @throws UsageError */
export const deploymentIn = (path: string): Promise<Deployment> => readFileBy(readDeployment, path);

/** What payments are compared with, of a deployment file. @throws UsageError */
export const paymentPinsIn = (path: string): Promise<PaymentPins> =>
  readFileBy(pinsOfDeployment, path);

async function readFileBy<T>(read: (written: string) => T, path: string): Promise<T> {
  const bytes = await readInput({ path, limit: FILE_LIMIT });
  if (bytes.length > FILE_LIMIT) throw new UsageError(`${path}: has more than ${FILE_LIMIT} bytes`);
  try {
    return read(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new UsageError(`${path}: ${error instanceof Error ? error.message : "is malformed"}`);
  }
}

/** An address of `--rpc`. @throws UsageError */
export function requireUrl(text: string): void {
  if (isEndpoint(text)) return;
  throw new UsageError("--rpc: must be an address that begins with http:// or https://");
}
