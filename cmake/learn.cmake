# fye-train: the trainer, the only part of fye that links libtorch (Debian's libtorch-dev; -DFYE_LEARN=ON).
find_package(Torch REQUIRED)
fye_room(learn USES fye_plan fye_quality fye_import fye_export fye_quant fye_image fye_base CLI11::CLI11 ${TORCH_LIBRARIES})
# Debian's package leaves the folder of torch/torch.h out of its CMake file.
find_path(TORCH_API_INCLUDE torch/torch.h PATH_SUFFIXES torch/csrc/api/include REQUIRED)
target_include_directories(fye_learn SYSTEM PUBLIC ${TORCH_API_INCLUDE} ${TORCH_INCLUDE_DIRS})
# torch.h alone takes about ten seconds to read.
target_precompile_headers(fye_learn PRIVATE <torch/torch.h>)
if(TARGET learn_test)
  target_precompile_headers(learn_test REUSE_FROM fye_learn)
  target_compile_definitions(learn_test PRIVATE FYE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  target_compile_options(learn_test PRIVATE -fPIC)  # as the library: the two must agree to share it
endif()

add_executable(fye-train ${CMAKE_SOURCE_DIR}/src/learn/fye_train_main.cc)
target_link_libraries(fye-train PRIVATE fye_learn)
set_target_properties(fye-train PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
