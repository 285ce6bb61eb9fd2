# What `cmake --install` puts where: the libraries, all public headers, and for those who look for them a CMake
# package (walloc::walloc, walloc::malloc) and two pkg-config files. All paths in them are relative: the folder
# can be moved.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/walloc)

set_target_properties(walloc_malloc PROPERTIES EXPORT_NAME malloc)
install(TARGETS walloc walloc_malloc EXPORT walloc ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT walloc NAMESPACE walloc:: FILE walloc-targets.cmake DESTINATION ${package_dir})

# Before 1.0 anything may change between minor versions.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/walloc-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
configure_package_config_file(
  cmake/walloc-config.cmake.in ${PROJECT_BINARY_DIR}/package/walloc-config.cmake
  INSTALL_DESTINATION ${package_dir})
install(FILES ${PROJECT_BINARY_DIR}/package/walloc-config.cmake
              ${PROJECT_BINARY_DIR}/package/walloc-config-version.cmake
        DESTINATION ${package_dir})

# How many folders lie between a .pc file and the prefix: ${pcfiledir} is where the file itself is.
file(RELATIVE_PATH pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
set(pc_cflags "")
set(pc_threads "")
if(NOT EMSCRIPTEN OR WALLOC_THREADS)
  set(pc_threads -pthread)
endif()
if(WALLOC_NAMESPACE)
  set(pc_cflags -DWALLOC_NAMESPACE=${WALLOC_NAMESPACE})
endif()
get_target_property(pc_malloc_options walloc_malloc INTERFACE_LINK_OPTIONS)
list(REMOVE_ITEM pc_malloc_options -pthread)
list(TRANSFORM pc_malloc_options REPLACE "^LINKER:" "-Wl,")

function(walloc_install_pc name description)
  set(pc_name ${name})
  set(pc_description "${description}")
  set(pc_options "${ARGN}")
  configure_file(cmake/walloc.pc.in ${PROJECT_BINARY_DIR}/package/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/package/${name}.pc
          DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

walloc_install_pc(walloc "A shared-memory allocator for threaded WebAssembly")
walloc_install_pc(walloc_malloc "walloc, in place of the C library's malloc" ${pc_malloc_options})
