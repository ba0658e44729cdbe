/** The version of this build, as every process registers it. A test keeps it equal to package.json's. */
export const RINGLEADER_VERSION = '0.1.0';
