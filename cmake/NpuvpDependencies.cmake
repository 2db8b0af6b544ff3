# Everything comes from Debian's packages (launcher/packages.txt); a missing one is named with its remedy.
function(npuvp_missing what package)
  message(FATAL_ERROR "${what} was not found. Remedy: run ./npuvp once (it installs what is missing) or "
                      "apt-get install ${package}")
endfunction()

find_path(SYSTEMC_INCLUDE_DIR systemc.h)
find_library(SYSTEMC_LIBRARY systemc)
if(NOT SYSTEMC_INCLUDE_DIR OR NOT SYSTEMC_LIBRARY)
  npuvp_missing(SystemC libsystemc-dev)
endif()
add_library(npuvp_systemc INTERFACE)
target_link_libraries(npuvp_systemc INTERFACE ${SYSTEMC_LIBRARY})
# Debian's library is built as C++17 and says so in its version symbol; the headers must agree.
target_compile_definitions(npuvp_systemc INTERFACE SC_CPLUSPLUS=201703L)
if(NOT SYSTEMC_INCLUDE_DIR STREQUAL /usr/include)
  target_include_directories(npuvp_systemc SYSTEM INTERFACE ${SYSTEMC_INCLUDE_DIR})
endif()

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(Protobuf REQUIRED)
find_package(GTest REQUIRED)
find_package(Python3 REQUIRED COMPONENTS Interpreter)

# One protobuf runtime for all: the static one, which the statically linked programs of the guest need.
find_library(NPUVP_PROTOBUF_LITE NAMES libprotobuf-lite.a)
if(NOT NPUVP_PROTOBUF_LITE)
  npuvp_missing("protobuf (libprotobuf-lite.a)" libprotobuf-dev)
endif()

# npuvp_add_proto(target file.proto): a library of the messages. What protoc writes does not get our warnings.
function(npuvp_add_proto target file)
  get_filename_component(name ${file} NAME_WE)
  set(generated ${CMAKE_CURRENT_BINARY_DIR}/generated)
  file(MAKE_DIRECTORY ${generated})
  add_custom_command(
    OUTPUT ${generated}/${name}.pb.cc ${generated}/${name}.pb.h
    COMMAND protobuf::protoc --cpp_out=${generated} -I${CMAKE_CURRENT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/${file}
    DEPENDS ${file}
    VERBATIM)
  add_library(${target} STATIC ${generated}/${name}.pb.cc ${generated}/${name}.pb.h)
  target_include_directories(${target} SYSTEM PUBLIC ${generated})
  target_link_libraries(${target} PUBLIC ${NPUVP_PROTOBUF_LITE} Threads::Threads)
endfunction()

# The driver's ioctl header includes <drm/drm.h>, which Debian ships as libdrm/drm.h: a link in the build tree gives it
# the kernel's name.
find_path(NPUVP_LIBDRM_INCLUDE_DIR drm.h PATH_SUFFIXES libdrm)
if(NOT NPUVP_LIBDRM_INCLUDE_DIR)
  npuvp_missing("the DRM header drm.h" libdrm-dev)
endif()
set(drm_include_dir ${CMAKE_BINARY_DIR}/drm-include)
file(MAKE_DIRECTORY ${drm_include_dir})
file(CREATE_LINK ${NPUVP_LIBDRM_INCLUDE_DIR} ${drm_include_dir}/drm SYMBOLIC)
add_library(npuvp_drm INTERFACE)
target_include_directories(npuvp_drm SYSTEM INTERFACE ${drm_include_dir})
