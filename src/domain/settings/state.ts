export interface StateSettings {
  /** The folder of history and findings. Losing it loses no backup. */
  path: string;
}
