/** The package comes without types. */
declare module 'swagger-ui-dist/absolute-path.js' {
  /** The folder of the files that are to be served. */
  export default function absolutePath(): string;
}
