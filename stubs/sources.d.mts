export const stubs: string;
export const blobs: string;
export const chips: readonly string[];
export function sourceHash(): string;
export function buildNumber(hash: string): number;
