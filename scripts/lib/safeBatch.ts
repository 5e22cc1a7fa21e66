/** A file for the transaction builder of a Safe: the calls, to be signed by its owners. */
export function safeBatch(parameters: {
  chainId: number;
  name: string;
  description: string;
  calls: readonly { target: string; data: string }[];
}): string {
  const { chainId, name, description, calls } = parameters;
  return `${JSON.stringify(
    {
      version: "1.0",
      chainId: String(chainId),
      createdAt: 0,
      meta: { name, description },
      transactions: calls.map(({ target, data }) => ({
        to: target,
        value: "0",
        data,
        contractMethod: null,
        contractInputsValues: null,
      })),
    },
    null,
    2,
  )}\n`;
}
