// The daemon's JSON log as lines for people: time, level where it matters, message, what it is about.
import { createInterface } from 'node:readline';

for await (const line of createInterface({ input: process.stdin })) {
  try {
    const { time, level, msg, job, schedule, summary, cause, backup } = JSON.parse(line);
    const about = [job ?? schedule, backup, summary, cause].filter(Boolean).join(' · ');
    console.log(
      `  ${time.slice(11, 19)} ${level === 'info' ? '' : `${level}: `}${msg}${about ? ` (${about})` : ''}`,
    );
  } catch {
    console.log(`  ${line}`);
  }
}
