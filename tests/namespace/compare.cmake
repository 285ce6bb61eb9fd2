# Compares the names in HEADER with the external symbols of LIBRARY, and those of PREFIXED, which was
# compiled with WALLOC_NAMESPACE=mine_.

function(symbols_of library out)
  execute_process(
    COMMAND ${NM} --extern-only --defined-only ${library}
    OUTPUT_VARIABLE listing COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL " [TDBRVWC] [A-Za-z0-9_]+" lines "${listing}")
  list(TRANSFORM lines REPLACE " [TDBRVWC] " "")
  list(SORT lines)
  list(REMOVE_DUPLICATES lines)
  set(${out} ${lines} PARENT_SCOPE)
endfunction()

function(expect_same what left right)
  set(only_left ${left})
  list(REMOVE_ITEM only_left ${right})
  set(only_right ${right})
  list(REMOVE_ITEM only_right ${left})
  if(only_left OR only_right)
    message(FATAL_ERROR "${what}: only here: ${only_left}; only there: ${only_right}")
  endif()
endfunction()

file(STRINGS ${HEADER} names REGEX "^#define walloc_")
list(TRANSFORM names REPLACE "^#define ([A-Za-z0-9_]+) .*" "\\1")
list(REMOVE_ITEM names walloc_platform_set_can_wait # only in the WebAssembly platforms
     walloc_replaces_malloc) # only with the C library's names
symbols_of(${LIBRARY} symbols)
expect_same("symbols and walloc_namespace.h" "${symbols}" "${names}")

set(expected ${names})
list(TRANSFORM expected PREPEND "mine_")
symbols_of(${PREFIXED} prefixed)
expect_same("prefixed symbols and walloc_namespace.h" "${prefixed}" "${expected}")
