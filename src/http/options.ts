/** How servers are reached. */
export interface ReachOptions {
  /** Where proxies are named, more authorities (NODE_EXTRA_CA_CERTS), and HOME and XDG_CONFIG_HOME. */
  readonly env: Readonly<Record<string, string>>;
  /** `HOST[:PORT]` of other hosts (stores, token servers) that servers send us to and which may be in a private network. */
  readonly trusted?: readonly string[] | undefined;
  /** Files (PEM) with authorities that are trusted beside the known ones. */
  readonly authorities?: readonly string[] | undefined;
  /**
   * Where `HOST[:PORT]/` has certificates for one host: `*.crt` are authorities, `NAME.cert` with `NAME.key` are of ours. If
   * absent, `~/.config/containers/certs.d`, `/etc/containers/certs.d` and `/etc/docker/certs.d`.
   */
  readonly certificateDirectories?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}
