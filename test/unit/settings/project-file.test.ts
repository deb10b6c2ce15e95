import { describe, expect, it } from '@jest/globals';
import { appJsonEnv } from '../../../src/settings/app-json.js';
import { parseProjectFile } from '../../../src/settings/project-file.js';

const parse = (text: string) => parseProjectFile(Buffer.from(text), '/apps/shop');

describe('parseProjectFile', () => {
  it('reads every key and takes relative places from the directory of the app', () => {
    const text = `
base = "oci:../base:run"
build-base = "oci:/bases/debian:build"
buildpacks = ["nodejs", "./my-buildpack", "https://host.example/x.git#v1"]
to = ["oci:out/image:latest"]
stack = "heroku-24"
compression = "zstd:9"
network = "none"
strict = true
build-dir = "/app"
build-user = "root"
redact = true
max-source = "1GB"
max-app = "500 MB"
max-log = "1MiB"
compile-timeout = 60
[labels]
"com.example.version" = "1"
[env]
GREETING = "hello"
[build-env]
BUILDPACK_XTRACE = "1"
`;
    expect(parse(text)).toEqual({
      base: 'oci:/apps/base:run',
      buildBase: 'oci:/bases/debian:build',
      buildpacks: ['nodejs', '/apps/shop/my-buildpack', 'https://host.example/x.git#v1'],
      to: ['oci:/apps/shop/out/image:latest'],
      stack: 'heroku-24',
      compression: 'zstd:9',
      network: 'none',
      strict: true,
      buildDir: '/app',
      buildUser: 'root',
      redact: true,
      maxSource: 1_000_000_000,
      maxApp: 500_000_000,
      maxLog: 1_048_576,
      compileTimeoutMs: 60_000,
      labels: { 'com.example.version': '1' },
      env: { GREETING: 'hello' },
      buildEnv: { BUILDPACK_XTRACE: '1' },
    });
  });

  it('settles nothing when it is empty', () => {
    expect(parse('')).toEqual({});
  });

  it.each([
    ['sandbox = "host"', 'pack-build.toml has a key that is not known: sandbox'],
    ['bases = 1', 'pack-build.toml has a key that is not known: bases'],
    ['base = 1', 'pack-build.toml: base must be a string'],
    ['network = "host"', 'pack-build.toml: network must be none'],
    ['max-source = "1"', 'pack-build.toml: max-source must be a size'],
    ['max-log = 5', 'pack-build.toml: max-log must be a string'],
    ['compile-timeout = 0', 'pack-build.toml: compile-timeout must be a number of seconds'],
    ['compile-timeout = "900"', 'pack-build.toml: compile-timeout must be a whole number'],
    ['build-dir = "/etc"', 'pack-build.toml: build-dir must be /tmp/build_app or /app'],
    ['build-user = "web"', 'pack-build.toml: build-user must be app or root'],
    ['strict = "yes"', 'pack-build.toml: strict must be true or false'],
    ['to = ["oci:/etc/x"]', "pack-build.toml: to[0] must be a place within the app's directory"],
    ['to = ["oci:../x"]', "pack-build.toml: to[0] must be a place within the app's directory"],
    ['to = ["oci:a/../../x"]', "pack-build.toml: to[0] must be a place within the app's directory"],
    ['to = ["docker://host.example/x"]', "pack-build.toml: to[0] must be a place within the app's directory"],
    ['[env]\nA = 1', 'pack-build.toml: env.A must be a string'],
    ['base = ', 'pack-build.toml is not TOML'],
  ])('refuses %j', (text, message) => {
    expect(() => parse(text)).toThrow(message);
  });
});

describe('appJsonEnv', () => {
  const read = (value: unknown) => appJsonEnv(Buffer.from(JSON.stringify(value)));

  it('takes values, and leaves out what has none', () => {
    const env = { A: 'a', B: { value: 'b' }, C: { required: true }, D: { generator: 'secret' }, __proto__: undefined };
    expect(read({ env })).toEqual({ A: 'a', B: 'b' });
  });

  it('is empty without an env', () => {
    expect(read({ name: 'shop' })).toEqual({});
  });

  it('refuses a value that is not text', () => {
    expect(() => read({ env: { A: { value: 1 } } })).toThrow('app.json: env.A.value must be a string');
  });
});
