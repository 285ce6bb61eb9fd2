# The C sources of walloc, by room. Exactly one platform is compiled in.
set(WALLOC_SOURCES
    src/error/error.c
    src/state/state.c
    src/lock/lock.c
    src/lock/take_over.c
    src/pages/map.c
    src/pages/pages.c
    src/arena/allocate.c
    src/arena/lifetime.c
    src/arena/growth.c
    src/arena/history.c
    src/arena/recycle.c
    src/arena/reference.c
    src/reference/slots.c
    src/reference/heap_reference.c
    src/fallback/fallback.c
    src/frames/pins.c
    src/frames/frames.c
    src/context/context.c
    src/heap/classes.c
    src/heap/part.c
    src/heap/remote.c
    src/heap/span.c
    src/heap/sweep.c
    src/heap/mend.c
    src/heap/obtain.c
    src/heap/strategy_address.c
    src/heap/strategy_lists.c
    src/heap/choose.c
    src/heap/walk.c
    src/heap/census.c
    src/heap/reset.c
    src/heap/large.c
    src/heap/huge.c
    src/heap/misuse.c
    src/heap/heap.c
    src/heap/hardened.c
    src/queue/queue.c
    src/queue/lifetime.c
    src/recovery/recovery.c
    src/tiers/tiers.c
    src/stats/stats.c)

set(WALLOC_PLATFORM_NATIVE src/platform/platform_native.c src/platform/platform_posix.c
                           src/platform/platform_thread_end.c src/queue/wait.c)
set(WALLOC_PLATFORM_ATTACHED src/platform/platform_attached.c src/platform/platform_wasm_thread.c)

# An Emscripten program: the first of these, and one of the others. The end of a thread is told in another way
# where malloc is ours: see platform_thread_cleanup.c.
set(WALLOC_PLATFORM_LINKED src/platform/platform_linked.c src/platform/platform_posix.c
                           src/platform/platform_wasm_thread.c src/queue/wait.c)
set(WALLOC_PLATFORM_LINKED_SINGLE src/platform/platform_linked_single.c)
set(WALLOC_PLATFORM_LINKED_THREADS src/platform/platform_linked_threads.c
                                   src/platform/platform_thread_end.c)
set(WALLOC_PLATFORM_LINKED_THREADS_MALLOC src/platform/platform_linked_threads.c
                                          src/platform/platform_thread_cleanup.c)

# The C library's names, in libwalloc_malloc.a, and those of Emscripten's runtime.
set(WALLOC_SOURCES_MALLOC src/malloc/malloc.c src/malloc/mallinfo.c)
set(WALLOC_SOURCES_MALLOC_LINKED src/malloc/emscripten.c)

# What JavaScript calls: in the attached walloc.wasm, and in libwalloc_javascript.a.
set(WALLOC_SOURCES_JAVASCRIPT src/exports/exports.c src/exports/exports_queue.c
                              src/exports/exports_context.c src/exports/exports_frames.c
                              src/exports/exports_reference.c)
set(WALLOC_SOURCES_ATTACHED ${WALLOC_SOURCES_JAVASCRIPT} src/exports/thread_block.c
                            src/exports/control.c)

# In WebAssembly only these are compiled for speed: all the rest is rarely run, and small. In the attached module these
# are small too, as JavaScript takes most blocks without them.
set(WALLOC_SOURCES_HOT src/arena/allocate.c)

function(walloc_compile_small)
  if(EMSCRIPTEN)
    set_source_files_properties(${ARGV} PROPERTIES COMPILE_OPTIONS -Oz)
    set_source_files_properties(
      ${WALLOC_SOURCES_HOT} PROPERTIES COMPILE_OPTIONS
                                       $<IF:$<BOOL:$<TARGET_PROPERTY:WALLOC_ALL_SMALL>>,-Oz,-O3>)
  endif()
endfunction()
