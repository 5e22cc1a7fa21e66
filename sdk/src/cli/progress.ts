import { printable } from "./print.ts";

const SHOWN_AFTER_MS = 2_000;
const CLEAR_LINE = "\r\u001b[K";

/** What a person is told of something that takes longer than two seconds. */
export type Progress = {
  /** says what is happening; the same words once */
  say: (words: string) => void;
  /** nothing is shown any more */
  end: () => void;
};

/** On a terminal in one line, which goes when it is over; elsewhere line by line. */
export function progressOn(stream: NodeJS.WriteStream): Progress {
  let [words, shown] = ["", ""];
  let isDue = false;
  const show = (): void => {
    if (!isDue || words === shown) return;
    shown = words;
    const line = printable(words);
    stream.write(stream.isTTY ? CLEAR_LINE + line.slice(0, stream.columns - 1) : `${line}\n`);
  };
  const timer = setTimeout(() => {
    isDue = true;
    show();
  }, SHOWN_AFTER_MS);
  timer.unref();
  return {
    say(next) {
      words = next;
      show();
    },
    end() {
      clearTimeout(timer);
      if (stream.isTTY && shown !== "") stream.write(CLEAR_LINE);
      [isDue, shown] = [false, ""];
    },
  };
}
