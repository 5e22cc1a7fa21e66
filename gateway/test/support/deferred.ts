/** Something that a test waits for, and that happens elsewhere. */
export class Deferred<Value = void> {
  resolve: (value: Value) => void = () => undefined;
  readonly promise = new Promise<Value>((resolve) => {
    this.resolve = resolve;
  });
}
