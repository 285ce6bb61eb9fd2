# walloc.wasm: the library and its exports as one module that any JavaScript worker can instantiate on
# a shared memory, without Emscripten's runtime. emcc compiles; its own link step would bring its thread
# runtime along, so wasm-ld links, and wasm-opt makes it small.
#
# Which sources are compiled for speed, and which to be small, is said in src/sources.cmake. The small ones inline
# less here than in libwalloc.a: who calls from JavaScript pays for a call anyway.

foreach(root LLVM_ROOT BINARYEN_ROOT)
  execute_process(COMMAND ${EMSCRIPTEN_ROOT_PATH}/em-config ${root} OUTPUT_VARIABLE ${root}
                  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
endforeach()
find_program(WALLOC_WASM_LD wasm-ld PATHS ${LLVM_ROOT} NO_DEFAULT_PATH
                                                        NO_CMAKE_FIND_ROOT_PATH REQUIRED)
find_program(WALLOC_WASM_OPT wasm-opt PATHS ${BINARYEN_ROOT}/bin NO_DEFAULT_PATH
                                                                 NO_CMAKE_FIND_ROOT_PATH REQUIRED)

set(small_sources ${WALLOC_SOURCES} ${WALLOC_PLATFORM_ATTACHED} ${WALLOC_SOURCES_ATTACHED})
list(REMOVE_ITEM small_sources ${WALLOC_SOURCES_HOT})
walloc_compile_small(${small_sources})
add_library(walloc_attached OBJECT EXCLUDE_FROM_ALL ${small_sources})
target_compile_options(walloc_attached PRIVATE -mllvm -inline-threshold=-30)
add_library(walloc_attached_hot OBJECT EXCLUDE_FROM_ALL ${WALLOC_SOURCES_HOT})
foreach(target walloc_attached walloc_attached_hot)
  target_include_directories(${target} PRIVATE include src)
  walloc_compile_strictly(${target})
endforeach()
set(attached_objects $<TARGET_OBJECTS:walloc_attached> $<TARGET_OBJECTS:walloc_attached_hot>)

# The linker's own stack is not used: each thread has its block. 6 pages of 64 KiB to begin with, of which the first
# KiB stays unused, as wasm-opt is told.
set(link_flags
    --no-entry --import-memory --shared-memory --initial-memory=393216 --max-memory=4294967296
    -z stack-size=16 --global-base=1024 --gc-sections --export=__stack_pointer --export=__wasm_init_tls
    --export=__tls_size --export=__tls_align --export=walloc_control)

# A function inlined where there was a call has its stack frame made on the fast way too: not the slow way of
# alloc. Zero-filled: the memory that JavaScript makes is, so that zeros need not be in the file.
set(opt_flags
    --no-inline=walloc_platform_wait* --no-inline=allocate_slowly -Oz --converge --reorder-functions --low-memory-unused
    --zero-filled-memory --enable-threads --enable-bulk-memory --enable-mutable-globals --enable-sign-ext
    --enable-nontrapping-float-to-int --enable-multivalue --enable-reference-types --strip-debug
    --strip-producers)

set(attached_dir ${CMAKE_BINARY_DIR}/attached)
file(MAKE_DIRECTORY ${attached_dir})
add_custom_command(
  OUTPUT ${attached_dir}/walloc.wasm
  COMMAND ${WALLOC_WASM_LD} ${link_flags} ${attached_objects} -o
          ${attached_dir}/linked.wasm
  COMMAND ${WALLOC_WASM_OPT} ${opt_flags} ${attached_dir}/linked.wasm -o
          ${attached_dir}/walloc.wasm
  COMMAND ${CMAKE_COMMAND} -E copy_if_different ${attached_dir}/walloc.wasm
          ${PROJECT_SOURCE_DIR}/workers/walloc.wasm
  DEPENDS walloc_attached walloc_attached_hot ${attached_objects}
  COMMAND_EXPAND_LISTS VERBATIM)
add_custom_target(attached DEPENDS ${attached_dir}/walloc.wasm)
