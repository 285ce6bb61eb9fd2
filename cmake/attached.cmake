# walloc.wasm: the library and its exports as one module that any JavaScript worker can instantiate on
# a shared memory, without Emscripten's runtime. emcc compiles; its own link step would bring its thread
# runtime along, so wasm-ld links, and wasm-opt makes it small.
#
# All sources are compiled to be small, and inline less than in libwalloc.a: who calls from JavaScript pays for a call
# anyway. The linker optimises them as one (-flto): what is in it twice is found, and what nobody calls is left out.

foreach(root LLVM_ROOT BINARYEN_ROOT)
  execute_process(COMMAND ${EMSCRIPTEN_ROOT_PATH}/em-config ${root} OUTPUT_VARIABLE ${root}
                  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
endforeach()
find_program(WALLOC_WASM_LD wasm-ld PATHS ${LLVM_ROOT} NO_DEFAULT_PATH
                                                        NO_CMAKE_FIND_ROOT_PATH REQUIRED)
find_program(WALLOC_WASM_OPT wasm-opt PATHS ${BINARYEN_ROOT}/bin NO_DEFAULT_PATH
                                                                 NO_CMAKE_FIND_ROOT_PATH REQUIRED)

set(attached_sources ${WALLOC_SOURCES} ${WALLOC_PLATFORM_ATTACHED} ${WALLOC_SOURCES_ATTACHED})
walloc_compile_small(${attached_sources})
add_library(walloc_attached OBJECT EXCLUDE_FROM_ALL ${attached_sources})
set_target_properties(walloc_attached PROPERTIES WALLOC_ALL_SMALL ON)
set(inline_less -mllvm -inline-threshold=-30)
target_compile_options(walloc_attached PRIVATE -flto ${inline_less})
target_include_directories(walloc_attached PRIVATE include src)
walloc_compile_strictly(walloc_attached)
set(attached_objects $<TARGET_OBJECTS:walloc_attached>)

# The linker's own stack is not used: each thread has its block. 6 pages of 64 KiB to begin with, of which the first
# KiB stays unused, as wasm-opt is told. The two last options are emcc's own when it compiles.
set(link_flags
    --no-entry --import-memory --shared-memory --initial-memory=393216 --max-memory=4294967296
    -z stack-size=16 --global-base=1024 --gc-sections --export=__stack_pointer --export=__wasm_init_tls
    --export=__tls_size --export=__tls_align --export=walloc_control ${inline_less} -mllvm -disable-lsr
    -mllvm -combiner-global-alias-analysis=false)

# Zero-filled: the memory that JavaScript makes is, so that zeros need not be in the file. Not inlined: see
# platform_attached.c. The blocks of the compiler are made again from its branches (--rereloop, which wants --flatten):
# 0.6 % less.
set(opt_flags
    --no-inline=walloc_platform_wait* --flatten --rereloop -Oz -Oz --converge --reorder-functions
    --low-memory-unused --zero-filled-memory --enable-threads --enable-bulk-memory --enable-mutable-globals
    --enable-sign-ext --enable-nontrapping-float-to-int --enable-multivalue --enable-reference-types
    --strip-debug --strip-producers --strip-target-features)

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
  DEPENDS walloc_attached ${attached_objects}
  COMMAND_EXPAND_LISTS VERBATIM)
add_custom_target(attached DEPENDS ${attached_dir}/walloc.wasm)
