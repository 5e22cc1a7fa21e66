/** What a JSON text says. Objects are maps: a key such as `__proto__` is a key like any other. */
export type Json<Number = number> =
  | null
  | boolean
  | Number
  | string
  | Json<Number>[]
  | JsonObject<Number>;
export type JsonObject<Number = number> = Map<string, Json<Number>>;

/** A number as it stood on the wire: `1`, `1.0` and `1e0` are three. */
export class NumberText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export const isObject = <Number>(value: Json<Number> | undefined): value is JsonObject<Number> =>
  value instanceof Map;

/** An object of what is known in advance; what is undefined is left out. */
export const objectOf = (entries: Readonly<Record<string, Json | undefined>>): JsonObject =>
  new Map(
    Object.entries(entries).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, value] as const],
    ),
  );
