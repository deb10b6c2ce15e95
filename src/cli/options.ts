import { Command, InvalidArgumentError, Option } from 'commander';
import { type NetworkMode, parseNetworkMode } from '../network/mode.js';
import { COMPRESSION_FORM, type Compression, isCompression } from '../values/compression.js';
import { parseSize, SIZE_FORM } from '../values/size.js';

/** Adds the flags that every command has. */
export function withCommonOptions(command: Command): Command {
  return command
    .option('--json', 'print events and the result as JSON, one object a line, on stdout')
    .option('--quiet', 'print only warnings and errors')
    .option('--verbose', 'print each step')
    .option('--timings', 'print how long each step took')
    .option('--cache-dir <dir>', 'where to keep what need not be made twice (default: ~/.cache/pack-build)')
    .option('--authfile <file>', 'the file with credentials for registries (default: those of Docker and Podman)')
    .option('--insecure-registry <host>', 'a registry that speaks plain HTTP: HOST[:PORT]; may be repeated', several)
    .option('--ca-cert <file>', 'authorities to trust beside the known ones, as PEM; may be repeated', several)
    .option('--trust-host <host>', 'another host that a registry may send us to: HOST[:PORT]; may be repeated', several)
    .option('--registry-mirror <pair>', 'a registry to ask before another one: HOST=MIRROR; may be repeated', several)
    .helpOption('--help', 'print this help');
}

/** The names that those flags have among the values of a command. */
export function commonFlags(): ReadonlySet<string> {
  return new Set(withCommonOptions(new Command()).options.map((option) => option.attributeName()));
}

export function sandboxOption(): Option {
  return new Option('--sandbox <kind>', 'what holds the app back: bwrap (bubblewrap) or host (nothing does)')
    .choices(['auto', 'bwrap', 'host'])
    .default('auto');
}

export function buildNetworkOption(): Option {
  return new Option(
    '--network <mode>',
    "the network of buildpacks: egress (the Internet, nothing private), none, allow=HOST,... (these, through a proxy) or host (this machine's) (default: egress if slirp4netns is installed, else host)",
  ).argParser(networkMode);
}

export function reachOption(): Option {
  return new Option(
    '--reach <host>',
    'a private HOST:PORT that buildpacks may reach, as they may proxies of the environment and URLs of --build-env; may be repeated',
  ).argParser(reachable);
}

/** Reads the mode of a build's network. */
export function networkMode(text: string): NetworkMode {
  const mode = parseNetworkMode(text);
  if (mode === undefined)
    throw new InvalidArgumentError(`write it as egress, none, host or allow=HOST,...; not ${JSON.stringify(text)}.`);
  return mode;
}

function reachable(text: string, before: readonly string[] | undefined): readonly string[] {
  if (!/^(\[[0-9a-f:.]+\]|[\w.-]+):\d{1,5}$/i.test(text))
    throw new InvalidArgumentError(`write it as HOST:PORT, not ${JSON.stringify(text)}.`);
  return several(text, before);
}

export function networkOption(): Option {
  return new Option('--network <mode>', "the network of the process: the host's, or none")
    .choices(['host', 'none'])
    .default('host');
}

export function buildDirOption(): Option {
  return new Option('--build-dir <dir>', 'where BUILD_DIR is for the buildpacks (default: /tmp/build_app)').choices([
    '/tmp/build_app',
    '/app',
  ]);
}

export function buildUserOption(): Option {
  return new Option('--build-user <user>', "who the buildpacks' scripts run as: uid 1000 or 0 (default: app)").choices([
    'app',
    'root',
  ]);
}

export function buildpackRegistryOption(): Option {
  return new Option(
    '--buildpack-registry <url>',
    "where names such as heroku/php are found (default: PACK_BUILD_BUILDPACK_REGISTRY, else Heroku's)",
  );
}

export function redactOption(): Option {
  return new Option('--redact', 'take values of config vars (8 bytes or more) out of what buildpacks print');
}

export function policyOption(): Option {
  return new Option(
    '--policy <file>',
    'what the image must keep to: a file (JSON, or TOML), heroku-like or restricted',
  );
}

export function platformOption(): Option {
  return new Option('--platform <os/arch>', "the platform to choose from an index (default: this machine's)");
}

/** Reads a size in bytes. */
export function size(text: string): number {
  const bytes = parseSize(text);
  if (bytes === undefined) throw new InvalidArgumentError(`write it as ${SIZE_FORM}; not ${JSON.stringify(text)}.`);
  return bytes;
}

/** Reads a whole number above 0. */
export function whole(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new InvalidArgumentError(`write it as a whole number, not ${JSON.stringify(text)}.`);
  return Number(text);
}

/** Reads how layers are compressed. */
export function compression(text: string): Compression {
  if (!isCompression(text))
    throw new InvalidArgumentError(`write it as ${COMPRESSION_FORM}; not ${JSON.stringify(text)}.`);
  return text;
}

/** Reads a time in seconds, as milliseconds. */
export function seconds(text: string): number {
  if (!/^\d{1,6}$/.test(text) || Number(text) === 0)
    throw new InvalidArgumentError(`write it as a whole number of seconds, not ${JSON.stringify(text)}.`);
  return Number(text) * 1000;
}

/** Collects the values of a flag that may be given several times. */
export function several(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/** Collects `NAME=VALUE` flags. */
export function assignments(
  text: string,
  before: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError(`write it as NAME=VALUE, not ${JSON.stringify(text)}.`);
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
