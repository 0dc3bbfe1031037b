# Installs the packages that FOLDER/package.json names, unless they are there already.
set(installed ${FOLDER}/node_modules/.package-lock.json)
if(EXISTS ${installed} AND ${installed} IS_NEWER_THAN ${FOLDER}/package.json)
  return()
endif()

find_program(NPM npm)
if(NOT NPM)
  message(FATAL_ERROR "npm is missing: install Debian's package npm")
endif()
# Not `npm ci`: it wants every optional package of node-llama-cpp, for other platforms too, and
# some of those cannot be had. No scripts: the packages carry what they need.
execute_process(
  COMMAND ${NPM} install --ignore-scripts --omit=optional --no-audit --no-fund
  WORKING_DIRECTORY ${FOLDER}
  COMMAND_ERROR_IS_FATAL ANY)
