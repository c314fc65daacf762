export const drivers: readonly string[];
export function loaderHash(driver: string): string;
