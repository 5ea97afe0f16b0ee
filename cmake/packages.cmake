# cpack: three Debian packages - fye (the program and its networks), libfye0 (the library), libfye-dev (header, CMake
# package, pkg-config). Dependencies by dpkg-shlibdeps. Tested by tests/install_test.py, lintian included.
set(soname libfye${PROJECT_VERSION_MAJOR})
set(folder ${CMAKE_BINARY_DIR}/debian)
string(TIMESTAMP FYE_DATE "%a, %d %b %Y %H:%M:%S +0000" UTC)  # of SOURCE_DATE_EPOCH, if that is set
set(FYE_MAINTAINER "fye maintainers <maintainers@fye.invalid>" CACHE STRING "who the packages name: NAME <ADDRESS>")

# What Debian wants in each package's folder; cmake/debian/finish.cmake compresses what it wants compressed.
foreach(part program library development)
  set(name fye)
  if(part STREQUAL library)
    set(name ${soname})
  elseif(part STREQUAL development)
    set(name libfye-dev)
  endif()
  configure_file(${CMAKE_SOURCE_DIR}/cmake/debian/changelog.in ${folder}/changelog @ONLY)
  install(FILES ${folder}/changelog ${CMAKE_SOURCE_DIR}/cmake/debian/copyright
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${name} COMPONENT ${part})
  string(TOUPPER ${part} PART)
  set(CPACK_DEBIAN_${PART}_PACKAGE_NAME ${name})
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME fye)
set(CPACK_PACKAGE_CONTACT ${FYE_MAINTAINER})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/cmake/debian/finish.cmake)
set(CPACK_COMPONENTS_ALL program library development)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)

set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION graphics)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PROGRAM_DESCRIPTION "makes pictures larger by trained networks
A photograph goes in, a network enlarges it on the processor, in floating
point or exactly in 8-bit integers, and a file comes out with its colours,
transparency and metadata kept. Under a deadline every layer runs in the
number format that the time allows.

This package has the command and the networks.")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/cmake/debian/triggers)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_RECOMMENDS fye)
set(CPACK_DEBIAN_LIBRARY_DESCRIPTION "makes pictures larger by trained networks - library
The library behind fye for programs of your own: loads a network, enlarges
pictures in memory, under a deadline if there is one.

This package has the shared library; the networks are in fye.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SHLIBDEPS OFF)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "${soname} (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION "makes pictures larger by trained networks - header
The library behind fye for programs of your own: loads a network, enlarges
pictures in memory, under a deadline if there is one.

This package has what compiling against it takes: the header, a CMake
package and a file for pkg-config.")
include(CPack)
