# cmake --install: the program, and the models where it looks for them (runtime/model.h).
include(GNUInstallDirs)
install(TARGETS fye RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/models/ DESTINATION ${CMAKE_INSTALL_DATADIR}/fye/models
  FILES_MATCHING PATTERN "*.onnx" PATTERN "*.calib.json" PATTERN "*.md")
