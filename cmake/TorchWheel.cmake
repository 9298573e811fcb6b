# Imported targets straight from the folder of the PyPI torch wheel: no Caffe2Config, no nvcc, no Python at run time.
#   TorchWheel::torch   headers, C++20, libtorch_cpu + libc10: all that ordinary code needs.
# Where the folder is looked for: -DTORCH_DIR, the environment variable LDM_LIBTORCH, .deps/libtorch/torch, an importable torch.
include_guard(GLOBAL)
set(LDM_TESTED_TORCH 2.11 2.13)

set(TORCH_DIR "$ENV{LDM_LIBTORCH}" CACHE PATH "the torch folder of an unpacked wheel")
if(NOT TORCH_DIR AND EXISTS ${CMAKE_SOURCE_DIR}/.deps/libtorch/torch/version.py)
  set_property(CACHE TORCH_DIR PROPERTY VALUE ${CMAKE_SOURCE_DIR}/.deps/libtorch/torch)
endif()
if(NOT TORCH_DIR)
  find_program(LDM_PYTHON NAMES python3)
  if(LDM_PYTHON)
    execute_process(
      COMMAND ${LDM_PYTHON} -c "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])"
      OUTPUT_VARIABLE _dir OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE _rc ERROR_QUIET)
    if(NOT _rc)
      set_property(CACHE TORCH_DIR PROPERTY VALUE "${_dir}")
    endif()
  endif()
endif()
if(NOT EXISTS "${TORCH_DIR}/version.py")
  message(FATAL_ERROR "LibTorch was not found (TORCH_DIR='${TORCH_DIR}'). Run scripts/get_torch.sh, or set LDM_LIBTORCH to the torch folder of an unpacked wheel.")
endif()

file(STRINGS ${TORCH_DIR}/version.py _version REGEX "^__version__")
string(REGEX MATCH "([0-9]+\\.[0-9]+)\\.[0-9]+[^']*" TORCH_VERSION "${_version}")
if(NOT CMAKE_MATCH_1 IN_LIST LDM_TESTED_TORCH)
  message(WARNING "torch ${TORCH_VERSION} in ${TORCH_DIR}: tested are ${LDM_TESTED_TORCH}.")
endif()

find_package(Threads REQUIRED)
foreach(_lib c10 torch_cpu)
  add_library(TorchWheel::${_lib} SHARED IMPORTED)
  set_target_properties(TorchWheel::${_lib} PROPERTIES IMPORTED_LOCATION ${TORCH_DIR}/lib/lib${_lib}.so)
endforeach()
add_library(TorchWheel::torch INTERFACE IMPORTED)
target_include_directories(TorchWheel::torch SYSTEM INTERFACE ${TORCH_DIR}/include ${TORCH_DIR}/include/torch/csrc/api/include)
target_compile_features(TorchWheel::torch INTERFACE cxx_std_20)
target_link_libraries(TorchWheel::torch INTERFACE TorchWheel::torch_cpu TorchWheel::c10 Threads::Threads ${CMAKE_DL_LIBS})
# The CUDA wheel's libtorch_cpu names libcudart and libcupti; GNU ld must not look for them.
target_link_options(TorchWheel::torch INTERFACE -Wl,--allow-shlib-undefined)
message(STATUS "torch ${TORCH_VERSION} from ${TORCH_DIR}")
