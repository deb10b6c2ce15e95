import type { Command } from 'commander';
import type { Compression } from '../../values/compression.js';
import type { AppFlags } from '../app-request.js';
import {
  assignments,
  buildDirOption,
  buildNetworkOption,
  buildpackRegistryOption,
  buildUserOption,
  compression,
  platformOption,
  policyOption,
  reachOption,
  redactOption,
  sandboxOption,
  seconds,
  several,
  size,
  whole,
} from '../options.js';

export interface BuildFlags extends AppFlags {
  readonly to?: readonly string[];
  readonly label?: Readonly<Record<string, string>>;
  readonly policy?: string;
  readonly clearCache?: boolean;
  readonly compression?: Compression;
  readonly strict?: boolean;
  readonly trace?: boolean;
}

export function defineBuild(command: Command): Command {
  return command
    .description('build an image from an app')
    .argument('[dir]', "the app's directory", '.')
    .option(
      '--base <ref>',
      'the base to run on, such as oci:DIR:run or docker://REF (default: heroku/heroku:24 if it can be had, else a Debian made once and kept in the cache; the lock keeps the choice)',
    )
    .option('--build-base <ref>', 'the base to build on (default: the one to run on)')
    .option(
      '--buildpack <ref>',
      'a buildpack: directory, tarball (file or URL), git URL#REF, OWNER/NAME or bundled name; may be repeated',
      several,
    )
    .addOption(buildpackRegistryOption())
    .option(
      '--to <place>',
      'where to write the image: oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE[:REF], docker://REF; may be repeated (default: oci:APP/.pack-build/image:latest)',
      several,
    )
    .option('--env <name=value>', 'a config var: a file in ENV_DIR, never in the image; may be repeated', assignments)
    .option('--env-file <file>', 'config vars from a file; may be repeated', several)
    .option('--build-env <name=value>', "true environment of the buildpacks' scripts; may be repeated", assignments)
    .option('--stack <id>', "STACK for the buildpacks (default: the build base's)")
    .option('--label <name=value>', 'a label of the image, kept by a rebase; may be repeated', assignments)
    .addOption(platformOption())
    .addOption(sandboxOption())
    .addOption(buildNetworkOption())
    .addOption(reachOption())
    .addOption(buildDirOption())
    .addOption(buildUserOption())
    .addOption(redactOption())
    .addOption(policyOption())
    .option('--max-source <size>', 'refuse a source with more bytes: 1GB, 512MiB (default: no limit)', size)
    .option('--max-app <size>', 'refuse an app whose layers have more bytes (default: no limit)', size)
    .option('--max-log <size>', 'show no more than this of what one script prints (default: all)', size)
    .option('--max-memory <size>', 'stop a script whose processes take more memory (default: no limit)', size)
    .option(
      '--max-processes <n>',
      'stop a script that has more processes and threads at once (default: no limit)',
      whole,
    )
    .option('--compile-timeout <s>', 'seconds for one bin/compile (default: COMPILE_TIMEOUT, else 900)', seconds)
    .option('--frozen', 'refuse to build if pack-build.lock would change')
    .option('--clear-cache', 'start with an empty CACHE_DIR')
    .option(
      '--compression <kind>',
      'of the layers: gzip, zstd or none; gzip:1 to gzip:9, zstd:1 to zstd:19 (default: gzip)',
      compression,
    )
    .option('--strict', 'refuse a Procfile with malformed lines')
    .option('--trace', "print the commands of the buildpacks' scripts (BUILDPACK_XTRACE)");
}
