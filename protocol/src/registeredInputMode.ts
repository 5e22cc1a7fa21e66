import { type InputMode, modeOf } from "./inputMode.ts";

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

/** What the registry says of a compiled model's input: whether there is a salt under a commitment is the circuit's alone. */
export const registeredModeOf = (manifest: {
  inputMode?: InputMode | undefined;
}): RegisteredInputMode => (modeOf(manifest) === "packed" ? "packed" : "committed");
