import { asArray, asObject, asString, member, optional, parseJson } from '../values/json.js';

/** Where the list of buildpacks can come from. */
export interface ListSources {
  /** `--buildpack`, in order. */
  readonly explicit: readonly string[];
  /** The config var BUILDPACK_URL. */
  readonly buildpackUrl?: string | undefined;
  /** The app's `.buildpacks`. */
  readonly dotBuildpacks?: Uint8Array | undefined;
  /** The app's `app.json`. */
  readonly appJson?: Uint8Array | undefined;
}

export interface BuildpackList {
  readonly from: 'the command line' | 'BUILDPACK_URL' | '.buildpacks' | 'app.json';
  readonly references: readonly string[];
}

/**
 * The buildpacks to use, from the first source that names any (R11, R89): the command line, BUILDPACK_URL, `.buildpacks`,
 * app.json. Undefined means that the bundled ones are tried in turn. Throws `CONFIG_INVALID` for a bad app.json.
 */
export function chooseList(sources: ListSources): BuildpackList | undefined {
  if (sources.explicit.length > 0) return { from: 'the command line', references: sources.explicit };
  const url = sources.buildpackUrl?.trim();
  if (url) return { from: 'BUILDPACK_URL', references: [url] };
  const lines = sources.dotBuildpacks === undefined ? [] : parseDotBuildpacks(sources.dotBuildpacks);
  if (lines.length > 0) return { from: '.buildpacks', references: lines };
  const urls = sources.appJson === undefined ? [] : parseAppJson(sources.appJson);
  return urls.length > 0 ? { from: 'app.json', references: urls } : undefined;
}

/** References separated by any white space; lines that begin with `#` are comments. */
function parseDotBuildpacks(bytes: Uint8Array): readonly string[] {
  const lines = new TextDecoder('utf-8').decode(bytes).split('\n');
  return lines
    .filter((line) => !line.trimStart().startsWith('#'))
    .flatMap((line) => line.split(/\s+/).filter((word) => word !== ''));
}

function parseAppJson(bytes: Uint8Array): readonly string[] {
  const document = parseJson(bytes, 'app.json', 'CONFIG_INVALID');
  asObject(document);
  const buildpacks = optional(member(document, 'buildpacks'), asArray) ?? [];
  return buildpacks.map((item) => asString(member(item, 'url')));
}
