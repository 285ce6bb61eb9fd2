# Runs PROGRAM, stale_read.c, which must succeed; and for each of KINDS with it, where the address sanitizer
# must report the read, and nothing before.

execute_process(COMMAND ${PROGRAM} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "Without a stale read: ${result}\n${output}")
endif()
foreach(kind ${KINDS})
  execute_process(COMMAND ${PROGRAM} ${kind} RESULT_VARIABLE result OUTPUT_VARIABLE output
                  ERROR_VARIABLE errors)
  if(result EQUAL 0 OR NOT output STREQUAL "reading\n"
     OR NOT errors MATCHES "use-after-poison" OR NOT errors MATCHES "READ of size 1"
     OR NOT errors MATCHES "#0 [^\n]* in main")
    message(FATAL_ERROR "${kind} was not reported at the read: ${result}\n${output}${errors}")
  endif()
endforeach()
