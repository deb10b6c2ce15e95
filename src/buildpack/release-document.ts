import {
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type ParsedNode,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml';
import { fail } from '../values/error.js';
import { quoted } from './notice.js';
import { isProcessName } from './process-name.js';

/** What a buildpack's bin/release says (R79). Names may be any text, so they stand in maps. */
export interface Release {
  /** Process type to shell command. */
  readonly processes: ReadonlyMap<string, string>;
  /** Kept for the record; only Heroku acts on them, at an app's first deploy. */
  readonly addons: readonly string[];
  /** Defaults for the run-time environment. */
  readonly configVars: ReadonlyMap<string, string>;
}

/** More than this is refused unread. */
export const MAX_RELEASE_BYTES = 64 * 1024;

/**
 * Reads what bin/release printed: one YAML mapping, or nothing (R77). Aliases, tags, repeated keys and a second document
 * are refused, and every scalar is text as written (`no` stays `no`). Throws `RELEASE_MALFORMED`, naming the buildpack.
 */
export function parseRelease(stdout: Uint8Array, buildpack: string): Release {
  if (stdout.byteLength > MAX_RELEASE_BYTES) throw malformed(buildpack, `it is longer than ${MAX_RELEASE_BYTES} bytes`);
  const text = decode(stdout, buildpack);
  const { root, lineOf } = parseYaml(text, buildpack);
  const reader: Reader = {
    complain: (node, found) => malformed(buildpack, `line ${lineOf(node)}: ${found}`),
    source: (node) => text.slice(node?.range?.[0] ?? 0, node?.range?.[1] ?? 0),
  };
  if (isNothing(root)) return { processes: new Map(), addons: [], configVars: new Map() };
  if (!isMap(root)) throw reader.complain(root, `found ${describe(root)} where a mapping must be`);
  return {
    processes: readProcesses(root, reader),
    addons: readAddons(root, reader),
    configVars: readConfigVars(root, reader),
  };
}

interface Reader {
  readonly complain: (node: Node | null, found: string) => Error;
  /** The node as it is written. */
  readonly source: (node: Node | null) => string;
}

function decode(bytes: Uint8Array, buildpack: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw malformed(buildpack, 'it is not UTF-8 text');
  }
}

function parseYaml(
  text: string,
  buildpack: string,
): { root: ParsedNode | null; lineOf: (node: Node | null) => number } {
  const lineCounter = new LineCounter();
  try {
    const document = parseDocument(text, { schema: 'failsafe', uniqueKeys: true, strict: true, lineCounter });
    const lineOf = (node: Node | null) => lineCounter.linePos(node?.range?.[0] ?? 0).line;
    // An unknown tag is only a warning to the parser.
    const problem = document.errors[0] ?? document.warnings[0];
    if (problem)
      throw malformed(buildpack, `line ${lineCounter.linePos(problem.pos[0]).line}: ${firstLine(problem.message)}`);
    visit(document, {
      Alias: (_, node) => {
        throw malformed(buildpack, `line ${lineOf(node)}: aliases are not read`);
      },
    });
    return { root: document.contents, lineOf };
  } catch (error) {
    if (error instanceof RangeError) throw malformed(buildpack, 'it is nested too deeply');
    throw error;
  }
}

function readProcesses(root: YAMLMap, reader: Reader): ReadonlyMap<string, string> {
  const processes = new Map<string, string>();
  for (const [type, node] of entriesOf(root, 'default_process_types', reader)) {
    if (!isProcessName(type) || type.length > 64) throw reader.complain(node, `${quoted(type)} is not a process type`);
    if (!isText(node))
      throw reader.complain(node, `${quoted(`${type}: ${reader.source(node)}`)} - a process command must be a string`);
    const command = node.value.trim();
    if (isNothing(node) || command === '') throw reader.complain(node, `process type ${quoted(type)} has no command`);
    if (command.includes('\0')) throw reader.complain(node, `the command of ${quoted(type)} contains a NUL byte`);
    processes.set(type, command);
  }
  return processes;
}

function readAddons(root: YAMLMap, reader: Reader): readonly string[] {
  const node = root.get('addons', true) as Node | undefined;
  if (node === undefined || isNothing(node)) return [];
  if (!isSeq(node)) throw reader.complain(node, `\`addons\` must be a list, found ${describe(node)}`);
  return node.items.map((item) => {
    if (!isText(item as Node)) throw reader.complain(item as Node, '`addons` must be a list of strings');
    return (item as { value: string }).value;
  });
}

function readConfigVars(root: YAMLMap, reader: Reader): ReadonlyMap<string, string> {
  const vars = new Map<string, string>();
  for (const [name, node] of entriesOf(root, 'config_vars', reader)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      throw reader.complain(node, `${quoted(name)} cannot name an environment variable`);
    if (!isText(node))
      throw reader.complain(node, `${quoted(`${name}: ${reader.source(node)}`)} - a config var must be a string`);
    if (node.value.includes('\0')) throw reader.complain(node, `config var ${quoted(name)} contains a NUL byte`);
    vars.set(name, node.value);
  }
  return vars;
}

function entriesOf(root: YAMLMap, key: string, reader: Reader): readonly (readonly [string, Node | null])[] {
  const node = root.get(key, true) as Node | undefined;
  if (node === undefined || isNothing(node)) return [];
  if (!isMap(node)) throw reader.complain(node, `\`${key}\` must be a mapping, found ${describe(node)}`);
  return node.items.map((pair) => {
    if (!isText(pair.key as Node)) throw reader.complain(pair.key as Node, `the keys of \`${key}\` must be strings`);
    return [(pair.key as { value: string }).value, pair.value as Node | null] as const;
  });
}

function isText(node: Node | null): node is Node & { value: string } {
  return isScalar(node) && typeof node.value === 'string';
}

/** Absent, empty, or a plain `null` or `~`: the failsafe schema itself knows no null. */
function isNothing(node: Node | null): boolean {
  if (node === null) return true;
  if (!isScalar(node)) return false;
  return (
    node.value === null || (node.type === 'PLAIN' && ['', '~', 'null', 'Null', 'NULL'].includes(String(node.value)))
  );
}

function describe(node: Node | null): string {
  if (isSeq(node)) return 'a list';
  if (isMap(node)) return 'a mapping';
  return isScalar(node) ? quoted(String(node.value)) : 'nothing';
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? message;
}

function malformed(buildpack: string, why: string) {
  return fail('RELEASE_MALFORMED', {
    what: `${buildpack} printed a bin/release document pack-build cannot read`,
    why,
    fix: "report it to the buildpack's author; bin/release must print a YAML mapping such as `default_process_types: {web: npm start}`",
    details: { buildpack },
  });
}
