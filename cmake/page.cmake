# The report's page inside the program: HTML, style and scripts of src/report/page and Debian's Chart.js as strings of C++,
# each script and style with the sha256 that the page's content policy names (src/report/page_files.h).
find_file(FYE_CHART_JS chart.min.js PATHS /usr/share/javascript/chart.js NO_DEFAULT_PATH REQUIRED
  DOC "Chart.js 3.9.1, Debian's libjs-chart.js")
set(page ${CMAKE_SOURCE_DIR}/src/report/page)
# In the order in which they run.
set(scripts ${page}/base.js ${page}/picture.js ${page}/time.js ${page}/layers.js ${page}/book.js ${page}/compare.js
  ${page}/quality.js ${page}/origin.js ${page}/main.js)
set(page_files ${CMAKE_BINARY_DIR}/page_files.cc)
add_custom_command(OUTPUT ${page_files}
  COMMAND ${CMAKE_COMMAND} -DOUT=${page_files} -DHTML=${page}/page.html -DSTYLE=${page}/style.css
    "-DSCRIPTS=${scripts}" -DCHARTS=${FYE_CHART_JS} -P ${CMAKE_SOURCE_DIR}/cmake/embed_page.cmake
  DEPENDS ${page}/page.html ${page}/style.css ${scripts} ${FYE_CHART_JS} ${CMAKE_SOURCE_DIR}/cmake/embed_page.cmake
  VERBATIM)
target_sources(fye_report PRIVATE ${page_files})
