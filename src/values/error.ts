/** The phases of the work, in the order in which they run. The exit status of the command line is derived from them. */
export type Phase =
  | 'bug'
  | 'usage'
  | 'base'
  | 'detect'
  | 'compile'
  | 'release'
  | 'layers'
  | 'registry'
  | 'rebase'
  | 'sandbox'
  | 'policy'
  | 'interrupted';

/** Every code an error can carry, with the phase it belongs to. One code is one row of docs/errors.md. */
export const ERROR_PHASES = {
  INTERNAL: 'bug',

  USAGE: 'usage',
  SOURCE_NOT_FOUND: 'usage',
  CONFIG_INVALID: 'usage',
  ENV_INVALID: 'usage',
  LABEL_INVALID: 'usage',
  LOCK_INVALID: 'usage',
  LOCK_FROZEN: 'usage',
  POLICY_INVALID: 'usage',
  REFERENCE_INVALID: 'usage',
  PLACE_UNSUPPORTED: 'usage',
  PLACE_IN_SOURCE: 'usage',

  BASE_NOT_FOUND: 'base',
  BASE_NOT_AN_IMAGE: 'base',
  BASE_PLATFORM: 'base',
  BASE_APP_DIRECTORY: 'base',
  BASE_CREATE_FAILED: 'base',
  BASE_SUITE_UNKNOWN: 'base',
  BASE_STACK_MISMATCH: 'base',
  BASE_UNUSABLE: 'base',

  BUILDPACK_NOT_FOUND: 'detect',
  BUILDPACK_INVALID: 'detect',
  BUILDPACK_FETCH_FAILED: 'detect',
  BUILDPACK_INTEGRITY: 'detect',
  SLUGIGNORE_INVALID: 'detect',
  SOURCE_INVALID: 'detect',
  SOURCE_TOO_LARGE: 'detect',
  DETECT_NONE_MATCHED: 'detect',
  DETECT_REFUSED: 'detect',
  DETECT_CRASHED: 'detect',
  DETECT_TIMEOUT: 'detect',

  COMPILE_FAILED: 'compile',
  COMPILE_CRASHED: 'compile',
  COMPILE_TIMEOUT: 'compile',
  MEMORY_EXCEEDED: 'compile',
  PROCESSES_EXCEEDED: 'compile',
  EXPORT_INVALID: 'compile',
  BUILD_DIR_LOST: 'compile',

  RELEASE_FAILED: 'release',
  RELEASE_MALFORMED: 'release',
  PROCFILE_MALFORMED: 'release',

  APP_TOO_LARGE: 'layers',
  ARCHIVE_INVALID: 'layers',
  BLOB_NOT_FOUND: 'layers',
  CACHE_LOCKED: 'layers',
  DIGEST_INVALID: 'layers',
  DIGEST_MISMATCH: 'layers',
  DISK_FULL: 'layers',
  IMAGE_INVALID: 'layers',
  IMAGE_NOT_FOUND: 'layers',
  IMAGE_NOT_OURS: 'layers',
  INDEX_INVALID: 'layers',
  LAYER_FILE_REFUSED: 'layers',
  LAYER_TREE_CHANGED: 'layers',
  LAYOUT_INVALID: 'layers',
  LAYOUT_TAG_MOVED: 'layers',
  STORE_FAILED: 'layers',

  REGISTRY_ADDRESS: 'registry',
  REGISTRY_CREDENTIALS: 'registry',
  REGISTRY_FAILED: 'registry',
  REGISTRY_INVALID: 'registry',
  REGISTRY_LIMITED: 'registry',
  REGISTRY_MOUNT_REFUSED: 'registry',
  REGISTRY_TAG_MOVED: 'registry',
  REGISTRY_TIMEOUT: 'registry',
  REGISTRY_UNAUTHORIZED: 'registry',
  REGISTRY_UNREACHABLE: 'registry',

  REBASE_NO_BASE_NAME: 'rebase',
  REBASE_NOT_OURS: 'rebase',
  REBASE_OLD_BASE_LOST: 'rebase',
  REBASE_REFUSED: 'rebase',
  REBASE_RECORD_INVALID: 'rebase',
  REBASE_SEAM_BROKEN: 'rebase',
  REBASE_PLATFORM_MISMATCH: 'rebase',
  REBASE_STACK_MISMATCH: 'rebase',
  REBASE_DISTRO_MISMATCH: 'rebase',
  REBASE_UID_MISMATCH: 'rebase',
  REBASE_BASE_LACKS: 'rebase',
  REBASE_DOWNGRADE: 'rebase',
  REBASE_SMOKE_FAILED: 'rebase',
  REBASE_NO_PREVIOUS: 'rebase',
  REBASE_PREVIOUS_LOST: 'rebase',

  SANDBOX_MISSING: 'sandbox',
  SANDBOX_TOO_OLD: 'sandbox',
  SANDBOX_FAILED: 'sandbox',
  NETWORK_UNAVAILABLE: 'sandbox',
  TOOL_FAILED: 'sandbox',
  TOOL_MISSING: 'sandbox',

  POLICY_VIOLATED: 'policy',

  INTERRUPTED: 'interrupted',
} as const satisfies Record<string, Phase>;

/** What went wrong, for programs. */
export type ErrorCode = keyof typeof ERROR_PHASES;

/** A value that JSON can say. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** What an error says: one line of what happened, the evidence, and what to do about it. */
export interface ErrorText {
  readonly what: string;
  /** Evidence seen: values found and expected, exit status, last lines. May span lines. */
  readonly why?: string | undefined;
  /** An imperative with a command or a text to paste. Absent when none is honest. */
  readonly fix?: string | undefined;
  readonly details?: Readonly<Record<string, Json>> | undefined;
  readonly cause?: unknown;
}

/** The one error class of pack-build. Branch on `code`, never on text. */
export class PackBuildError extends Error {
  override readonly name = 'PackBuildError';
  readonly code: ErrorCode;
  readonly why: string | undefined;
  readonly fix: string | undefined;
  readonly details: Readonly<Record<string, Json>>;

  constructor(code: ErrorCode, text: ErrorText) {
    super(text.what, text.cause === undefined ? undefined : { cause: text.cause });
    this.code = code;
    this.why = text.why;
    this.fix = text.fix;
    this.details = text.details ?? {};
  }
}

/** Makes an error: `throw fail('BASE_NOT_FOUND', { what, why, fix })`. */
export function fail(code: ErrorCode, text: ErrorText): PackBuildError {
  return new PackBuildError(code, text);
}

/** True for an error that carries one of these codes. */
export function isFailure(error: unknown, ...codes: readonly ErrorCode[]): error is PackBuildError {
  return error instanceof PackBuildError && (codes.length === 0 || codes.includes(error.code));
}

/** The `code` of a system error such as `ENOENT`, if it has one. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
