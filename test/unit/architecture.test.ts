import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from '@jest/globals';

/**
 * The folders of src/ from the ground up, as docs/architecture.md draws them. A file imports from its own folder and from
 * folders on lower floors, and from no other folder on its own floor.
 */
const FLOORS: readonly (readonly string[])[] = [
  ['values'],
  ['oci'],
  ['system', 'policy'],
  ['blobs', 'sandbox', 'archive', 'http'],
  ['layers', 'layout', 'buildpack', 'base', 'launcher', 'cache', 'settings', 'registry', 'network', 'probes'],
  ['steps'],
  ['(verbs)'],
  ['(index)'],
  ['cli'],
];

/** Packages that one file or one folder has to itself. */
const OWNERS: Readonly<Record<string, RegExp>> = {
  execa: /^system\/process\.ts$/,
  'proper-lockfile': /^system\/lock\.ts$/,
  semver: /^system\/tools\.ts$/,
  ssri: /^system\/integrity\.ts$/,
  'tar-fs': /^archive\/tar-directory\.ts$/,
  'node-fetch': /^http\/http\.ts$/,
  '@bokuweb/zstd-wasm': /^archive\/zstd-frame\.ts$/,
  pako: /^archive\/deflate-block\.ts$/,
  yaml: /^buildpack\//,
  'smol-toml': /^settings\//,
  commander: /^cli\//,
};

/** Packages whose code is in what is published. */
const BUNDLED: readonly string[] = ['node-fetch'];

/** What may be taken from node:process below cli/: to send a signal, and to sign a lock. Neither tells where we run. */
const FROM_PROCESS: ReadonlySet<string> = new Set(['kill', 'pid']);

/** What breaks a rule today, with the reason. It is to become shorter; a line that is no longer true fails the test. */
const KNOWN: Readonly<Record<string, string>> = {};

/** States that no input can bring about. */
const IMPOSSIBLE: readonly string[] = ['layers/partition.ts: an entry that was just listed is not in the tree'];

interface Source {
  /** Below src/. */
  readonly path: string;
  readonly lines: number;
  /** Without comments and without texts in quotes. */
  readonly code: string;
  readonly imports: readonly Import[];
}

interface Import {
  readonly from: string;
  readonly names: readonly string[];
}

const sources = tracked('src')
  .filter((path) => path.endsWith('.ts'))
  .map(readSource);
const found = new Set<string>();

describe('the floors', () => {
  it('have a place for every folder', () => {
    const known = new Set(FLOORS.flat());
    expect([...new Set(sources.map(({ path }) => folderOf(path)))].filter((folder) => !known.has(folder))).toEqual([]);
  });

  it('are imported from downward only, and never sideways', () => {
    expect(
      violations(({ path, imports }) =>
        imports.flatMap(({ from }) => {
          if (!from.startsWith('.')) return [];
          const other = normalize(join(dirname(path), from));
          const [here, there] = [folderOf(path), folderOf(other)];
          return here === there || floorOf(there) < floorOf(here) ? [] : [`${path} imports ${other}`];
        }),
      ),
    ).toEqual([]);
  });
});

describe('values/, oci/ and policy/', () => {
  const pure = /^(values|oci|policy)\//;

  it('import nothing but hashing from Node, and no package', () => {
    expect(
      violations(({ path, imports }) =>
        imports.flatMap(({ from }) =>
          !pure.test(path) || from.startsWith('.') || from === 'node:crypto' ? [] : [`${path} imports ${from}`],
        ),
      ),
    ).toEqual([]);
  });

  it('never wait, but for the one helper that tells of a step', () => {
    expect(
      violations(({ path, code }) =>
        pure.test(path) && path !== 'values/events.ts' && /\b(async|await|Promise)\b/.test(code)
          ? [`${path} waits`]
          : [],
      ),
    ).toEqual([]);
  });
});

