import type { AddressBook } from "@haca/protocol/addressBook";

/**
 * What an earlier address book knows and a new run of the deployment does not: the models, if the registry is the
 * same contract; which commit and compiler made the contracts, if they all are the same; and token and governance,
 * if only the core was asked for and is the same.
 */
export function keepEarlier(parameters: { book: AddressBook; earlier: AddressBook }): AddressBook {
  const { book, earlier } = parameters;
  const isSame = (name: keyof AddressBook["contracts"]): boolean => {
    const [before, now] = [earlier.contracts[name], book.contracts[name]];
    return before?.address === now?.address && before?.transaction === now?.transaction;
  };
  const names = Object.keys(book.contracts) as (keyof AddressBook["contracts"])[];
  const models = isSame("ModelRegistry") ? earlier.models : book.models;
  if (!names.every(isSame)) return { ...book, models };
  const { gitCommit, compiler } = earlier;
  return {
    ...book,
    ...{ gitCommit, compiler, models },
    contracts: { ...earlier.contracts, ...book.contracts },
    parameters: { ...earlier.parameters, ...book.parameters },
    ...(earlier.grants === undefined ? {} : { grants: earlier.grants }),
  };
}
