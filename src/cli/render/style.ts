import { styleText } from 'node:util';

type Paint = (text: string) => string;

/** The few colours that mean something. */
export interface Style {
  good: Paint;
  warning: Paint;
  bad: Paint;
  strong: Paint;
  faint: Paint;
}

/** Colours, or none at all: for pipes, NO_COLOR and --no-color. */
export function createStyle(color: boolean): Style {
  const paint =
    (format: Parameters<typeof styleText>[0]): Paint =>
    (text) =>
      color ? styleText(format, text, { validateStream: false }) : text;
  return {
    good: paint('green'),
    warning: paint('yellow'),
    bad: paint('red'),
    strong: paint('bold'),
    faint: paint('dim'),
  };
}