describe('a package', () => {
  it.each(Object.keys(OWNERS))('%s is imported in its own place only', (name) => {
    const owner = OWNERS[name] as RegExp;
    expect(
      violations(({ path, imports }) =>
        imports.some(({ from }) => from === name) && !owner.test(path) ? [`${path} imports ${name}`] : [],
      ),
    ).toEqual([]);
  });

  it('that is imported stands in package.json, and in the table above', () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as Record<
      string,
      object
    >;
    const needed = new Set(Object.keys({ ...dependencies }));
    // What is bundled need not be installed.
    for (const name of BUNDLED) if (name in { ...devDependencies }) needed.add(name);
    const imported = sources.flatMap(({ imports }) => imports.map(({ from }) => from));
    const packages = new Set(imported.filter((from) => !from.startsWith('.') && !from.startsWith('node:')));
    expect(packages.size).toBeGreaterThan(5);
    expect([...packages].filter((name) => !needed.has(name) || !(name in OWNERS))).toEqual([]);
  });

  it('that stands in package.json is imported', () => {
    const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: object };
    const imported = new Set(sources.flatMap(({ imports }) => imports.map(({ from }) => from)));
    const unused = Object.keys(dependencies).filter((name) => !imported.has(name));
    expect(known(unused.map((name) => `${name} is a dependency that nothing imports`))).toEqual([]);
  });
});

