# cmake --install and the .deb packages (cpack): the program with its models, tools, man pages and completions where it
# looks for them (src/base/model_folders.h); the library; what compiling against it takes. Only what the project made is
# shipped; networks that `fye models install` fetched stay on the machine that fetched them.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# Man pages and completions, from the same option table as --help.
add_executable(fye-manual src/cli/manual_main.cc)
target_link_libraries(fye-manual PRIVATE fye_cli)
set(manual ${CMAKE_BINARY_DIR}/manual)
add_custom_command(OUTPUT ${manual}/man/man1/fye.1
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${manual}
  COMMAND fye-manual ${manual}
  DEPENDS fye-manual VERBATIM)
add_custom_target(manual ALL DEPENDS ${manual}/man/man1/fye.1)

install(TARGETS fye RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
if(TARGET fye-av)
  install(TARGETS fye-av RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/fye COMPONENT program)
endif()
install(DIRECTORY ${CMAKE_SOURCE_DIR}/models/ DESTINATION ${CMAKE_INSTALL_DATADIR}/fye/models COMPONENT program
  FILES_MATCHING PATTERN "lpips_*" EXCLUDE PATTERN "training" EXCLUDE PATTERN "*.onnx" PATTERN "*.calib.json"
  PATTERN "*.losses.json" PATTERN "*.md")
install(DIRECTORY ${CMAKE_SOURCE_DIR}/tools/ DESTINATION ${CMAKE_INSTALL_DATADIR}/fye/tools COMPONENT program
  FILES_MATCHING PATTERN "__pycache__" EXCLUDE PATTERN "*.py")
install(DIRECTORY ${manual}/ DESTINATION ${CMAKE_INSTALL_DATADIR} COMPONENT program)

install(TARGETS libfye EXPORT fye
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library NAMELINK_COMPONENT development
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${CMAKE_BINARY_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)

# find_package(fye), of an installation or of the build folder.
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/fye)
install(EXPORT fye NAMESPACE fye:: FILE fyeTargets.cmake DESTINATION ${package} COMPONENT development)
export(EXPORT fye NAMESPACE fye:: FILE ${CMAKE_BINARY_DIR}/fyeTargets.cmake)
configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/fyeConfig.cmake.in ${CMAKE_BINARY_DIR}/installed/fyeConfig.cmake
  INSTALL_DESTINATION ${package})
configure_file(${CMAKE_BINARY_DIR}/installed/fyeConfig.cmake ${CMAKE_BINARY_DIR}/fyeConfig.cmake COPYONLY)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/fyeConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/installed/fyeConfig.cmake ${CMAKE_BINARY_DIR}/fyeConfigVersion.cmake
  DESTINATION ${package} COMPONENT development)

# pkg-config fye; its paths follow the file, wherever the prefix is moved.
file(RELATIVE_PATH FYE_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${CMAKE_SOURCE_DIR}/cmake/fye.pc.in ${CMAKE_BINARY_DIR}/fye.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/fye.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)

# The terms of the libraries whose headers are compiled into fye, as Debian's packages of them have them.
foreach(part program library)
  set(doc ${CMAKE_INSTALL_DOCDIR})
  if(part STREQUAL library)
    set(doc ${CMAKE_INSTALL_DATADIR}/doc/libfye${PROJECT_VERSION_MAJOR})
  endif()
  foreach(compiled_in libcli11-dev libfmt-dev libhwy-dev libspdlog-dev nlohmann-json3-dev)
    if(EXISTS /usr/share/doc/${compiled_in}/copyright)
      install(FILES /usr/share/doc/${compiled_in}/copyright DESTINATION ${doc}/licences RENAME ${compiled_in}
        COMPONENT ${part})
    endif()
  endforeach()
endforeach()

include(packages)
