/** Reads JSON files of build systems field by field, so that a wrong one is an error that names the field. */
import { FlashError } from "../core/errors.ts";
import { readBytes } from "./read-file.ts";

/** A JSON object and where it came from, `flasher_args.json: flash_settings`, for messages. */
export interface JsonObject {
  readonly where: string;
  readonly values: Readonly<Record<string, unknown>>;
}

const remedy = "Configure and build the project again: the file is incomplete or not from a build.";

/** @throws FlashError `bad-image` when the file is missing or no JSON object. */
export async function readJson(path: string): Promise<JsonObject> {
  const text = new TextDecoder().decode(await readBytes(path));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FlashError("bad-image", `${path} is not valid JSON: ${reason}`, { cause, remedy });
  }
  return asObject(value, path);
}

/** A value that another reader parsed. @throws FlashError `bad-image` when it is no object. */
export function asObject(value: unknown, where: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new FlashError("bad-image", `${where} is no JSON object`, { remedy });
  }
  return { where, values: value as Record<string, unknown> };
}

/** @throws FlashError `bad-image` when the field is there and is no object. */
export function objectField(object: JsonObject, field: string): JsonObject | undefined {
  const value = object.values[field];
  return value === undefined || value === null ? undefined : asObject(value, `${object.where}: ${field}`);
}

/** Numbers and booleans are taken as text; @throws FlashError `bad-image` for anything else that is no text. */
export function textField(object: JsonObject, field: string): string | undefined {
  const value = object.values[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  throw malformed(object, field, "is no text");
}

/** @throws FlashError `bad-image` when the field is missing or no text. */
export function requiredText(object: JsonObject, field: string): string {
  const value = textField(object, field);
  if (value === undefined) throw malformed(object, field, "is missing");
  return value;
}

/** `true`, `"true"` and `1` are true, everything else is false; undefined when the field is missing. */
export function flagField(object: JsonObject, field: string): boolean | undefined {
  const value = textField(object, field);
  return value === undefined ? undefined : ["true", "1"].includes(value.toLowerCase());
}

/** The elements of a list that are objects; empty when the field is missing. @throws FlashError `bad-image` for anything else. */
export function objectsField(object: JsonObject, field: string): readonly JsonObject[] {
  const value = object.values[field];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw malformed(object, field, "is no list");
  return value.map((element: unknown, index) => asObject(element, `${object.where}: ${field} ${index}`));
}

/** The elements of a list as text; empty when the field is missing. @throws FlashError `bad-image` for anything else. */
export function textsField(object: JsonObject, field: string): readonly string[] {
  const value = object.values[field];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw malformed(object, field, "is no list");
  return value.map(String);
}

function malformed(object: JsonObject, field: string, what: string): FlashError {
  return new FlashError("bad-image", `${object.where}: ${field} ${what}`, { remedy });
}
