/** What a version's input words are, in the order of `IModelRegistry.InputMode`: packed tensors, or one commitment to them. */
export const REGISTERED_INPUT_MODES = ["packed", "committed"] as const;
export type RegisteredInputMode = (typeof REGISTERED_INPUT_MODES)[number];

/** Name of an `IModelRegistry.InputMode`. The contract's ABI admits no other value. */
export function registeredInputMode(inputMode: number): RegisteredInputMode {
  const name = REGISTERED_INPUT_MODES[inputMode];
  if (name === undefined) {
    throw new RangeError(
      `input mode must be below ${REGISTERED_INPUT_MODES.length}, got ${inputMode}`,
    );
  }
  return name;
}
