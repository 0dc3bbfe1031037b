# Packages, by CPack: `cpack -G DEB` makes sluice, libsluice0.9 and libsluice-dev for Debian, `cpack -G TGZ` an
# archive to unpack anywhere (of the preset `static`: with what it needs besides libc and libstdc++).
set(CPACK_PACKAGE_NAME sluice)
set(CPACK_PACKAGE_VENDOR "The sluice developers")
set(CPACK_PACKAGE_CONTACT "The sluice developers <sluice@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "streaming, out-of-core GGUF quantizer")
set(CPACK_PACKAGE_DESCRIPTION "Turns a 16-bit GGUF checkpoint into a very small one in a fixed
 amount of memory, however large the checkpoint is: it reads, computes and writes at the same time.")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_COMPONENTS_ALL program development)
if(TARGET sluice_shared)
  list(APPEND CPACK_COMPONENTS_ALL library)
endif()

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME sluice)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
# A package for each interface, as programs are linked to one.
set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libsluice${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libsluice-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "${CPACK_DEBIAN_LIBRARY_PACKAGE_NAME} \
(= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}), libtbb-dev (>= 2021.8), libfmt-dev, liburing-dev, \
libxxhash-dev, libdeflate-dev, libpcre2-dev, libyaml-cpp-dev, libssl-dev (>= 3), zlib1g-dev, pkg-config")
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION "${CPACK_PACKAGE_DESCRIPTION}")
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION "The library of sluice, for programs that were built on it.")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
  "The library of sluice: a static library, headers for C++ and C, CMake and pkg-config files.")
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/tools/packaging/DebianLayout.cmake)
if(CMAKE_CROSSCOMPILING)
  # dpkg-shlibdeps would ask for the packages of this machine.
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE arm64)
  set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS OFF)
  set(CPACK_DEBIAN_LIBRARY_PACKAGE_SHLIBDEPS OFF)
  set(CPACK_SYSTEM_NAME ${CMAKE_SYSTEM_NAME}-${CMAKE_SYSTEM_PROCESSOR})
  set(CPACK_SLUICE_SHLIBS ${CMAKE_SYSROOT}/shlibs)
  set(CPACK_SLUICE_READELF ${CMAKE_READELF})
  list(APPEND CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/tools/packaging/CrossDepends.cmake)
endif()
include(CPack)
