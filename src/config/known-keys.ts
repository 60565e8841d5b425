import * as z from 'zod';

type Path = readonly PropertyKey[];
type Schema = z.core.$ZodType;

/**
 * The keys that the schema knows in the section at `path`; none when no section is there. Where sections of several
 * types may be (repository), the document's own `type` chooses; without one, all their keys count.
 */
export function knownKeys(schema: Schema, path: Path, raw: unknown): string[] {
  let value = raw;
  let schemas = unwrap(schema, value);
  for (const key of path) {
    value = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
    schemas = schemas.flatMap((each) => childOf(each, key)).flatMap((each) => unwrap(each, value));
  }
  return [...new Set(schemas.flatMap((each) => Object.keys(shapeOf(each))))];
}

function shapeOf(schema: Schema): Readonly<Record<string, Schema>> {
  return schema instanceof z.ZodObject ? schema.shape : {};
}

function childOf(schema: Schema, key: PropertyKey): Schema[] {
  if (schema instanceof z.ZodArray) return [schema.element];
  const shape = shapeOf(schema);
  const child = Object.hasOwn(shape, key) ? shape[String(key)] : undefined;
  return child === undefined ? [] : [child];
}

/** The schema without its wrappers: default, optional, transform; the options of a union. */
function unwrap(schema: Schema, value: unknown): Schema[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return unwrap(schema.unwrap(), value);
  // preprocess() makes a pipe out of a transform, transform() one into it.
  if (schema instanceof z.ZodPipe)
    return unwrap(schema.in instanceof z.ZodTransform ? schema.out : schema.in, value);
  if (!(schema instanceof z.ZodUnion)) return [schema];
  const options = schema.options.flatMap((option) => unwrap(option, value));
  const chosen = options.filter((option) => hasType(option, value));
  return chosen.length === 0 ? options : chosen;
}

function hasType(schema: Schema, section: unknown): boolean {
  const literal = shapeOf(schema)['type'];
  const type: unknown =
    typeof section === 'object' && section !== null ? Reflect.get(section, 'type') : undefined;
  return literal instanceof z.ZodLiteral && [...literal.values].some((value) => value === type);
}
