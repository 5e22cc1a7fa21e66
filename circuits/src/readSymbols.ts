/**
 * Signals of a circuit by name, without the leading `main.`, from circom's `.sym` file. The value is the wire in
 * the witness, or -1 for a signal that the compiler replaced by an expression over others.
 */
export function readSymbols(text: string): Map<string, number> {
  const wires = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, wire, , name] = line.split(",");
    if (wire !== undefined && name !== undefined) {
      wires.set(name.replace(/^main\./, ""), Number(wire));
    }
  }
  return wires;
}
