/**
 * Where payments are noted before they leave, so that whoever asks again after a crash brings the same payment. A text is on
 * disk, or wherever it outlives the process, when its promise is fulfilled.
 */
export type PaymentJournal = {
  read: (name: string) => Promise<string | undefined>;
  /** throws where there is such a name: another process pays under the same key */
  add: (name: string, text: string) => Promise<void>;
  replace: (name: string, text: string) => Promise<void>;
};

/** As long as this process lives. */
export function memoryJournal(): PaymentJournal {
  const texts = new Map<string, string>();
  return {
    read: async (name) => texts.get(name),
    async add(name, text) {
      if (texts.has(name)) throw new Error("there is such a payment");
      texts.set(name, text);
    },
    async replace(name, text) {
      texts.set(name, text);
    },
  };
}
