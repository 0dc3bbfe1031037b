# Run by CPack on what is to be packed: for a Debian package, what its policy wants otherwise than
# `cmake --install` has it.
if(NOT CPACK_GENERATOR STREQUAL "DEB")
  return()
endif()
file(GLOB_RECURSE files LIST_DIRECTORIES true "${CPACK_TEMPORARY_DIRECTORY}/*")
foreach(file IN LISTS files)
  if(file MATCHES "/zsh/site-functions$")
    get_filename_component(zsh "${file}" DIRECTORY)
    file(RENAME "${file}" "${zsh}/vendor-completions")
  elseif(file MATCHES "/man1/[^/]+\\.1$")
    execute_process(COMMAND gzip -9n "${file}" COMMAND_ERROR_IS_FATAL ANY)
  endif()
endforeach()
