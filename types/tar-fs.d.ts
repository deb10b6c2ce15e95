declare module 'tar-fs' {
  import type { Readable, Writable } from 'node:stream';

  interface Header {
    name: string;
    type: string;
    mode?: number;
    size?: number;
    linkname?: string | null;
  }
  interface ExtractOptions {
    readable?: boolean;
    writable?: boolean;
    strict?: boolean;
    strip?: number;
    utimes?: boolean;
    chown?: boolean;
    umask?: number;
    validateSymlinks?: boolean;
    ignore?: (name: string, header?: Header) => boolean;
    map?: (header: Header) => Header;
  }
  interface PackOptions {
    sort?: boolean;
    umask?: number;
    map?: (header: Header) => Header;
  }
  const tarFs: {
    extract(dir: string, options?: ExtractOptions): Writable;
    pack(dir: string, options?: PackOptions): Readable;
  };
  export default tarFs;
}
