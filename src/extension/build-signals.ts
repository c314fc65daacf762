/** Which tasks and command lines build firmware, and which flash it. Decides by what the tools call themselves; knows no editor. */

export interface TaskFacts {
  readonly type: string;
  readonly name: string;
  /** `build`, `test` … as the task says itself. */
  readonly group: string | undefined;
  readonly args: readonly string[];
}

export type Signal = "build" | "flash";

/** Undefined: neither, or both at once, which the watched files tell. */
export function signalOfTask({ type, name, group, args }: TaskFacts): Signal | undefined {
  if (type === "deltaflash") return undefined;
  if (type === "PlatformIO" || type === "platformio") {
    const words = [...args, ...name.toLowerCase().split(/\s+/)];
    if (words.some((word) => /^(upload|program|uploadfs)$/.test(word))) return "flash";
    return words.some((word) => /^(monitor|test|clean|check)$/.test(word)) ? undefined : "build";
  }
  if (/\b(flash|upload)\b/i.test(name) && group !== "build") return "flash";
  if (type === "esp-idf") return name === "ESP-IDF Build" ? "build" : undefined;
  if (type === "cmake") return "build";
  if (/^(nRF Connect: Build|Zephyr IDE Build):/.test(name) || name === "Compile Project") return "build";
  return group === "build" ? "build" : undefined;
}

const flashing = [
  /^(\S*\/)?idf\.py\b.*\b(flash|app-flash)\b/,
  /^(\S*\/)?west\s+flash\b/,
  /^(\S*\/)?(pio|platformio)\s+run\b.*\b(upload|program)\b/,
  /^(\S*\/)?(python3?\s+-m\s+)?esptool(\.py)?\b.*\bwrite[-_]flash\b/,
  /^(\S*\/)?arduino-cli\s+(upload|compile\b.*\s(-u|--upload)\b)/,
  /^(\S*\/)?(ninja|make)\b.*\b(flash|upload)\b/,
];
const building = [
  /^(\S*\/)?idf\.py\b.*\b(build|all|app)\b/,
  /^(\S*\/)?(ninja|samu|make|gmake|scons|meson\s+compile)\b/,
  /^(\S*\/)?cmake\s+--build\b/,
  /^(\S*\/)?west\s+build\b/,
  /^(\S*\/)?(pio|platformio)\s+run\b/,
  /^(\S*\/)?arduino-cli\s+compile\b/,
];

/** Of a line as it was typed; of several commands the last one decides. */
export function signalOfCommand(line: string): Signal | undefined {
  const last = line.split(/&&|;|\|\|?/).at(-1) ?? "";
  const command = last.trim().replace(/^(?:(?:[A-Z_][A-Z0-9_]*=\S*|time|sudo|nice|env)\s+)*/, "");
  if (/\s(clean|fullclean|menuconfig|--version|--help|-n|--dry-run)(\s|$)/.test(command)) return undefined;
  if (flashing.some((pattern) => pattern.test(command))) return "flash";
  return building.some((pattern) => pattern.test(command)) ? "build" : undefined;
}
