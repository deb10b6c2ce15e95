/** How programs say that they could not reach a host, with its name in the first group that matched. */
const WORDINGS: readonly RegExp[] = [
  // curl, git over HTTP, PHP's composer
  /could not resolve (?:host|proxy)(?:name)?: ([^\s()]+)/i,
  /failed to connect to (\S+) port \d+/i,
  // git and ssh
  /could not resolve hostname ([^\s:]+)/i,
  /connect to host (\S+) port \d+/i,
  /unable to (?:connect to|look up) ([^\s:]+)/i,
  // go: the name in the URL says more than the address in the rest
  /https?:\/\/(?:[^\s/"'@]*@)?([^\s/"':?]+)[^\s"']*"?: dial (?:tcp|udp)/i,
  /dial (?:tcp|udp)[^\n]*?: lookup ([^\s:]+)/i,
  /dial tcp:? \[?([\w.-]+(?::[\da-f:]+)?)\]?:\d+: (?:connect:|i\/o timeout)/i,
  // npm and other programs on Node.js
  /request to https?:\/\/(?:[^\s/"'@]*@)?([^\s/"':?]+)\S* failed/i,
  /getaddrinfo (?:ENOTFOUND|EAI_AGAIN) ([^\s:]+)/,
  /connect (?:ECONNREFUSED|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH) (\S+?):\d+(?=\s|$)/,
  // pip and other programs on Python
  /host='([^']+)'[^\n]*(?:max retries exceeded|failed to establish|name or service not known|failed to resolve)/i,
  /failed to resolve '([^']+)'/i,
  // wget, also busybox's
  /unable to resolve host address [‘'"`]?([^\s’'"`]+)/i,
  /bad address '([^']+)'/i,
  /connecting to ([^\s:|]+)[^\n]*failed:/i,
  // apt
  /(?:could not resolve|temporary failure resolving) '([^']+)'/i,
  /could not connect to ([^\s:]+):\d+/i,
  // Ruby, Java
  /could not reach host ([^\s.]+(?:\.[^\s.]+)*)/i,
  /failed to open tcp connection to ([^\s:]+):\d+/i,
  /UnknownHostException: ([^\s:]+)/,
  // bash
  /\/dev\/(?:tcp|udp)\/([^\s/]+)\/\w+: (?:connection refused|network is unreachable|connection timed out|invalid argument)/i,
  /([\w.-]+\.[\w-]+): (?:temporary failure in name resolution|name or service not known)/i,
];

/** Before version 25, pip does not say which host it could not reach; of other indexes than the usual one it tells before. */
const PIP_RETRY = /after connection broken by '(?:NewConnectionError|ConnectTimeoutError)/;
const PIP_INDEX = /\bLooking in indexes: https?:\/\/(?:[^\s/@]*@)?([^\s/:,]+)/;

/** More names than these say no more. */
const MOST = 5;

/**
 * The hosts that a script could not reach, by the words of curl, git, npm, pip, go, wget and others in the lines it printed;
 * each once, in order of appearance (R124). Empty when no line says so.
 */
export function unreachableHosts(lines: readonly string[]): readonly string[] {
  const index = lines.map((line) => PIP_INDEX.exec(line)?.[1]).find((host) => host !== undefined);
  const hosts = lines.flatMap((line) => hostIn(line) ?? (PIP_RETRY.test(line) ? (index ?? "pip's package index") : []));
  return [...new Set(hosts)].slice(0, MOST);
}

function hostIn(line: string): string | undefined {
  for (const wording of WORDINGS) {
    const host = wording.exec(line)?.[1]?.replace(/[.,;:'")\]]+$/, '');
    if (host !== undefined && /^[\w.:-]+$/.test(host)) return host.toLowerCase();
  }
  return undefined;
}
