# How walloc's own code is compiled; none of it reaches a program that embeds walloc.

set(walloc_warnings
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wundef
    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>)

# Sanitizers go to everything that is compiled here, tests and cmocka too.
if(WALLOC_SANITIZE)
  add_compile_options(-fsanitize=${WALLOC_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${WALLOC_SANITIZE})
endif()

# In an Emscripten build everything is compiled for shared memory, unless for programs of one thread.
if(EMSCRIPTEN AND WALLOC_THREADS)
  add_compile_options(-pthread)
  add_link_options(-pthread)
endif()

if(WALLOC_HARDENED)
  add_compile_definitions(WALLOC_HARDENED)
endif()

if(WALLOC_DEBUG_FILL)
  add_compile_definitions(WALLOC_DEBUG_FILL)
endif()

function(walloc_compile_strictly target)
  if(WALLOC_STRICT)
    target_compile_options(${target} PRIVATE ${walloc_warnings} -Werror)
  endif()
endfunction()
