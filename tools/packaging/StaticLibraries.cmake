# For a program that needs few libraries of the machine that it runs on: static ones where Debian
# has them. oneTBB has none, and comes along with the program (Install.cmake); it needs the shared
# C++ standard library, of which a process must not have two, so that one stays shared as well.
set(FMT_LIBRARY fmt::fmt-header-only)
set(OTHER_LIBRARIES)
foreach(library IN ITEMS uring xxhash deflate pcre2-8 yaml-cpp ssl crypto z)
  find_library(STATIC_${library} lib${library}.a REQUIRED)
  list(APPEND OTHER_LIBRARIES ${STATIC_${library}})
endforeach()
