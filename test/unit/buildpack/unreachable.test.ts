import { describe, expect, it } from '@jest/globals';
import { unreachableHosts } from '../../../src/buildpack/unreachable.js';

describe('unreachableHosts', () => {
  it.each([
    ['curl: (6) Could not resolve host: nodejs.org', 'nodejs.org'],
    ['curl: (5) Could not resolve proxy: proxy.corp.example', 'proxy.corp.example'],
    ["curl: (7) Failed to connect to nodejs.org port 443 after 3 ms: Couldn't connect to server", 'nodejs.org'],
    ['curl: (7) Failed to connect to nodejs.org port 443: Connection refused', 'nodejs.org'],
    ['curl: (28) Failed to connect to 10.1.2.3 port 80 after 3001 ms: Timeout was reached', '10.1.2.3'],
    ["fatal: unable to access 'https://github.com/x/y/': Could not resolve host: github.com", 'github.com'],
    ["fatal: unable to access 'https://a.b/x/': Failed to connect to a.b port 443 after 0 ms: Couldn't connect", 'a.b'],
    ['ssh: Could not resolve hostname github.com: Temporary failure in name resolution', 'github.com'],
    ['ssh: connect to host github.com port 22: Network is unreachable', 'github.com'],
    ['fatal: unable to look up git.example.com (port 9418) (Name or service not known)', 'git.example.com'],
    ['npm error network request to https://npm.example.org/express failed, reason: ', 'npm.example.org'],
    [
      'npm ERR! request to https://npm.example:8443/x failed, reason: connect ECONNREFUSED 10.0.0.1:8443',
      'npm.example',
    ],
    ['error Error: getaddrinfo ENOTFOUND yarn.example.org', 'yarn.example.org'],
    ['npm error errno getaddrinfo EAI_AGAIN npm.example.org', 'npm.example.org'],
    ['npm error connect ETIMEDOUT 104.16.1.35:443', '104.16.1.35'],
    [
      "WARNING: Retrying (Retry(total=0)) after connection broken by 'NameResolutionError(\"HTTPSConnection(host='pip.example.org', port=443): Failed to resolve 'pip.example.org' ([Errno -3] Temporary failure in name resolution)\")': /simple/flask/",
      'pip.example.org',
    ],
    [
      "ERROR: Could not install: HTTPSConnectionPool(host='files.example.org', port=443): Max retries exceeded with url: /x.whl",
      'files.example.org',
    ],
    [
      'go: example.com/x@v1.0.0: Get "https://go.example.org/example.com/x/@v/v1.0.0.mod": dial tcp: lookup go.example.org on 10.0.0.2:53: no such host',
      'go.example.org',
    ],
    [
      'go: download go1.22: Get "https://dl.google.com/go/x.tgz": dial tcp 142.250.1.1:443: connect: network is unreachable',
      'dl.google.com',
    ],
    ['dial tcp: lookup sum.example.org: Temporary failure in name resolution', 'sum.example.org'],
    ['dial tcp 10.0.0.7:443: i/o timeout', '10.0.0.7'],
    ['wget: unable to resolve host address ‘example.com’', 'example.com'],
    ["wget: unable to resolve host address 'example.com'", 'example.com'],
    ["wget: bad address 'example.com'", 'example.com'],
    ['Connecting to example.com (example.com)|93.184.216.34|:443... failed: Connection refused.', 'example.com'],
    [
      "Err:1 http://deb.example.org bookworm InRelease  Temporary failure resolving 'deb.example.org'",
      'deb.example.org',
    ],
    ["W: Failed to fetch http://a.example/x  Could not resolve 'a.example'", 'a.example'],
    ['Could not connect to deb.example.org:80 (151.101.1.132). - connect (111: Connection refused)', 'deb.example.org'],
    ['Could not reach host gems.example.org. Check your network connection and try again.', 'gems.example.org'],
    ['Errno::ECONNREFUSED: Failed to open TCP connection to gems.example.org:443', 'gems.example.org'],
    ['Caused by: java.net.UnknownHostException: maven.example.org', 'maven.example.org'],
    ['compile: connect: Connection refused\ncompile: line 2: /dev/tcp/127.0.0.1/81: Connection refused', '127.0.0.1'],
    ['bin/compile: line 2: mirror.example: Temporary failure in name resolution', 'mirror.example'],
  ])('finds the host in %j', (line, host) => {
    expect(unreachableHosts(line.split('\n'))).toEqual([host]);
  });

  it.each([
    '-----> Downloading https://nodejs.org/dist/node.tar.gz',
    'curl: (22) The requested URL returned error: 404',
    'npm error 404 Not Found - GET https://npm.example.org/nothing',
    'ERROR: No matching distribution found for flask==99',
    'error: failed to push some refs',
    'connect to the database before use',
    'checking whether we are connecting to hosts... yes',
  ])('finds none in %j', (line) => {
    expect(unreachableHosts([line])).toEqual([]);
  });

  it.each([
    [[], "pip's package index"],
    [['       Looking in indexes: https://user:****@pypi.corp.example:8443/simple'], 'pypi.corp.example'],
  ])('knows what pip wanted when it does not say so: %j', (before, host) => {
    const retry =
      "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7f>: Failed to establish a new connection: [Errno -3] Temporary failure in name resolution')': /simple/flask/";
    expect(unreachableHosts([...before, retry, retry])).toEqual([host]);
  });

  it('names each host once, in order, and not too many', () => {
    const lines = ['b', 'a', 'b', 'c', 'd', 'e', 'f', 'g'].map(
      (name) => `curl: (6) Could not resolve host: ${name}.org`,
    );
    expect(unreachableHosts(lines)).toEqual(['b.org', 'a.org', 'c.org', 'd.org', 'e.org']);
  });
});
