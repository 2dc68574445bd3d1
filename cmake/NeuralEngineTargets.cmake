# How this project's targets are made.

# Warnings and sanitizers, for every target of ours. No -march: kernels are generated for the CPU at hand.
add_library(ne_options INTERFACE)
target_compile_options(ne_options INTERFACE -Wall -Wextra -Wshadow -Wno-missing-field-initializers -Wnon-virtual-dtor -Woverloaded-virtual)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 sees overlaps and overruns inside std::string (GCC bugs 105651, 105329).
  target_compile_options(ne_options INTERFACE -Wno-restrict -Wno-array-bounds -Wno-stringop-overflow)
endif()
if(NE_WERROR)
  target_compile_options(ne_options INTERFACE -Werror)
endif()
if(NE_SANITIZE)
  target_compile_options(ne_options INTERFACE -fsanitize=${NE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  if(NE_SANITIZE MATCHES "undefined")
    # An access through a null or wild pointer is ASan's to find; these checks stand on every member access and double
    # what there is to compile.
    target_compile_options(ne_options INTERFACE -fno-sanitize=null,vptr,object-size)
  endif()
  target_link_options(ne_options INTERFACE -fsanitize=${NE_SANITIZE})
endif()
# What a fuzzer's inputs steer through: the readers. The rest is not worth the counters. (-fsanitize=fuzzer-no-link is the
# same, but a precompiled header would have to be made with it.)
set(NE_FUZZED_SOURCES "/engine/base/|/engine/load/|/engine/file/|/models/")
set(NE_FUZZER_COUNTERS -fsanitize-coverage=inline-8bit-counters,indirect-calls,trace-cmp,pc-table)

# ne_precompile(TARGET <header>...): parses the standard library, and the headers of ours that most of its files include,
# once per target instead of once per file. Off by default: compiler caches do without.
function(ne_precompile target)
  if(NE_PRECOMPILE)
    target_precompile_headers(${target} PRIVATE <algorithm> <cmath> <cstdint> <cstring> <functional> <map> <memory> <optional>
                              <span> <sstream> <string> <variant> <vector> ${ARGN})
  endif()
endfunction()

# What many files of a module include: headers of ours, and large ones of others.
set(NE_PRECOMPILED_kernels kernels/kernel_table.h kernels/requests.h)
set(NE_PRECOMPILED_engine engine/ir/infer.h engine/ops/all.h engine/passes/rule.h <onnx/onnx_pb.h> <nlohmann/json.hpp>)
set(NE_PRECOMPILED_executor executor/op_binding.h kernels/kernel_table.h engine/ops/all.h)
set(NE_PRECOMPILED_models models/tokenizer/tokenizer_json.h models/tokenizer/tokenizer.h <nlohmann/json.hpp>)
set(NE_PRECOMPILED_compressor engine/ir/graph.h engine/passes/queries.h engine/include/neural_engine/compress.h)

# ne_add_module(NAME FOLDERS <dir>... [LINKS ...] [PRIVATE_LINKS ...]): an object library ne_NAME of all the .cpp files in
# the folders (not below them). LINKS are the modules whose headers its headers may include.
function(ne_add_module name)
  cmake_parse_arguments(arg "" "" "FOLDERS;LINKS;PRIVATE_LINKS" ${ARGN})
  set(sources "")
  foreach(folder ${arg_FOLDERS})
    file(GLOB found CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cpp")
    list(APPEND sources ${found})
  endforeach()
  if(sources)
    add_library(ne_${name} OBJECT ${sources})
    target_include_directories(ne_${name} PUBLIC
      $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/engine>
      $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/engine/include>)
    target_link_libraries(ne_${name} PUBLIC ${arg_LINKS} PRIVATE ne_options ${arg_PRIVATE_LINKS})
    ne_precompile(ne_${name} ${NE_PRECOMPILED_${name}})
    set_property(GLOBAL APPEND PROPERTY NE_MODULES ne_${name})
    # Our own object libraries come in through NE_MODULES.
    list(FILTER arg_PRIVATE_LINKS EXCLUDE REGEX "^ne_")
    set_property(GLOBAL APPEND PROPERTY NE_EXTERNAL ${arg_PRIVATE_LINKS})
    # The reference is the definition of right: no contraction of a*b+c.
    foreach(source ${sources})
      if(source MATCHES "/kernels/reference/|/executor/ops/")
        set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS -ffp-contract=off)
      elseif(NE_FUZZ AND source MATCHES "${NE_FUZZED_SOURCES}")
        set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${NE_FUZZER_COUNTERS}")
      endif()
    endforeach()
  else()
    add_library(ne_${name} INTERFACE)
  endif()
endfunction()

# ne_add_proto(NAME FILE): an object library ne_NAME_proto of what protoc makes of FILE; without our warnings.
function(ne_add_proto name file)
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/generated")
  get_filename_component(stem "${file}" NAME_WE)
  get_filename_component(source_folder "${CMAKE_CURRENT_SOURCE_DIR}/${file}" DIRECTORY)
  add_custom_command(
    OUTPUT "${folder}/${stem}.pb.cc" "${folder}/${stem}.pb.h"
    COMMAND ${CMAKE_COMMAND} -E make_directory "${folder}"
    COMMAND protobuf::protoc --cpp_out=${folder} -I "${source_folder}" "${CMAKE_CURRENT_SOURCE_DIR}/${file}"
    DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${file}" VERBATIM)
  add_library(ne_${name}_proto OBJECT "${folder}/${stem}.pb.cc" "${folder}/${stem}.pb.h")
  target_include_directories(ne_${name}_proto SYSTEM PUBLIC "$<BUILD_INTERFACE:${folder}>")
  target_link_libraries(ne_${name}_proto PUBLIC protobuf::libprotobuf)
  set_property(GLOBAL APPEND PROPERTY NE_MODULES ne_${name}_proto)
endfunction()

# The library that users link: all modules in one file. Tests link ne_all, which also sees hidden symbols.
function(ne_add_library)
  get_property(modules GLOBAL PROPERTY NE_MODULES)
  get_property(external GLOBAL PROPERTY NE_EXTERNAL)
  list(REMOVE_DUPLICATES external)
  set(objects "")
  foreach(module ${modules})
    # CMake counts a precompiled header among the objects.
    list(APPEND objects "$<FILTER:$<TARGET_OBJECTS:${module}>,EXCLUDE,\\.(gch|pch)$>")
  endforeach()

  add_library(neural_engine ${objects})
  add_library(neural_engine::neural_engine ALIAS neural_engine)
  target_include_directories(neural_engine PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/engine/include>
                             $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  # Header-only packages are not linked, so that they need not be there where the static library is used.
  set(linked ${external})
  list(REMOVE_ITEM linked NeuralEngine::xbyak NeuralEngine::json)
  list(TRANSFORM linked REPLACE "^NeuralEngine::" "ne_")
  target_link_libraries(neural_engine PRIVATE $<BUILD_INTERFACE:ne_options> ${linked} Threads::Threads)
  set_target_properties(neural_engine PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
                        LINKER_LANGUAGE CXX)

  add_library(ne_all INTERFACE)
  target_link_libraries(ne_all INTERFACE ${modules} ${objects} ${external} Threads::Threads ne_options)
endfunction()

# The neural_engine binary.
function(ne_add_tool)
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/executor/tools/*.cpp")
  if(NOT sources)
    return()
  endif()
  configure_file("${CMAKE_CURRENT_SOURCE_DIR}/executor/tools/version.h.in"
                 "${CMAKE_CURRENT_BINARY_DIR}/generated/executor/tools/version.h" @ONLY)
  add_executable(neural_engine_tool ${sources})
  target_include_directories(neural_engine_tool PRIVATE "${CMAKE_CURRENT_BINARY_DIR}/generated")
  set_target_properties(neural_engine_tool PROPERTIES OUTPUT_NAME neural_engine)
  target_link_libraries(neural_engine_tool PRIVATE ne_all gflags glog::glog NeuralEngine::json)
  ne_precompile(neural_engine_tool <nlohmann/json.hpp> executor/tools/command.h engine/include/neural_engine/session.h)
endfunction()
