import { BaseError } from "../src/baseError.ts";

/** The `BaseError` that `action` throws; anything else, and nothing, fails the test. */
export function catchError(action: () => unknown): BaseError {
  try {
    action();
  } catch (error) {
    if (error instanceof BaseError) return error;
    throw error;
  }
  throw new Error("expected a BaseError");
}
