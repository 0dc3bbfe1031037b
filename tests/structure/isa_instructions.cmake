# Looks through the objects that were compiled for one instruction set (OBJECTS) for instructions above
# it. Those of the next one (ABOVE, where there is one) must have some: else the check sees nothing.
# OBJDUMP is the binutils program.
set(after_portable "[[:space:]](v[a-z]+[a-z0-9]*|andn|bextr|bls[a-z]+|bzhi|pdep|pext|mulx|rorx|s[ah][lr]x|\
lzcnt|popcnt|movbe|p?h(add|sub)[a-z]+|pshufb|pabs.|psign.|palignr|pmulhrsw|pmulld|pmuldq|pmadd?ubsw|\
pmov[sz]x.*|p?blend[a-z]+|p(min|max)(sb|sd|uw|ud)|packusdw|pcmp(eq|gt)q|p(extr|insr)[bdq]|\
round[ps][sd]|dpp[sd]|insertps|extractps|ptest|movs[hl]dup|movddup|lddqu)[[:space:]]")
set(after_avx2 "%zmm|%k[0-7]|%[xy]mm(1[6-9]|2[0-9]|3[01])")
# GFNI, IFMA, BITALG, VPOPCNTDQ, BF16, FP16, VP2INTERSECT.
set(after_avx512 "[[:space:]](vgf2p8[a-z]+|vpmadd52[a-z]+|vpopcnt.|vpshufbitqmb|vdpbf16ps|\
vcvtne2?ps2?bf16|v(add|sub|mul|div|min|max|sqrt|cmp|fn?m(add|sub)[0-9]+)[ps]h|vp2intersect.)[[:space:]]")
# VBMI, VBMI2, VNNI, and all that.
set(after_avx512bw "[[:space:]](vperm(|i2|t2)b|vpmultishiftqb|vp(compress|expand)[bw]|\
vpsh[lr]dv?[wdq]|vpdp[a-z]+)[[:space:]]|${after_avx512}")

# Whether objects have what matches; some of it.
function(find_instructions pattern objects result)
  set(ENV{LC_ALL} C)
  execute_process(COMMAND ${OBJDUMP} -d -w --no-show-raw-insn ${objects}
    COMMAND grep -E -e "${pattern}" COMMAND head -n 5
    OUTPUT_VARIABLE found RESULTS_VARIABLE results)
  list(GET results 1 status)
  if(status GREATER 1)
    message(FATAL_ERROR "objdump and grep failed: ${results}")
  endif()
  set(${result} "${found}" PARENT_SCOPE)
endfunction()

find_instructions("${after_${ISA}}" "${OBJECTS}" found)
if(found)
  message(SEND_ERROR "compiled for ${ISA}, but it cannot run:\n${found}")
endif()
if(ABOVE)
  find_instructions("${after_${ISA}}" "${ABOVE}" found)
  if(NOT found)
    message(FATAL_ERROR "nothing above ${ISA} was found where there is some")
  endif()
endif()
