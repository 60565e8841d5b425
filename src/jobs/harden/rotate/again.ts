/** How a rotation that has stopped goes on; the end of a hint, which a mail may show too. */
export const again = (user: string): string => `then again: redis-agent rotate-password ${user}, as before`;
