# Language standard, warnings and sanitizers as an interface target: nothing global, generated and foreign code opts out
# by not linking it.
option(NPUVP_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(NPUVP_FUZZ "Instrument for libFuzzer and build the fuzzers of tests/fuzz; needs clang" OFF)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

add_library(npuvp_options INTERFACE)
target_include_directories(npuvp_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(npuvp_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Werror
  $<$<COMPILE_LANGUAGE:CXX>:-Wconversion -Wsign-conversion -Wnon-virtual-dtor -Woverloaded-virtual>)

if(NPUVP_SANITIZE)
  target_compile_options(npuvp_options INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  # The sanitizers' instrumentation confuses gcc's flow analysis on some standard headers.
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    target_compile_options(npuvp_options INTERFACE -Wno-error=maybe-uninitialized -Wno-maybe-uninitialized)
  endif()
  target_link_options(npuvp_options INTERFACE -fsanitize=address,undefined)
endif()

if(NPUVP_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL Clang)
    message(FATAL_ERROR "NPUVP_FUZZ needs clang, not ${CMAKE_CXX_COMPILER}. Remedy: use the preset fuzz")
  endif()
  # With assertions: they are findings. Warnings are the other presets' to judge: clang's differ.
  target_compile_options(npuvp_options INTERFACE -fsanitize=fuzzer-no-link -UNDEBUG -Wno-error)
endif()
