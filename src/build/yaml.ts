/** Reads YAML files of build systems (Zephyr, sysbuild, Arduino sketches) into the same objects as JSON files. */
import { FlashError } from "../core/errors.ts";
import { asObject, type JsonObject } from "./json.ts";
import { readBytes } from "./read-file.ts";

const remedy = "Configure and build the project again: the file is incomplete.";
/** Aliases that one file may expand to; metadata of a build has none. */
const MAX_ALIASES = 100;

/** @throws FlashError `bad-image` when the file is missing, no YAML, or holds no mapping. */
export async function readYaml(path: string): Promise<JsonObject> {
  const text = new TextDecoder().decode(await readBytes(path));
  const { parse } = await import("yaml");
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: MAX_ALIASES, logLevel: "error" });
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.message.split("\n")[0] ?? "").replace(/:$/, "") : String(cause);
    throw new FlashError("bad-image", `${path} is not valid YAML: ${reason}`, {
      cause,
      remedy,
    });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new FlashError("bad-image", `${path} is empty or no YAML mapping`, { remedy });
  }
  return asObject(value, path);
}
