# For a program that needs nothing of the machine that it runs on but the kernel: static libraries
# throughout, with the headers of the shared ones. Debian has all but two, which
# `tools/rebuilt-libraries static` makes of Debian's sources (`aarch64-static` for 64-bit ARM).
set(REBUILT static)
if(CMAKE_CROSSCOMPILING)
  set(REBUILT ${CMAKE_SYSTEM_PROCESSOR}-static)
endif()
set(REBUILT_FOLDER build/${REBUILT}-libraries)
set(OTHER_LIBRARIES)
foreach(library IN ITEMS tbb fmt uring xxhash deflate pcre2-8 yaml-cpp ssl crypto z)
  # Not below the sysroot, where all others are.
  find_library(STATIC_${library} lib${library}.a PATHS ${PROJECT_SOURCE_DIR}/${REBUILT_FOLDER}/lib
    NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
  find_library(STATIC_${library} lib${library}.a)
  if(NOT STATIC_${library})
    message(FATAL_ERROR "There is no lib${library}.a: `tools/rebuilt-libraries ${REBUILT} "
      "${REBUILT_FOLDER}` makes those that Debian has not")
  endif()
  list(APPEND OTHER_LIBRARIES ${STATIC_${library}})
endforeach()
set(TBB_LIBRARY ${STATIC_tbb})
set(FMT_LIBRARY ${STATIC_fmt})
# What is compiled is the same, and so is found in ccache.
get_target_property(FMT_DEFINITIONS fmt::fmt INTERFACE_COMPILE_DEFINITIONS)
add_compile_definitions(${FMT_DEFINITIONS})
list(REMOVE_ITEM OTHER_LIBRARIES ${TBB_LIBRARY} ${FMT_LIBRARY})
