/** What is left alone where a server has it already, besides the value itself. */
export interface Accepted {
  any_of?: string[] | undefined;
  /** Numbers, sizes (`64mb`) and shares of memory (`75%`). */
  at_least?: string | undefined;
  at_most?: string | undefined;
  /** Addresses that are no wildcard. */
  named?: boolean | undefined;
  /** Of client-output-buffer-limit: whatever limits a class. */
  limited?: boolean | undefined;
}

/** What a policy wants of one directive. */
export interface Wish {
  name: string;
  /** Lines of it; of all but `save` there is one. A share of memory is `60%`. */
  value: string[];
  accept: Accepted;
  reason: string;
  source: string;
  /** The policy that says so. */
  from: string;
}

export interface Policy {
  name: string;
  /** As it was asked for: a name of ours, or a path. */
  asked: string;
  summary: string;
  /** In the order in which they are written. */
  wishes: Wish[];
  /** Who asks says that no client comes by the port that is closed, where that cannot be seen. */
  clientsMoved?: boolean;
}

/** Ours. */
export const policyNames = ['cache', 'queue', 'session', 'durable'] as const;
