/** Runs once before and after the whole suite; leak checks hook in here. */
export default function setup(): () => void {
  return () => {};
}
