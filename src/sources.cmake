# The C sources of walloc, by room. Exactly one platform is compiled in.
set(WALLOC_SOURCES
    src/error/error.c
    src/state/state.c
    src/lock/lock.c
    src/pages/map.c
    src/pages/pages.c
    src/arena/allocate.c
    src/arena/lifetime.c
    src/arena/growth.c
    src/arena/history.c
    src/arena/recycle.c
    src/arena/reference.c
    src/tiers/tiers.c
    src/stats/stats.c)

set(WALLOC_PLATFORM_NATIVE src/platform/platform_native.c)
set(WALLOC_PLATFORM_LINKED src/platform/platform_linked.c src/platform/platform_wasm_wait.c)
set(WALLOC_PLATFORM_ATTACHED src/platform/platform_attached.c src/platform/platform_wasm_wait.c)

# What JavaScript calls; only in the attached walloc.wasm.
set(WALLOC_SOURCES_ATTACHED src/exports/exports.c src/exports/thread_block.c)
