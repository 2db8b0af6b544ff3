# Views of the register descriptions, generated into the build tree by models/base/reggen. A block is described by
# models/<block>/registers.yaml or, when that grows too long, by the files in models/<block>/registers/.
#   ${NPUVP_GENERATED_DIR}/npu/registers/<block>.h      C
#   ${NPUVP_GENERATED_DIR}/npuvp/registers/<block>.h    C++
#   ${NPUVP_GENERATED_DIR}/sv/<block>_registers_pkg.sv  SystemVerilog
#   ${NPUVP_GENERATED_DIR}/md/<block>.md                Markdown
set(NPUVP_GENERATED_DIR ${CMAKE_BINARY_DIR}/generated)

file(GLOB register_files CONFIGURE_DEPENDS
  ${CMAKE_SOURCE_DIR}/models/*/registers.yaml ${CMAKE_SOURCE_DIR}/models/*/registers/*.yaml)
file(GLOB generator_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/models/base/reggen/*.py)
set(generated_files)
set(blocks)
foreach(file ${register_files})
  file(RELATIVE_PATH place ${CMAKE_SOURCE_DIR}/models ${file})
  string(REGEX REPLACE "/.*" "" block ${place})
  list(APPEND blocks ${block})
endforeach()
list(REMOVE_DUPLICATES blocks)
foreach(block ${blocks})
  list(APPEND generated_files
    ${NPUVP_GENERATED_DIR}/npu/registers/${block}.h
    ${NPUVP_GENERATED_DIR}/npuvp/registers/${block}.h)
endforeach()

set(stamp ${NPUVP_GENERATED_DIR}/stamp)
add_custom_command(
  OUTPUT ${stamp}
  BYPRODUCTS ${generated_files}
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/models/base/reggen/reggen.py
          --c ${NPUVP_GENERATED_DIR} --cpp ${NPUVP_GENERATED_DIR} --sv ${NPUVP_GENERATED_DIR}/sv
          --md ${NPUVP_GENERATED_DIR}/md ${register_files}
  COMMAND ${CMAKE_COMMAND} -E touch ${stamp}
  DEPENDS ${register_files} ${generator_files}
  COMMENT "Generating registers"
  VERBATIM)
add_custom_target(npuvp_generate_registers DEPENDS ${stamp})
# Linking this gives the include path and the right build order.
add_library(npuvp_registers INTERFACE)
target_include_directories(npuvp_registers INTERFACE ${NPUVP_GENERATED_DIR})
add_dependencies(npuvp_registers npuvp_generate_registers)
