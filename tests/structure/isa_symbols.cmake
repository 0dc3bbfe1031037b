# Looks through the objects that were compiled for one instruction set (OBJECTS) for symbols that
# other code could be linked to: anything but what lies in the namespace of that ISA. NM is the
# binutils program.
execute_process(COMMAND ${NM} -C --defined-only ${OBJECTS} OUTPUT_VARIABLE symbols
  RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "${NM} failed")
endif()
string(REGEX MATCHALL "[0-9a-f]+ [TWVuBDR] [^\n]+" shown "${symbols}")
set(own 0)
foreach(symbol IN LISTS shown)
  if(symbol MATCHES "sluice::${ISA}::")
    math(EXPR own "${own} + 1")
  else()
    message(SEND_ERROR "compiled for ${ISA}, but the linker may use it for all: ${symbol}")
  endif()
endforeach()
if(own EQUAL 0)
  message(FATAL_ERROR "no symbol of sluice::${ISA} was found: the check sees nothing")
endif()
