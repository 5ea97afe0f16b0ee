# cmake --install: the program, and its models and tools where it looks for them (src/base/model_folders.h). Only what the
# project made is shipped; networks that `fye models install` fetched stay on the machine that fetched them.
include(GNUInstallDirs)
install(TARGETS fye RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/models/ DESTINATION ${CMAKE_INSTALL_DATADIR}/fye/models
  FILES_MATCHING PATTERN "lpips_*" EXCLUDE PATTERN "*.onnx" PATTERN "*.calib.json" PATTERN "*.md")
install(DIRECTORY ${CMAKE_SOURCE_DIR}/tools/ DESTINATION ${CMAKE_INSTALL_DATADIR}/fye/tools
  FILES_MATCHING PATTERN "__pycache__" EXCLUDE PATTERN "*.py")
