/**
 * Begins the salts of requests that are paid in another token than OPG, and no others: the first eight bytes of keccak256 of
 * "haca: salt of a request that is paid in another token". What follows are 24 bytes of keccak256(token, salt of the client).
 */
export const TOKEN_SALT_TAG = "0x4fbbcef7d1c038ff";
