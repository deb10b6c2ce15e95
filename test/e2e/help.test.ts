import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { useCli } from '../support/command-line.js';

const cli = useCli();

/** What a command prints for `--help`: on stdout, with nothing on stderr and status 0. */
async function help(...words: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await cli.run([...words, '--help']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return `\n${stdout}`;
}

describe('pack-build --help', () => {
  it('tells the commands', async () => {
    expect(await help()).toBe(`
Usage: pack-build [options] [command]

Builds images from apps with classic Heroku buildpacks, and moves them to a new
base without a build.

Options:
  --version                           print the version
  --help                              print this help

Commands:
  build [options] [dir]               build an image from an app
  detect [options] [dir]              tell which buildpacks apply to an app
  rebase [options] <image>            put the app of an image on another base,
                                      without a build
  index [options] <image...>          make one index of images for several
                                      platforms
  inspect [options] <image>           tell what an image is made of
  check [options] <image...>          tell whether images keep to a policy
  run [options] <image> [command...]  start a process of an image in the sandbox
  base                                base commands
  cache                               cache commands
  doctor [options] [registry...]      tell what this machine can do, and what to
                                      do about the rest
`);
  });

  it('tells the flags of build', async () => {
    expect(await help('build')).toBe(`
Usage: pack-build build [options] [dir]

build an image from an app

Arguments:
  dir                         the app's directory (default: ".")

Options:
  --base <ref>                the base to run on, such as oci:DIR:run or
                              docker://REF (default: heroku/heroku:24 if it can
                              be had, else a Debian made once and kept in the
                              cache; the lock keeps the choice)
  --build-base <ref>          the base to build on (default: the one to run on)
  --buildpack <ref>           a buildpack: directory, tarball (file or URL), git
                              URL#REF, OWNER/NAME or bundled name; may be
                              repeated
  --buildpack-registry <url>  where names such as heroku/php are found (default:
                              PACK_BUILD_BUILDPACK_REGISTRY, else Heroku's)
  --to <place>                where to write the image: oci:DIR[:TAG],
                              oci-archive:FILE, docker-archive:FILE[:REF],
                              docker://REF; may be repeated (default:
                              oci:APP/.pack-build/image:latest)
  --env <name=value>          a config var: a file in ENV_DIR, never in the
                              image; may be repeated
  --env-file <file>           config vars from a file; may be repeated
  --build-env <name=value>    true environment of the buildpacks' scripts; may
                              be repeated
  --stack <id>                STACK for the buildpacks (default: the build
                              base's)
  --label <name=value>        a label of the image, kept by a rebase; may be
                              repeated
  --platform <os/arch>        the platform to choose from an index (default:
                              this machine's)
  --sandbox <kind>            what holds the app back: bwrap (bubblewrap) or
                              host (nothing does) (choices: "auto", "bwrap",
                              "host", default: "auto")
  --network <mode>            the network of buildpacks: egress (the Internet,
                              nothing private), none, allow=HOST,... (these,
                              through a proxy) or host (this machine's)
                              (default: egress if slirp4netns is installed, else
                              host)
  --reach <host>              a private HOST:PORT that buildpacks may reach, as
                              they may proxies of the environment and URLs of
                              --build-env; may be repeated
  --build-dir <dir>           where BUILD_DIR is for the buildpacks (default:
                              /tmp/build_app) (choices: "/tmp/build_app",
                              "/app")
  --build-user <user>         who the buildpacks' scripts run as: uid 1000 or 0
                              (default: app) (choices: "app", "root")
  --redact                    take values of config vars (8 bytes or more) out
                              of what buildpacks print
  --policy <file>             what the image must keep to: a file (JSON, or
                              TOML), heroku-like or restricted
  --max-source <size>         refuse a source with more bytes: 1GB, 512MiB
                              (default: no limit)
  --max-app <size>            refuse an app whose layers have more bytes
                              (default: no limit)
  --max-log <size>            show no more than this of what one script prints
                              (default: all)
  --max-memory <size>         stop a script whose processes take more memory
                              (default: no limit)
  --max-processes <n>         stop a script that has more processes and threads
                              at once (default: no limit)
  --compile-timeout <s>       seconds for one bin/compile (default:
                              COMPILE_TIMEOUT, else 900)
  --frozen                    refuse to build if pack-build.lock would change
  --clear-cache               start with an empty CACHE_DIR
  --compression <kind>        of the layers: gzip, zstd or none; gzip:1 to
                              gzip:9, zstd:1 to zstd:19 (default: gzip)
  --strict                    refuse a Procfile with malformed lines
  --trace                     print the commands of the buildpacks' scripts
                              (BUILDPACK_XTRACE)
  --json                      print events and the result as JSON, one object a
                              line, on stdout
  --quiet                     print only warnings and errors
  --verbose                   print each step
  --timings                   print how long each step took
  --cache-dir <dir>           where to keep what need not be made twice
                              (default: ~/.cache/pack-build)
  --authfile <file>           the file with credentials for registries (default:
                              those of Docker and Podman)
  --insecure-registry <host>  a registry that speaks plain HTTP: HOST[:PORT];
                              may be repeated
  --ca-cert <file>            authorities to trust beside the known ones, as
                              PEM; may be repeated
  --trust-host <host>         another host that a registry may send us to:
                              HOST[:PORT]; may be repeated
  --registry-mirror <pair>    a registry to ask before another one: HOST=MIRROR;
                              may be repeated
  --help                      print this help
`);
  });

  it('tells the flags of detect', async () => {
    expect(await help('detect')).toBe(`
Usage: pack-build detect [options] [dir]

tell which buildpacks apply to an app

Arguments:
  dir                         the app's directory (default: ".")

Options:
  --base <ref>                the base to run on
  --build-base <ref>          the base to build on
  --buildpack <ref>           a buildpack to ask; may be repeated
  --buildpack-registry <url>  where names such as heroku/php are found (default:
                              PACK_BUILD_BUILDPACK_REGISTRY, else Heroku's)
  --env <name=value>          a config var; may be repeated
  --env-file <file>           config vars from a file; may be repeated
  --build-env <name=value>    true environment of the buildpacks' scripts; may
                              be repeated
  --stack <id>                STACK for the buildpacks
  --platform <os/arch>        the platform to choose from an index (default:
                              this machine's)
  --sandbox <kind>            what holds the app back: bwrap (bubblewrap) or
                              host (nothing does) (choices: "auto", "bwrap",
                              "host", default: "auto")
  --network <mode>            the network of buildpacks: egress (the Internet,
                              nothing private), none, allow=HOST,... (these,
                              through a proxy) or host (this machine's)
                              (default: egress if slirp4netns is installed, else
                              host)
  --reach <host>              a private HOST:PORT that buildpacks may reach, as
                              they may proxies of the environment and URLs of
                              --build-env; may be repeated
  --build-dir <dir>           where BUILD_DIR is for the buildpacks (default:
                              /tmp/build_app) (choices: "/tmp/build_app",
                              "/app")
  --build-user <user>         who the buildpacks' scripts run as: uid 1000 or 0
                              (default: app) (choices: "app", "root")
  --redact                    take values of config vars (8 bytes or more) out
                              of what buildpacks print
  --frozen                    refuse what is not in pack-build.lock
  --json                      print events and the result as JSON, one object a
                              line, on stdout
  --quiet                     print only warnings and errors
  --verbose                   print each step
  --timings                   print how long each step took
  --cache-dir <dir>           where to keep what need not be made twice
                              (default: ~/.cache/pack-build)
  --authfile <file>           the file with credentials for registries (default:
                              those of Docker and Podman)
  --insecure-registry <host>  a registry that speaks plain HTTP: HOST[:PORT];
                              may be repeated
  --ca-cert <file>            authorities to trust beside the known ones, as
                              PEM; may be repeated
  --trust-host <host>         another host that a registry may send us to:
                              HOST[:PORT]; may be repeated
  --registry-mirror <pair>    a registry to ask before another one: HOST=MIRROR;
                              may be repeated
  --help                      print this help
`);
  });

  it('tells the flags of rebase', async () => {
    expect(await help('rebase')).toBe(`
Usage: pack-build rebase [options] <image>

put the app of an image on another base, without a build

Arguments:
  image                       the image, or an index of images: oci:DIR[:TAG],
                              oci-archive:FILE, docker-archive:FILE,
                              docker://REF

Options:
  --base <ref>                the new base (default: what the registry has under
                              the base's name)
  --old-base <ref>            what an image of others was built on, where it
                              does not say so itself
  --trust-attached            believe the list of files that is attached to the
                              new base in its registry
  --to <place>                where to write the result (default: the image's
                              own place); may be repeated
  --plan                      only tell what would change
  --undo                      put back what was there before the last rebase
  --smoke <command>           run this on the new base first, and write nothing
                              unless it ends with 0
  --policy <file>             what the image must keep to: a file (JSON, or
                              TOML), heroku-like or restricted
  --sandbox <kind>            what holds the app back: bwrap (bubblewrap) or
                              host (nothing does) (choices: "auto", "bwrap",
                              "host", default: "auto")
  --platform <os/arch>        of an index, the one image to move (default: all
                              of them)
  --allow-stack-change        accept a base of another stack
  --allow-distro-change       accept a base of another distribution or version
  --allow-uid-change          accept a base made for another user
  --allow-abi-break           accept a base that lacks files or libraries which
                              the app refers to
  --allow-downgrade           accept a base with older packages
  --allow-not-rebasable       accept an image that says it is not to be moved
  --allow-upload-base         send the base's layers where the registry has them
                              and does not mount them
  --json                      print events and the result as JSON, one object a
                              line, on stdout
  --quiet                     print only warnings and errors
  --verbose                   print each step
  --timings                   print how long each step took
  --cache-dir <dir>           where to keep what need not be made twice
                              (default: ~/.cache/pack-build)
  --authfile <file>           the file with credentials for registries (default:
                              those of Docker and Podman)
  --insecure-registry <host>  a registry that speaks plain HTTP: HOST[:PORT];
                              may be repeated
  --ca-cert <file>            authorities to trust beside the known ones, as
                              PEM; may be repeated
  --trust-host <host>         another host that a registry may send us to:
                              HOST[:PORT]; may be repeated
  --registry-mirror <pair>    a registry to ask before another one: HOST=MIRROR;
                              may be repeated
  --help                      print this help
`);
  });

  it('tells the flags of index', async () => {
    expect(await help('index')).toBe(`
Usage: pack-build index [options] <image...>

make one index of images for several platforms

Arguments:
  image                       the images, one for each platform: oci:DIR[:TAG],
                              oci-archive:FILE, docker://REF

Options:
  --to <place>                where to write the index with its images; may be
                              repeated
  --json                      print events and the result as JSON, one object a
                              line, on stdout
  --quiet                     print only warnings and errors
  --verbose                   print each step
  --timings                   print how long each step took
  --cache-dir <dir>           where to keep what need not be made twice
                              (default: ~/.cache/pack-build)
  --authfile <file>           the file with credentials for registries (default:
                              those of Docker and Podman)
  --insecure-registry <host>  a registry that speaks plain HTTP: HOST[:PORT];
                              may be repeated
  --ca-cert <file>            authorities to trust beside the known ones, as
                              PEM; may be repeated
  --trust-host <host>         another host that a registry may send us to:
                              HOST[:PORT]; may be repeated
  --registry-mirror <pair>    a registry to ask before another one: HOST=MIRROR;
                              may be repeated
  --help                      print this help
`);
  });

  it('tells the flags of doctor', async () => {
    expect(await help('doctor')).toBe(`
Usage: pack-build doctor [options] [registry...]

tell what this machine can do, and what to do about the rest

Arguments:
  registry                    registries to ask whether they let us in:
                              HOST[:PORT] (default: none is asked)

Options:
  --json                      print events and the result as JSON, one object a
                              line, on stdout
  --quiet                     print only warnings and errors
  --verbose                   print each step
  --timings                   print how long each step took
  --cache-dir <dir>           where to keep what need not be made twice
                              (default: ~/.cache/pack-build)
  --authfile <file>           the file with credentials for registries (default:
                              those of Docker and Podman)
  --insecure-registry <host>  a registry that speaks plain HTTP: HOST[:PORT];
                              may be repeated
  --ca-cert <file>            authorities to trust beside the known ones, as
                              PEM; may be repeated
  --trust-host <host>         another host that a registry may send us to:
                              HOST[:PORT]; may be repeated
  --registry-mirror <pair>    a registry to ask before another one: HOST=MIRROR;
                              may be repeated
  --help                      print this help
`);
  });

  it('tells the flags of check', async () => {
    expect(await help('check')).toBe(`
Usage: pack-build check [options] <image...>

tell whether images keep to a policy

Arguments:
  image                       the images, or indexes of images: oci:DIR[:TAG],
                              oci-archive:FILE, docker-archive:FILE,
                              docker://REF

Options:
  --policy <file>             what the image must keep to: a file (JSON, or
                              TOML), heroku-like or restricted
  --platform <os/arch>        of an index, the one image to check (default: all
                              of them)
  --base <ref>                the base that the images stand on, where they do
                              not lead to it themselves
  --json                      print events and the result as JSON, one object a
                              line, on stdout
  --quiet                     print only warnings and errors
  --verbose                   print each step
  --timings                   print how long each step took
  --cache-dir <dir>           where to keep what need not be made twice
                              (default: ~/.cache/pack-build)
  --authfile <file>           the file with credentials for registries (default:
                              those of Docker and Podman)
  --insecure-registry <host>  a registry that speaks plain HTTP: HOST[:PORT];
                              may be repeated
  --ca-cert <file>            authorities to trust beside the known ones, as
                              PEM; may be repeated
  --trust-host <host>         another host that a registry may send us to:
                              HOST[:PORT]; may be repeated
  --registry-mirror <pair>    a registry to ask before another one: HOST=MIRROR;
                              may be repeated
  --help                      print this help
`);
  });

  it('tells the flags of inspect', async () => {
    expect(await help('inspect')).toBe(`
Usage: pack-build inspect [options] <image>

tell what an image is made of

Arguments:
  image                       the image: oci:DIR[:TAG], oci-archive:FILE,
                              docker-archive:FILE, docker://REF

Options:
  --platform <os/arch>        the platform to choose from an index (default:
                              this machine's)
  --files                     with --json, tell what each layer holds too
  --json                      print events and the result as JSON, one object a
                              line, on stdout
  --quiet                     print only warnings and errors
  --verbose                   print each step
  --timings                   print how long each step took
  --cache-dir <dir>           where to keep what need not be made twice
                              (default: ~/.cache/pack-build)
  --authfile <file>           the file with credentials for registries (default:
                              those of Docker and Podman)
  --insecure-registry <host>  a registry that speaks plain HTTP: HOST[:PORT];
                              may be repeated
  --ca-cert <file>            authorities to trust beside the known ones, as
                              PEM; may be repeated
  --trust-host <host>         another host that a registry may send us to:
                              HOST[:PORT]; may be repeated
  --registry-mirror <pair>    a registry to ask before another one: HOST=MIRROR;
                              may be repeated
  --help                      print this help
`);
  });

  it('tells the flags of run', async () => {
    expect(await help('run')).toBe(`
Usage: pack-build run [options] <image> [command...]

start a process of an image in the sandbox

Arguments:
  image                       the image (oci:DIR[:TAG], …), or the directory of
                              an app that was built without --to
  command                     a process type, or -- and a command (default: the
                              default process)

Options:
  --base <ref>                start it on another base than its own
  --env <name=value>          environment of the process; may be repeated
  --port <n>                  the port to listen on (PORT)
  --platform <os/arch>        the platform to choose from an index (default:
                              this machine's)
  --sandbox <kind>            what holds the app back: bwrap (bubblewrap) or
                              host (nothing does) (choices: "auto", "bwrap",
                              "host", default: "auto")
  --network <mode>            the network of the process: the host's, or none
                              (choices: "host", "none", default: "host")
  --json                      print events and the result as JSON, one object a
                              line, on stdout
  --quiet                     print only warnings and errors
  --verbose                   print each step
  --timings                   print how long each step took
  --cache-dir <dir>           where to keep what need not be made twice
                              (default: ~/.cache/pack-build)
  --authfile <file>           the file with credentials for registries (default:
                              those of Docker and Podman)
  --insecure-registry <host>  a registry that speaks plain HTTP: HOST[:PORT];
                              may be repeated
  --ca-cert <file>            authorities to trust beside the known ones, as
                              PEM; may be repeated
  --trust-host <host>         another host that a registry may send us to:
                              HOST[:PORT]; may be repeated
  --registry-mirror <pair>    a registry to ask before another one: HOST=MIRROR;
                              may be repeated
  --help                      print this help
`);
  });

  it('tells the commands of base', async () => {
    expect(await help('base')).toBe(`
Usage: pack-build base [options] [command]

base commands

Options:
  --help                      print this help

Commands:
  create [options] <suite>    make a base of a distribution's packages: an image
                              to run apps on and one to build them on
  resolve [options] <ref>     tell what a base's name stands for today, and the
                              reference that always will mean the same
  outdated [options] <image>  tell whether there is a newer base for an image
`);
  });

  it('tells the flags of base create', async () => {
    expect(await help('base', 'create')).toBe(`
Usage: pack-build base create [options] <suite>

make a base of a distribution's packages: an image to run apps on and one to
build them on

Arguments:
  suite                       debian-12 or debian-13

Options:
  --to <place>                the layout to write: oci:DIR; the images get the
                              tags run and build
  --include <packages>        more packages for both images, separated by
                              commas; may be repeated
  --security <choice>         whether to install the distribution's security
                              fixes (choices: "on", "off", default: "on")
  --only <image>              make only the image that apps run on (choices:
                              "run")
  --json                      print events and the result as JSON, one object a
                              line, on stdout
  --quiet                     print only warnings and errors
  --verbose                   print each step
  --timings                   print how long each step took
  --cache-dir <dir>           where to keep what need not be made twice
                              (default: ~/.cache/pack-build)
  --authfile <file>           the file with credentials for registries (default:
                              those of Docker and Podman)
  --insecure-registry <host>  a registry that speaks plain HTTP: HOST[:PORT];
                              may be repeated
  --ca-cert <file>            authorities to trust beside the known ones, as
                              PEM; may be repeated
  --trust-host <host>         another host that a registry may send us to:
                              HOST[:PORT]; may be repeated
  --registry-mirror <pair>    a registry to ask before another one: HOST=MIRROR;
                              may be repeated
  --help                      print this help
`);
  });

  it('tells the flags of base outdated', async () => {
    expect(await help('base', 'outdated')).toBe(`
Usage: pack-build base outdated [options] <image>

tell whether there is a newer base for an image

Arguments:
  image                       the image: oci:DIR[:TAG], oci-archive:FILE,
                              docker-archive:FILE, docker://REF

Options:
  --base <ref>                where the base is (default: where the image says
                              that it came from)
  --platform <os/arch>        the platform to choose from an index (default:
                              this machine's)
  --json                      print events and the result as JSON, one object a
                              line, on stdout
  --quiet                     print only warnings and errors
  --verbose                   print each step
  --timings                   print how long each step took
  --cache-dir <dir>           where to keep what need not be made twice
                              (default: ~/.cache/pack-build)
  --authfile <file>           the file with credentials for registries (default:
                              those of Docker and Podman)
  --insecure-registry <host>  a registry that speaks plain HTTP: HOST[:PORT];
                              may be repeated
  --ca-cert <file>            authorities to trust beside the known ones, as
                              PEM; may be repeated
  --trust-host <host>         another host that a registry may send us to:
                              HOST[:PORT]; may be repeated
  --registry-mirror <pair>    a registry to ask before another one: HOST=MIRROR;
                              may be repeated
  --help                      print this help
`);
  });

  it('tells the flags of base resolve', async () => {
    expect(await help('base', 'resolve')).toBe(`
Usage: pack-build base resolve [options] <ref>

tell what a base's name stands for today, and the reference that always will
mean the same

Arguments:
  ref                         the base: oci:DIR:TAG, oci-archive:FILE,
                              docker-archive:FILE, docker://REF

Options:
  --attach-files              attach a list of its files to it in its registry,
                              for rebase --trust-attached
  --platform <os/arch>        the platform to choose from an index (default:
                              this machine's)
  --json                      print events and the result as JSON, one object a
                              line, on stdout
  --quiet                     print only warnings and errors
  --verbose                   print each step
  --timings                   print how long each step took
  --cache-dir <dir>           where to keep what need not be made twice
                              (default: ~/.cache/pack-build)
  --authfile <file>           the file with credentials for registries (default:
                              those of Docker and Podman)
  --insecure-registry <host>  a registry that speaks plain HTTP: HOST[:PORT];
                              may be repeated
  --ca-cert <file>            authorities to trust beside the known ones, as
                              PEM; may be repeated
  --trust-host <host>         another host that a registry may send us to:
                              HOST[:PORT]; may be repeated
  --registry-mirror <pair>    a registry to ask before another one: HOST=MIRROR;
                              may be repeated
  --help                      print this help
`);
  });

  it('tells the commands of cache', async () => {
    expect(await help('cache')).toBe(`
Usage: pack-build cache [options] [command]

cache commands

Options:
  --help           print this help

Commands:
  info [options]   tell what the cache holds
  prune [options]  remove what can be made anew and is not in use
`);
  });

  it('tells the flags of cache info', async () => {
    expect(await help('cache', 'info')).toBe(`
Usage: pack-build cache info [options]

tell what the cache holds

Options:
  --json                      print events and the result as JSON, one object a
                              line, on stdout
  --quiet                     print only warnings and errors
  --verbose                   print each step
  --timings                   print how long each step took
  --cache-dir <dir>           where to keep what need not be made twice
                              (default: ~/.cache/pack-build)
  --authfile <file>           the file with credentials for registries (default:
                              those of Docker and Podman)
  --insecure-registry <host>  a registry that speaks plain HTTP: HOST[:PORT];
                              may be repeated
  --ca-cert <file>            authorities to trust beside the known ones, as
                              PEM; may be repeated
  --trust-host <host>         another host that a registry may send us to:
                              HOST[:PORT]; may be repeated
  --registry-mirror <pair>    a registry to ask before another one: HOST=MIRROR;
                              may be repeated
  --help                      print this help
`);
  });

  it('tells the flags of cache prune', async () => {
    expect(await help('cache', 'prune')).toBe(`
Usage: pack-build cache prune [options]

remove what can be made anew and is not in use

Options:
  --max-size <size>           only until this much is left, least recently used
                              first: 10GB
  --max-age <time>            only what was not used for so long: 12h, 30d
  --all                       also the bootstrapped bases and their packages
  --dry-run                   only tell what would be removed
  --json                      print events and the result as JSON, one object a
                              line, on stdout
  --quiet                     print only warnings and errors
  --verbose                   print each step
  --timings                   print how long each step took
  --cache-dir <dir>           where to keep what need not be made twice
                              (default: ~/.cache/pack-build)
  --authfile <file>           the file with credentials for registries (default:
                              those of Docker and Podman)
  --insecure-registry <host>  a registry that speaks plain HTTP: HOST[:PORT];
                              may be repeated
  --ca-cert <file>            authorities to trust beside the known ones, as
                              PEM; may be repeated
  --trust-host <host>         another host that a registry may send us to:
                              HOST[:PORT]; may be repeated
  --registry-mirror <pair>    a registry to ask before another one: HOST=MIRROR;
                              may be repeated
  --help                      print this help
`);
  });

  it('knows no other words for help', async () => {
    const { status, stdout } = await cli.run(['base', 'help']);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });
});

describe('pack-build --version', () => {
  it('prints the version of the package', async () => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8'));
    const { status, stdout, stderr } = await cli.run(['--version']);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  });
});
