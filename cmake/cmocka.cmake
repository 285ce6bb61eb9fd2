# cmocka, built from Debian's source package for every platform alike. The set-up puts the sources into
# the cache; WALLOC_CMOCKA_DIR names another place.

if(NOT WALLOC_CMOCKA_DIR)
  if(DEFINED ENV{XDG_CACHE_HOME})
    set(cache $ENV{XDG_CACHE_HOME})
  else()
    set(cache $ENV{HOME}/.cache)
  endif()
  set(WALLOC_CMOCKA_DIR ${cache}/walloc/cmocka-1.1.5)
endif()
if(NOT EXISTS ${WALLOC_CMOCKA_DIR}/src/cmocka.c)
  message(FATAL_ERROR "cmocka's sources are not in ${WALLOC_CMOCKA_DIR}: run `npm run setup`")
endif()

set(config_dir ${CMAKE_BINARY_DIR}/cmocka)
file(WRITE ${config_dir}/config.h.new
     "#define HAVE_STDINT_H 1
#define HAVE_INTTYPES_H 1
#define HAVE_MALLOC_H 1
#define HAVE_SETJMP_H 1
#define HAVE_SIGNAL_H 1
#define HAVE_STRINGS_H 1
#define HAVE_TIME_H 1
#define HAVE_UNISTD_H 1
#define HAVE_STRUCT_TIMESPEC 1
#define HAVE_CLOCK_GETTIME_REALTIME 1
#define HAVE_SNPRINTF 1
#define HAVE_VSNPRINTF 1
#define HAVE_STRSIGNAL 1
#define HAVE_GCC_THREAD_LOCAL_STORAGE 1
")
configure_file(${config_dir}/config.h.new ${config_dir}/config.h COPYONLY)

add_library(cmocka STATIC EXCLUDE_FROM_ALL ${WALLOC_CMOCKA_DIR}/src/cmocka.c)
target_include_directories(cmocka SYSTEM PUBLIC ${WALLOC_CMOCKA_DIR}/include PRIVATE ${config_dir})
target_compile_definitions(
  cmocka
  PUBLIC _UINTPTR_T _UINTPTR_T_DEFINED # or its header defines the type again
  PRIVATE HAVE_CONFIG_H _GNU_SOURCE)
target_compile_options(cmocka PRIVATE -w)
