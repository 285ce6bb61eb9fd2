/* Which walloc this is. Included by walloc.h; by itself for the preprocessor, also of other languages' tools. Versions
 * follow semantic versioning: before 1.0 anything may change between minor versions.
 *
 *     #if WALLOC_VERSION_NUMBER >= 100        0.1.0 or newer: major * 10000 + minor * 100 + patch
 *
 * A test compares these with CMakeLists.txt and package.json. */
#ifndef WALLOC_VERSION_H
#define WALLOC_VERSION_H

#define WALLOC_VERSION "0.1.0"
#define WALLOC_VERSION_MAJOR 0
#define WALLOC_VERSION_MINOR 1
#define WALLOC_VERSION_PATCH 0
#define WALLOC_VERSION_NUMBER \
  (WALLOC_VERSION_MAJOR * 10000 + WALLOC_VERSION_MINOR * 100 + WALLOC_VERSION_PATCH)

#endif
