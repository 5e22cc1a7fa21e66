const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const raw = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);
const BOM = [0xef, 0xbb, 0xbf];

/** Texts that two profiles read, each by its rules: what is taken, what is changed, what is refused. */
export const TEXTS: Readonly<Record<string, Uint8Array>> = {
  // Numbers, literals and the order of keys as in RFC 8785, sections 3.2.2 to 3.2.4.
  rfc8785Values: utf8(
    '{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],' +
      '"string": "\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/", "literals": [null, true, false]}',
  ),
  rfc8785Order: utf8(
    '{"\\u20ac": "Euro Sign", "\\r": "Carriage Return", "\\ufb33": "Hebrew Letter Dalet With Dagesh",' +
      '"1": "One", "\\ud83d\\ude00": "Emoji: Grinning Face", "\\u0080": "Control",' +
      '"\\u00f6": "Latin Small Letter O With Diaeresis"}',
  ),
  chat: utf8(
    '{ "model": "m", "messages": [ { "role": "user", "content": "Grüße, 日本 \\ud83d\\ude00" } ],\r\n\t"temperature": 1.0, "max_tokens": 100 }',
  ),
  white: utf8(" [ ] "),
  deep64: utf8(`${"[".repeat(64)}${"]".repeat(64)}`),
  deep65: utf8(`${"[".repeat(65)}${"]".repeat(65)}`),
  minusZero: utf8("[-0, -0.0, 0e5]"),
  classes: utf8("[1, 1.0, 1e2, 100, 1e-7, 0.0001, 1e15, 1e16, 1e20, 1.5e16, 5e-324]"),
  overflow: utf8("[1e400]"),
  minusOverflow: utf8("[-1e400]"),
  greatestDouble: utf8("[1.7976931348623157e308]"),
  underflow: utf8("[1e-400]"),
  greatestInteger: utf8("[9007199254740991, -9007199254740991]"),
  above53Bits: utf8("[9007199254740993]"),
  below53Bits: utf8("[-9007199254740992]"),
  above53BitsAsDecimal: utf8("[9007199254740993.0, 9007199254740993e0]"),
  leadingZero: utf8("[01]"),
  plusSign: utf8("[+1]"),
  notANumber: utf8("[NaN]"),
  point: utf8("[1.]"),
  twice: utf8('{"a": 1, "a": 2}'),
  twiceEscaped: utf8('{"a": 1, "\\u0061": 2}'),
  twiceInside: utf8('[{"b": {"": 1, "": 1}}]'),
  proto: utf8('{"__proto__": {"a": 1}, "constructor": 2}'),
  loneHigh: utf8('["\\ud83d"]'),
  loneLow: utf8('["\\ude00\\ud83d"]'),
  loneInKey: utf8('{"\\udead": 1}'),
  loneRaw: raw(0x5b, 0x22, 0xed, 0xa0, 0xbd, 0x22, 0x5d),
  pairHalfRaw: utf8('["\\ud83d😀"]'),
  notUtf8: raw(0x22, 0xff, 0x22),
  overlong: raw(0x22, 0xc0, 0xaf, 0x22),
  nulEscaped: utf8('["a\\u0000b"]'),
  nulRaw: raw(0x22, 0x00, 0x22),
  nulAfter: raw(0x31, 0x00),
  tabRaw: utf8('["a\tb"]'),
  delete: raw(0x22, 0x7f, 0x22),
  byteOrderMark: raw(...BOM, 0x31),
  byteOrderMarkInside: raw(0x22, ...BOM, 0x22),
  lineSeparators: utf8('["\\u2028\\u2029\u2028"]'),
  notAnEscape: utf8('["\\x41"]'),
  shortEscape: utf8('["\\u12"]'),
  noEnd: utf8('["a'),
  trailingComma: utf8("[1,]"),
  comment: utf8("[1] // one"),
  two: utf8("{} {}"),
  empty: utf8(""),
  noBreakSpace: utf8("\u00a0[]"),
};

/** Answers as they are sent, without the signature. */
export const ANSWERS: Readonly<Record<string, string>> = {
  text: '{"id":"chatcmpl-1","object":"chat.completion","created":1800000000,"model":"m","system_fingerprint":"fp","choices":[{"index":0,"message":{"role":"assistant","content":"Grüße 😀"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}',
  tools:
    '{"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{\\"a\\": 1.0}"}}]},"finish_reason":"tool_calls"}]}',
  completion: '{"model":"m","choices":[{"index":0,"text":"a\\u0000b","finish_reason":"length"}]}',
};
