import { expect, it } from "vitest";
import { ChainClock } from "../src/chain/chainClock.ts";

/** A clock of a machine that is `wrong` seconds ahead of the chain, and a chain that makes a block when told. */
function machine(wrong: number) {
  let time = 1_900_000_000;
  let block = time;
  const clock = new ChainClock(
    () => (time + wrong) * 1000,
    () => time * 1000,
  );
  return {
    clock,
    chainTime: () => time,
    pass(seconds: number) {
      time += seconds;
    },
    mine() {
      block = time;
    },
    look: () => clock.observe(block),
  };
}

it.each([0, 5, -5, 25])("a machine that is %d s off gets its own time", (wrong) => {
  const { chainTime, clock, look, mine, pass } = machine(wrong);
  for (let i = 0; i < 5; i++) {
    pass(12);
    mine();
    look();
    expect(clock.aheadSeconds).toBe(0);
    expect(Math.abs(clock.seconds() - chainTime())).toBeLessThanOrEqual(Math.abs(wrong));
  }
});

it.each([90, 3_600, -90, -3_600])("a machine that is %d s off gets the chain's time", (wrong) => {
  const { chainTime, clock, look, mine, pass } = machine(wrong);
  for (let i = 0; i < 3; i++) {
    mine();
    pass(2);
    look();
    pass(10);
  }
  expect(Math.abs(clock.aheadSeconds - wrong)).toBeLessThanOrEqual(2);
  expect(Math.abs(clock.seconds() - chainTime())).toBeLessThanOrEqual(12);
});

it("a chain that makes no blocks, and one that is seldom looked at, raise no doubt", () => {
  const { clock, look, mine, pass } = machine(0);
  for (let i = 0; i < 3; i++) {
    look();
    pass(3_600);
  }
  mine();
  pass(3_000);
  look();
  expect(clock.aheadSeconds).toBe(0);
});

it("no time is given that lies before a block that was seen", () => {
  const { chainTime, clock, look, mine } = machine(-20);
  mine();
  look();
  expect(clock.seconds()).toBe(chainTime());
});
