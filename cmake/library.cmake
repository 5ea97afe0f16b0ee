# libfye: what programs link (src/fye/fye.h), the rooms inside it and none of their names outside (cmake/libfye.map).
# Targets see its headers below build/include as they are after an installation, and nothing else of src.
fye_room(fye USES fye_runtime)
target_compile_options(fye_fye PRIVATE -fvisibility-inlines-hidden)
add_library(libfye SHARED $<TARGET_OBJECTS:fye_fye>)
add_library(fye::fye ALIAS libfye)
target_link_libraries(libfye PRIVATE fye_runtime)
target_link_options(libfye PRIVATE LINKER:--version-script=${CMAKE_SOURCE_DIR}/cmake/libfye.map LINKER:--no-undefined)
set_target_properties(libfye PROPERTIES OUTPUT_NAME fye EXPORT_NAME fye LINKER_LANGUAGE CXX
  LINK_DEPENDS ${CMAKE_SOURCE_DIR}/cmake/libfye.map LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
target_compile_features(libfye INTERFACE cxx_std_20)
configure_file(${CMAKE_SOURCE_DIR}/src/fye/fye.h ${CMAKE_BINARY_DIR}/include/fye/fye.h COPYONLY)
configure_file(${CMAKE_SOURCE_DIR}/src/base/result.h ${CMAKE_BINARY_DIR}/include/fye/base/result.h COPYONLY)
target_include_directories(libfye INTERFACE $<BUILD_INTERFACE:${CMAKE_BINARY_DIR}/include>)
if(TARGET fye_test)
  target_compile_definitions(fye_test PRIVATE FYE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
endif()
