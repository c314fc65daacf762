/** How a command ends: the exit codes that scripts rely on. */
export const exitCodes = { done: 0, failed: 1, usage: 2, cancelled: 130 } as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The words on the command line are off: exit code 2, with a pointer to the help. The message may have several lines. */
export class UsageError extends Error {}
