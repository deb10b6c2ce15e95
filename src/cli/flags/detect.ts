import type { Command } from 'commander';
import {
  assignments,
  buildDirOption,
  buildNetworkOption,
  buildpackRegistryOption,
  buildUserOption,
  platformOption,
  reachOption,
  redactOption,
  sandboxOption,
  several,
} from '../options.js';

export function defineDetect(command: Command): Command {
  return command
    .description('tell which buildpacks apply to an app')
    .argument('[dir]', "the app's directory", '.')
    .option('--base <ref>', 'the base to run on')
    .option('--build-base <ref>', 'the base to build on')
    .option('--buildpack <ref>', 'a buildpack to ask; may be repeated', several)
    .addOption(buildpackRegistryOption())
    .option('--env <name=value>', 'a config var; may be repeated', assignments)
    .option('--env-file <file>', 'config vars from a file; may be repeated', several)
    .option('--build-env <name=value>', "true environment of the buildpacks' scripts; may be repeated", assignments)
    .option('--stack <id>', 'STACK for the buildpacks')
    .addOption(platformOption())
    .addOption(sandboxOption())
    .addOption(buildNetworkOption())
    .addOption(reachOption())
    .addOption(buildDirOption())
    .addOption(buildUserOption())
    .addOption(redactOption())
    .option('--frozen', 'refuse what is not in pack-build.lock');
}
