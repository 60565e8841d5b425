/** Commands as an append only file holds them. */
export function resp(...commands: (string | Uint8Array)[][]): Buffer {
  return Buffer.concat(
    commands.flatMap((words) => [
      Buffer.from(`*${words.length}\r\n`),
      ...words.flatMap((word) => {
        const bytes = Buffer.from(word);
        return [Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')];
      }),
    ]),
  );
}
