/** Requests of the legacy profile, as they are sent: what is hashed, in which class of number, and what is refused. */
export const LEGACY_REQUESTS: Readonly<Record<string, string>> = {
  plain:
    '{"model":"m","messages":[{"role":"user","content":"Hello!"}],"temperature":0.7,"max_tokens":100}',
  outside:
    '{"model":"m","messages":[{"role":"user","content":"x"}],"stream":true,"top_p":0.5,"seed":7,"n":2,"tool_choice":"auto","user":"u"}',
  integerTemperature: '{"model":"m","messages":[],"temperature":1,"max_tokens":0}',
  nulls:
    '{"model":"m","messages":[],"temperature":null,"max_tokens":null,"stop":"","tools":[],"response_format":{},"web_search":false}',
  numberClasses:
    '{"model":"m","messages":[],"max_tokens":1e2,"response_format":{"a":1,"b":1.0,"c":9007199254740993,"d":-0.0}}',
  unicode:
    '{"model":"m","messages":[{"role":"developer","content":"é \\u2028 \\"q\\" \\\\ / \\u007f","name":"n"},{"role":"user","content":"日本 😀"}],"temperature":1e-07}',
  tools:
    '{"model":"m","messages":[{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"c","function":{"arguments":"{}","name":"f"}}]},{"role":"tool","tool_call_id":"c"},{"role":"function","name":"f","content":"ok"},{"role":"assistant","content":"a","tool_calls":[]}],"tools":[{"type":"function","function":{"name":"f","parameters":{"minimum":0.10}}}],"stop":["END"],"web_search":true}',
  parts:
    '{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a","more":1},{"type":"text"},"b",{"type":"image_url","image_url":{"url":"data:x"}},{"type":"file","file":{"filename":"f.pdf","file_data":"y"}},{"type":"file","filename":"g.pdf"}]}]}',
  twice: '{"model":"m","model":"n","messages":[]}',
  role: '{"model":"m","messages":[{"role":"critic","content":"x"}]}',
  messages: '{"model":"m","messages":{}}',
  temperature: '{"model":"m","messages":[],"temperature":"0.7"}',
};

/** The same of `/v1/completions`. */
export const LEGACY_COMPLETIONS: Readonly<Record<string, string>> = {
  completion:
    '{"model":"m","prompt":"p","temperature":0,"max_tokens":5,"stop":"x","tools":[{"a":1}]}',
};

/** Answers of the legacy profile: an answer's one choice. */
export const LEGACY_ANSWERS: Readonly<Record<string, string>> = {
  text: '{"message":{"role":"assistant","content":"Hello, wörld 😀"},"finish_reason":"stop"}',
  tools:
    '{"message":{"role":"assistant","content":"w","tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":"{\\"a\\": 1}"}}]},"finish_reason":"tool_calls"}',
  empty: '{"message":{"role":"assistant","content":null},"finish_reason":"length"}',
};

/** Time of the message that is hashed, in unix seconds. */
export const LEGACY_TIMESTAMP = 1_700_000_000n;
