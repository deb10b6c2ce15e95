/** Where an image goes when nobody says: into the app's own directory, where `run DIR` finds it. */
export function defaultPlace(source: string): string {
  return `oci:${source}/.pack-build/image:latest`;
}
