# fye_room(NAME USES libs...): the library fye_NAME from src/NAME/**/*.cc, its tests from *_test.cc (one executable,
# NAME_test) and its benchmarks from *_bench.cc (NAME_bench). A file's suffix names the instruction set it is compiled
# for; nothing in such a file may run before base/isa.h has said that the machine has it.
set(FYE_ISA_avx2 -mavx2 -mfma -mf16c)
set(FYE_ISA_avx2vnni ${FYE_ISA_avx2} -mavxvnni)
# g++ 12 takes the undefined pass-through operand inside its own AVX-512 headers for a use (GCC PR 105593).
set(FYE_ISA_avx512 -Wno-maybe-uninitialized -Wno-uninitialized ${FYE_ISA_avx2} -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni -mprefer-vector-width=512)
set(FYE_ISA_avx512bf16 ${FYE_ISA_avx512} -mavx512bf16)
set(FYE_ISA_amx ${FYE_ISA_avx512} -mamx-tile -mamx-int8 -mamx-bf16)
# Google Highway takes its instruction set from these: SSSE3 is its first on x86. On aarch64 its NEON functions are
# compiled for the crypto extension, and are only inlined where that is on; nothing here uses such instructions.
if(CMAKE_SYSTEM_PROCESSOR STREQUAL x86_64)
  set(FYE_ISA_portable -mssse3)
elseif(CMAKE_SYSTEM_PROCESSOR STREQUAL aarch64)
  set(FYE_ISA_portable -march=armv8-a+crypto)
endif()

function(fye_isa_flags)
  foreach(file ${ARGN})
    foreach(isa portable avx2 avx2vnni avx512 avx512bf16 amx)
      if(file MATCHES "_${isa}\\.cc$")
        set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS "${FYE_ISA_${isa}}" SKIP_PRECOMPILE_HEADERS ON)
      endif()
    endforeach()
  endforeach()
endfunction()

# Reading the same headers again and again is half of a build, so they are read once: the first target of a kind (library,
# test) makes them and the others take them over. FYE_PCH=OFF shows that every file includes
# what it uses.
function(fye_precompile target kind)
  if(NOT FYE_PCH)
    return()
  endif()
  get_property(first GLOBAL PROPERTY FYE_PCH_${kind})
  if(first)
    target_precompile_headers(${target} REUSE_FROM ${first})
    return()
  endif()
  set_property(GLOBAL PROPERTY FYE_PCH_${kind} ${target})
  target_precompile_headers(${target} PRIVATE ${ARGN} <fmt/format.h> <nlohmann/json.hpp> <algorithm> <array> <cmath> <cstring> <filesystem>
    <fstream> <functional> <map> <memory> <mutex> <optional> <random> <set> <span> <string> <thread> <vector>)
endfunction()

# Rooms that compute. In the others, and in tests, the sanitizers' checks cost more to compile with -O1 than -O0 costs to run.
set(FYE_ROOMS_THAT_COMPUTE base graph image quant kernels processors execute quality)

# Several files of a room compiled as one take half the time: in all rooms under CMAKE_UNITY_BUILD (the sanitizers' presets), in
# cli, where CLI11 and JSON are most of the work, always. These files stay alone: a name in them means something else in a file
# beside it.
set(CMAKE_UNITY_BUILD_BATCH_SIZE 8)
set(FYE_NOT_IN_UNITY graph/validate.cc image/row_reader.cc import/ncnn/ncnn_import_test.cc kernels/resize/bicubic.cc
  kernels/move/move_test.cc execute/plain_test.cc execute/int8r16_test.cc quality/piqe.cc quality/quality_test.cc
  profile/measure_test.cc profile/sensitivity_test.cc plan/state_graph.cc plan/exact.cc plan/plan_file_test.cc plan/relaxed_test.cc runtime/machine.cc
  batch/privacy.cc report/units.cc cli/option_table_test.cc cli/parse.cc
  cli/process.cc cli/report.cc cli/report_inputs.cc cli/up_many.cc)
list(TRANSFORM FYE_NOT_IN_UNITY PREPEND ${CMAKE_SOURCE_DIR}/src/)
set_source_files_properties(${FYE_NOT_IN_UNITY} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)

function(fye_room name)
  cmake_parse_arguments(ROOM "" "" "USES" ${ARGN})
  set(dir ${CMAKE_SOURCE_DIR}/src/${name})
  file(GLOB_RECURSE all CONFIGURE_DEPENDS ${dir}/*.cc)
  set(tests ${all})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  set(benches ${all})
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")
  set(sources ${all})
  list(FILTER sources EXCLUDE REGEX "_(test|bench|main)\\.cc$")
  if(NOT FYE_ONEDNN)
    list(FILTER sources EXCLUDE REGEX "onednn")
  endif()
  if(NOT CMAKE_SYSTEM_PROCESSOR STREQUAL x86_64)
    list(FILTER sources EXCLUDE REGEX "_(avx2|avx2vnni|avx512|avx512bf16|amx)\\.cc$")
  endif()
  fye_isa_flags(${sources})

  if(sources)
    add_library(fye_${name} STATIC ${sources})
    target_include_directories(fye_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(fye_${name} PUBLIC ${ROOM_USES})
    if(FYE_SANITIZE AND NOT name IN_LIST FYE_ROOMS_THAT_COMPUTE)
      target_compile_options(fye_${name} PRIVATE -O0)
      fye_precompile(fye_${name} O0)
    elseif(NOT name STREQUAL learn)  # has its own
      fye_precompile(fye_${name} rooms)
    endif()
    set(lib fye_${name})
  else()
    add_library(fye_${name} INTERFACE)
    target_include_directories(fye_${name} INTERFACE ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(fye_${name} INTERFACE ${ROOM_USES})
  endif()

  if(name STREQUAL cli)
    set_target_properties(fye_cli PROPERTIES UNITY_BUILD ON)
  endif()

  if(FYE_TESTS AND tests)
    find_package(GTest REQUIRED)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE fye_${name} GTest::gmock GTest::gtest_main fye_rapidcheck)
    # Property tests are templates upon templates: -O1 halves their compile time and costs the runs little.
    # What a test itself may do wrong, AddressSanitizer and ThreadSanitizer see; the checks for undefined behaviour are for fye.
    if(FYE_SANITIZE)
      target_compile_options(${name}_test PRIVATE -O0 -fno-sanitize=undefined)
    else()
      target_compile_options(${name}_test PRIVATE -O1)
    endif()
    if(NOT name STREQUAL learn)
      fye_precompile(${name}_test tests <gtest/gtest.h> <gmock/gmock.h> <rapidcheck/gtest.h>)
    endif()
    include(GoogleTest)
    gtest_discover_tests(${name}_test PROPERTIES LABELS "fast;${name}" DISCOVERY_TIMEOUT 60)
  endif()
  if(FYE_BENCH AND benches)
    find_package(benchmark REQUIRED)
    add_executable(${name}_bench ${benches})
    set_target_properties(${name}_bench PROPERTIES UNITY_BUILD OFF)  # few files, with the same names in each
    target_link_libraries(${name}_bench PRIVATE fye_${name} benchmark::benchmark_main)
  endif()
endfunction()

# Debian's librapidcheck-dev ships no CMake target with its GoogleTest glue; this names the two.
if(FYE_TESTS)
  find_library(RAPIDCHECK_LIB rapidcheck REQUIRED)
  add_library(fye_rapidcheck INTERFACE)
  target_link_libraries(fye_rapidcheck INTERFACE ${RAPIDCHECK_LIB})
endif()
