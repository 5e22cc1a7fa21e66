import { expect, it } from "vitest";
import { checkCalls } from "./checkCalls.ts";

const check = (text: string) => checkCalls({ files: new Set(["a.ts", "a.md"]), read: () => text });
const call = (target: string, name: string) => `await ${target}.${"getFunction"}(${name})();\n`;

it("wants functions of contracts by their types, and not by a bare string", () => {
  const problem = "getFunction of a bare string: contractAt and deployMock have typed functions";
  expect(check(`\n${call("token", '"transfer"')}`)).toEqual([`a.ts:2: ${problem}`]);
  expect(check(call("of(1)\n  ", "\n  'transfer'"))).toEqual([`a.ts:2: ${problem}`]);
  expect(check(call("token", "name"))).toEqual([]);
  expect(check(call("token.interface", '"transfer"'))).toEqual([]);
  expect(check(call("abi", '"authority()"'))).toEqual([]);
});
