# What `cmake --install` puts where. The component `program` is for those who quantize, `library` (the
# shared one) for programs that bind to it, `development` for those who build programs on it.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# First it builds what is not built yet, and for all machines: `tools/sluice` makes the program only,
# and for one.
if(SLUICE_KERNELS STREQUAL "native")
  set(for_all "execute_process(COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET
    COMMAND \"${CMAKE_COMMAND}\" -DSLUICE_KERNELS=all \"${PROJECT_BINARY_DIR}\")")
endif()
install(CODE "${for_all}
  execute_process(COMMAND_ERROR_IS_FATAL ANY
    COMMAND \"${CMAKE_COMMAND}\" --build \"${PROJECT_BINARY_DIR}\" --target installed)"
  ALL_COMPONENTS)

# The manual page and the completions, as the program itself prints them.
set(TEXTS ${PROJECT_BINARY_DIR}/texts)
function(add_text file)
  add_custom_command(OUTPUT ${TEXTS}/${file}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${TEXTS}
    COMMAND sluice_cli ${ARGN} > ${TEXTS}/${file}
    DEPENDS sluice_cli VERBATIM)
  set_property(GLOBAL APPEND PROPERTY SLUICE_TEXTS ${TEXTS}/${file})
endfunction()
add_text(sluice.1 help --man)
add_text(sluice.bash completion bash)
add_text(_sluice completion zsh)
add_text(sluice.fish completion fish)
get_property(text_files GLOBAL PROPERTY SLUICE_TEXTS)
add_custom_target(installed ALL DEPENDS ${text_files} sluice_cli sluice)

install(TARGETS sluice_cli COMPONENT program)
install(FILES ${TEXTS}/sluice.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT program)
install(FILES ${TEXTS}/sluice.bash RENAME sluice COMPONENT program
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${TEXTS}/_sluice COMPONENT program
  DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${TEXTS}/sluice.fish COMPONENT program
  DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
# With what their links lead to.
install(FILES README.md CHECKPOINTS.md OPTIONS.md ERRORS.md CONTRIBUTING.md DESTINATION ${CMAKE_INSTALL_DOCDIR}
  COMPONENT program)
install(FILES bench/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR}/bench COMPONENT program)
install(DIRECTORY bench/notes DESTINATION ${CMAKE_INSTALL_DOCDIR}/bench COMPONENT program)
install(DIRECTORY tools/examples DESTINATION ${CMAKE_INSTALL_DOCDIR}/tools COMPONENT program)
install(FILES LICENSE RENAME copyright DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)

set(config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/sluice)
install(TARGETS sluice EXPORT sluiceTargets COMPONENT development)
if(TARGET sluice_shared)
  add_dependencies(installed sluice_shared)
  install(TARGETS sluice_shared EXPORT sluiceTargets
    LIBRARY COMPONENT library NAMELINK_COMPONENT development)
endif()
install(DIRECTORY include/sluice DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
install(EXPORT sluiceTargets NAMESPACE sluice:: DESTINATION ${config_folder}
  COMPONENT development)
configure_package_config_file(tools/packaging/sluiceConfig.cmake.in ${TEXTS}/sluiceConfig.cmake
  INSTALL_DESTINATION ${config_folder} NO_SET_AND_CHECK_MACRO
  NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# Before 1.0 a new minor version may change the C++ interface.
write_basic_package_version_file(${TEXTS}/sluiceConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${TEXTS}/sluiceConfig.cmake ${TEXTS}/sluiceConfigVersion.cmake
  DESTINATION ${config_folder} COMPONENT development)

file(RELATIVE_PATH pc_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(tools/packaging/sluice.pc.in ${TEXTS}/sluice.pc @ONLY)
install(FILES ${TEXTS}/sluice.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
  COMPONENT development)