describe('below cli/', () => {
  const library = sources.filter(({ path }) => !path.startsWith('cli/'));

  it('nothing reads the process, but for signals and the lock', () => {
    expect(
      violations(({ path, code, imports }) => {
        const named = imports.filter(({ from }) => /^(node:)?process$/.test(from)).flatMap(({ names }) => names);
        const allowed = path.startsWith('system/') && named.every((name) => FROM_PROCESS.has(name));
        return [
          ...(/(?<![\w.$'-])process\s*[.[]/.test(code) ? [`${path} uses process`] : []),
          ...(named.length > 0 && !allowed ? [`${path} imports ${named.join(', ')} from node:process`] : []),
        ];
      }, library),
    ).toEqual([]);
  });

  it('nothing prints', () => {
    expect(
      violations(({ path, code }) => (/(?<![\w.])console\./.test(code) ? [`${path} prints`] : []), library),
    ).toEqual([]);
  });

  it('nothing reads the clock', () => {
    const clock = /\bDate\.now\b|\bnew Date\(\s*\)|\bDate\(\s*\)|\bhrtime\b|(?<!\.)\bperformance\b|perf_hooks/;
    expect(
      violations(
        ({ path, code, imports }) =>
          clock.test(code) || imports.some(({ from }) => from.endsWith('perf_hooks'))
            ? [`${path} reads the clock`]
            : [],
        library,
      ),
    ).toEqual([]);
  });
});

describe('every file', () => {
  it('has at most 250 lines', () => {
    expect(violations(({ path, lines }) => (lines > 250 ? [`${path} is longer than 250 lines`] : []))).toEqual([]);
  });

  it('exports by name', () => {
    expect(
      violations(({ path, code }) => (/\bexport\s+default\b/.test(code) ? [`${path} has a default`] : [])),
    ).toEqual([]);
  });

  it('fails with a code, except in impossible states', () => {
    const files = new Set(IMPOSSIBLE.map((line) => line.split(':', 1)[0]));
    expect(
      violations(({ path, code }) =>
        /\bnew (Error|TypeError|RangeError|AggregateError)\(/.test(code) && !files.has(path)
          ? [`${path} makes an Error without a code`]
          : [],
      ),
    ).toEqual([]);
  });

  it('has no class but the one error', () => {
    expect(
      violations(({ path, code }) => (/^\s*(export\s+)?class\s/m.test(code) ? [`${path} has a class`] : [])),
    ).toEqual(['values/error.ts has a class']);
  });

  it('lies in a folder whose name says what is in it', () => {
    const vague = /^(utils?|helpers?|common|lib|core|misc)(\/|$)/;
    expect(sources.filter(({ path }) => path.split('/').some((part) => vague.test(part)))).toEqual([]);
  });
});

describe('the repository', () => {
  it('names no path and no registry of the machine that it is made on', () => {
    const root = process.cwd();
    const marks = [
      ...(root.split('/').length > 2 ? [`${root}/`, `${dirname(root)}/shared`] : []),
      ...privateRegistries(),
      'host.docker.internal',
    ];
    const texts = tracked('.').filter((path) => path !== 'test/unit/architecture.test.ts');
    const hits = texts.flatMap((path) => {
      const text = readFileSync(path, 'latin1');
      return marks.filter((mark) => text.includes(mark)).map((mark) => `${path}: ${mark}`);
    });
    expect(hits).toEqual([]);
  });

  it('locks no package to where it was fetched from', () => {
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
      packages: Record<string, { resolved?: string }>;
    };
    const places = Object.values(packages).flatMap(({ resolved }) => resolved ?? []);
    expect(places).toEqual([]);
  });
});

describe('the list of known violations', () => {
  it('has no line that is no longer true', () => {
    expect(Object.keys(KNOWN).filter((line) => !found.has(line))).toEqual([]);
  });
});

/** What a rule finds in the sources, without what is known. */
function violations(rule: (source: Source) => readonly string[], among: readonly Source[] = sources): string[] {
  return known(among.flatMap(rule));
}

function known(all: readonly string[]): string[] {
  for (const line of all) found.add(line);
  return all.filter((line) => !(line in KNOWN));
}

function tracked(folder: string): readonly string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--', folder], { encoding: 'utf8' });
  return listed.split('\0').filter((path) => path !== '' && isFile(path));
}

/** A file that was removed and not yet committed is still listed. */
function isFile(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}

function readSource(file: string): Source {
  const text = readFileSync(file, 'utf8');
  const path = file.slice('src/'.length);
  return { path, lines: text.split('\n').length - 1, code: withoutTexts(text), imports: importsOf(text) };
}

/** Imports, re-exports and dynamic imports. Types count: they tie files together as values do. */
function importsOf(text: string): readonly Import[] {
  const statements = [...text.matchAll(/^\s*(?:import|export)\s+(type\s+)?([^'";]*?)\s*from\s+'([^']+)'/gm)];
  const bare = [...text.matchAll(/^\s*import\s+'([^']+)'/gm)];
  const dynamic = [...text.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g)];
  return [
    ...statements.map(([, , clause = '', from = '']) => ({ from, names: namesIn(clause) })),
    ...[...bare, ...dynamic].map(([, from = '']) => ({ from, names: [] })),
  ];
}

/** `a, b as c` gives `a` and `b`; a default or a namespace gives its own text, which no list allows. */
function namesIn(clause: string): readonly string[] {
  const parts = clause.replace(/[{}]/g, '').split(',');
  return parts
    .map((part) =>
      part
        .trim()
        .replace(/^type\s+/, '')
        .replace(/\s+as\s+.*$/, ''),
    )
    .filter((part) => part !== '');
}

/** Leaves out comments and texts in plain quotes; templates stay, since they hold code. */
function withoutTexts(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|(?<![:\\])\/\/.*$/gm, (match) =>
    match.startsWith('/') ? '' : "''",
  );
}

function folderOf(path: string): string {
  if (/^index\.[jt]s$/.test(path)) return '(index)';
  return path.includes('/') ? (path.split('/', 1)[0] as string) : '(verbs)';
}

function floorOf(folder: string): number {
  return FLOORS.findIndex((folders) => folders.includes(folder));
}

const PUBLIC =
  /(^|\.)(npmjs\.org|pypi\.org|pythonhosted\.org|golang\.org|debian\.org|ubuntu\.com|nodejs\.org|go\.dev)$/;

/** Hosts that npm, pip and Go are told of here, if they are not the ones that everybody knows. */
function privateRegistries(): readonly string[] {
  const npm = execFileSync('npm', ['config', 'get', 'registry'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const { GOPROXY = '', PIP_INDEX_URL = '', PIP_EXTRA_INDEX_URL = '' } = process.env;
  const hosts = [npm, GOPROXY, PIP_INDEX_URL, PIP_EXTRA_INDEX_URL].flatMap((text) =>
    [...text.matchAll(/\/\/(?:[^@/\s]*@)?([\w.-]+)/g)].map(([, host = '']) => host),
  );
  return hosts.filter((host) => !PUBLIC.test(host) && !/^(localhost|127\.)/.test(host));
}
