/** Whom a client logs in as, and where. */
export interface Login {
  port: number;
  username: string;
  password: string;
}
